"""Bringing a database to this version's tables with Alembic, at every start."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from watcher.errors import StoreError


def alembic_config(connection: sa.Connection | None = None) -> Config:
    """Alembic's settings in code: the wheel carries no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def migrate(connection: sa.Connection, path: Path) -> None:
    """Up to the newest revision, inside the caller's transaction: killed half-way, nothing happened."""
    config = alembic_config(connection)
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            f"{path}: was written by a newer watcher (schema {current}): "
            "install that version again, or restore a backup"
        )
    command.upgrade(config, "head")
