"""Silences made by hand; those of the configuration are not here."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from watcher.alerts.silences import Silence
from watcher.store.tables import silence
from watcher.store.upsert import insert_new

_ALL = sa.select(silence).order_by(silence.c.id)
# Asked for with every transaction: made once, its text is found at once.
_CURRENT = _ALL.where(silence.c.until > sa.bindparam("now"))


class Silences:
    """By id; an ended one stays, as an answer to why nothing was sent."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._do = connection.execute

    def add(self, value: Silence) -> bool:
        """False when the id is taken."""
        body = value.model_dump(mode="json", by_alias=True)
        row = {"id": value.id, "body": body, "until": value.until}
        return insert_new(self._connection, silence, row)

    def end(self, silence_id: str, now: datetime) -> bool:
        """False when there is none that still holds."""
        table = silence.c
        query = sa.update(silence).where(table.id == silence_id, table.until > now)
        return bool(self._do(query.values(until=now)).rowcount)

    def current(self, now: datetime) -> tuple[Silence, ...]:
        """Those that have not ended, begun or not, in order of id."""
        return self._read(_CURRENT, now=now)

    def all(self) -> tuple[Silence, ...]:
        return self._read(_ALL)

    def _read(self, query: sa.Select[tuple[object, ...]], **given: datetime) -> tuple[Silence, ...]:
        found = (_silence(row) for row in self._do(query, given))
        return tuple(one for one in found if one is not None)


def _silence(row: sa.Row[Any]) -> Silence | None:
    """None for what an older version wrote and this one can't read: rather an alert too many."""
    try:
        stored = Silence.model_validate(row.body)
    except ValidationError:
        return None
    # An end before its time is in the row alone.
    return stored.model_copy(update={"until": row.until})
