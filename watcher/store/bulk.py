"""Many rows by one statement of the driver's own.

SQLAlchemy prepares every row of an `executemany` anew, at several times the cost of storing it.
Here it writes the statement, and what turns values into the database's is looked up once.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from watcher.store.tables import Moment, Text

Row = tuple[Any, ...]


def insert_many(
    connection: sa.Connection,
    table: sa.Table,
    columns: tuple[str, ...],
    rows: Iterable[Row],
    *,
    skip: bool = False,
) -> None:
    """Rows hold the columns in order. With `skip`, rows whose key is there already stay as they are."""
    _insert(connection.dialect, table, columns, skip).run(connection, rows)


def update_many(
    connection: sa.Connection,
    table: sa.Table,
    columns: tuple[str, ...],
    keys: tuple[str, ...],
    rows: Iterable[Row],
) -> None:
    """Rows hold the columns to set, then those of the key."""
    _update(connection.dialect, table, columns, keys).run(connection, rows)


def insert_into(dialect: sa.Dialect, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """The dialects spell ON CONFLICT alike but apart."""
    return postgresql.insert(table) if dialect.name == "postgresql" else sqlite.insert(table)


class _Statement:
    """Text for the driver, with the place of each of its values in a row and who writes it."""

    def __init__(
        self,
        dialect: sa.Dialect,
        statement: sa.Insert | sa.Update,
        parameters: Sequence[tuple[str, sa.Column[Any]]],
    ) -> None:
        names = [name for name, _ in parameters]
        compiled = statement.compile(dialect=dialect, column_keys=names)
        self._text = str(compiled)
        places = [names.index(name) for name in compiled.positiontup or names]
        self._values = [(place, _writer(parameters[place][1], dialect)) for place in places]

    def run(self, connection: sa.Connection, rows: Iterable[Row]) -> None:
        columns = list(zip(*rows, strict=True))
        if columns:
            written = [
                map(write, columns[place]) if write else columns[place]
                for place, write in self._values
            ]
            connection.exec_driver_sql(self._text, list(zip(*written, strict=True)))


@lru_cache
def _insert(
    dialect: sa.Dialect, table: sa.Table, columns: tuple[str, ...], skip: bool
) -> _Statement:
    statement = insert_into(dialect, table).values({c: sa.bindparam(c) for c in columns})
    if skip:
        statement = statement.on_conflict_do_nothing()
    return _Statement(dialect, statement, [(c, table.c[c]) for c in columns])


@lru_cache
def _update(
    dialect: sa.Dialect, table: sa.Table, columns: tuple[str, ...], keys: tuple[str, ...]
) -> _Statement:
    named = [*((c, table.c[c]) for c in columns), *((f"key_{k}", table.c[k]) for k in keys)]
    statement = (
        sa.update(table)
        .where(*(table.c[key] == sa.bindparam(f"key_{key}") for key in keys))
        .values({column: sa.bindparam(column) for column in columns})
    )
    return _Statement(dialect, statement, named)


def _writer(column: sa.Column[Any], dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    kind = column.type
    if isinstance(kind, Moment | Text):
        return kind.plain  # every driver takes integers and strings: one call less for each value
    return kind.dialect_impl(dialect).bind_processor(dialect)
