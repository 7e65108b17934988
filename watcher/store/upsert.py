"""INSERT … ON CONFLICT for both databases."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from watcher.store.bulk import insert_into


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    replace: bool,
) -> None:
    """Insert rows; on an existing primary key replace the other columns, or leave the row be."""
    if not rows:
        return
    statement = insert_into(connection.dialect, table)
    keys = [column.name for column in table.primary_key]
    if replace:
        changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=changed)
    else:
        statement = statement.on_conflict_do_nothing()
    connection.execute(statement, [dict(row) for row in rows])


def insert_new(connection: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> bool:
    """Insert a row unless one with any of its unique keys is there; whether it was inserted."""
    # Row counts of ON CONFLICT differ between drivers; what RETURNING gives does not.
    statement = insert_into(connection.dialect, table).values(**row).on_conflict_do_nothing()
    return connection.execute(statement.returning(*table.primary_key)).first() is not None
