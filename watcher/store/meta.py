"""Small facts about the store itself."""

import sqlalchemy as sa

from watcher.store.tables import meta
from watcher.store.upsert import upsert


class Meta:
    """Text by key."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, key: str) -> str | None:
        return self._connection.execute(sa.select(meta.c.value).where(meta.c.key == key)).scalar()

    def set(self, key: str, value: str) -> None:
        upsert(self._connection, meta, [{"key": key, "value": value}], replace=True)
