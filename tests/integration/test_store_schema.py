"""Migrations and tables say the same, on SQLite here and in words for PostgreSQL."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from watcher.store.engine import open_store
from watcher.store.migrations.env_filter import include_object
from watcher.store.schema import HEAD, alembic_config, known_revisions
from watcher.store.tables import metadata


def test_the_migrations_make_exactly_the_tables() -> None:
    store = open_store(Path(":memory:"))
    with store.begin() as tx:
        context = MigrationContext.configure(
            tx.connection, opts={"include_object": include_object, "compare_type": True}
        )
        difference = compare_metadata(context, metadata)
    store.close()

    assert difference == []


def test_the_newest_revision_is_the_one_the_code_names() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())

    assert scripts.get_heads() == [HEAD]
    assert HEAD in known_revisions()


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda t: t.name)
def test_every_table_can_be_said_to_postgresql(table: Table) -> None:
    words = [str(CreateTable(table).compile(dialect=postgresql.dialect()))]
    words += [
        str(CreateIndex(index).compile(dialect=postgresql.dialect())) for index in table.indexes
    ]

    assert "DATETIME" not in " ".join(words)
