"""Opening the database, and one transaction as the rest of the service sees it."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import sqlalchemy as sa
from sqlalchemy import event

from watcher.errors import StoreError, StoreFullError, StoreLockedError
from watcher.store.alerts import Alerts
from watcher.store.articles import Articles
from watcher.store.feeds import Feeds
from watcher.store.matches import Matches
from watcher.store.meta import Meta
from watcher.store.outbox import Outbox
from watcher.store.schema import migrate
from watcher.store.stories import Stories

_PRAGMAS = (
    "journal_mode = wal",
    # NORMAL may lose the last commits on power loss, and with them the mark of a sent message.
    "synchronous = full",
    "foreign_keys = on",
    "busy_timeout = 10000",
)
_MAGIC = b"SQLite format 3\x00"


class Transaction:
    """Everything in it commits together or not at all."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.feeds = Feeds(connection)
        self.articles = Articles(connection)
        self.matches = Matches(connection)
        self.stories = Stories(connection)
        self.alerts = Alerts(connection)
        self.outbox = Outbox(connection)
        self.meta = Meta(connection)


class Store:
    """One database; transactions from several threads queue up behind each other."""

    def __init__(self, engine: sa.Engine, path: Path) -> None:
        self._engine = engine
        self._path = path
        self._lock_file: TextIO | None = None

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """Commit at the end, roll back on any exception; raises `StoreError` kinds only."""
        try:
            with self._engine.begin() as connection:
                yield Transaction(connection)
        except sa.exc.DBAPIError as error:
            raise _translated(error, self._path) from error

    def lock(self) -> None:
        """Make this process the store's daemon until close or death; `StoreLockedError` if one runs."""
        path = self._path.with_name(self._path.name + ".lock")
        handle = path.open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            handle.close()
            raise StoreLockedError(
                f"{self._path}: another watcher daemon (process {holder}) runs on this store: "
                "stop it, or give this one another data folder"
            ) from error
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        self._lock_file = handle

    def backup(self, target: Path) -> None:
        """A consistent copy while the daemon runs; written beside the target and renamed."""
        partial = target.with_name(target.name + ".partial")
        raw = sqlite3.connect(self._path)
        copy = sqlite3.connect(partial)
        try:
            raw.backup(copy)
        finally:
            copy.close()
            raw.close()
        partial.replace(target)

    def close(self) -> None:
        self._engine.dispose()
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None


def open_store(path: Path) -> Store:
    """Create or migrate the database at `path` (`:memory:` for a throw-away one).

    A file that is damaged, newer than this version, or not a database is refused and left untouched.
    """
    memory = str(path) == ":memory:"
    if not memory:
        _refuse_strangers(path)
    engine = sa.create_engine(
        "sqlite://" if memory else f"sqlite:///{path}",
        connect_args={"check_same_thread": False},
        poolclass=sa.pool.StaticPool if memory else sa.pool.QueuePool,
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    try:
        with engine.begin() as connection:
            _check(connection, path)
            migrate(connection, path)
    except sa.exc.DBAPIError as error:
        engine.dispose()
        raise _translated(error, path) from error
    except StoreError:
        engine.dispose()
        raise
    return Store(engine, path)


def _refuse_strangers(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            return
        head = path.open("rb").read(len(_MAGIC))
    except OSError as error:
        raise StoreError(
            f"{path}: can't be opened ({error.strerror}): make the folder writable for this user"
        ) from error
    if head != _MAGIC:
        raise StoreError(
            f"{path}: is not a watcher database (it is {'empty' if not head else 'something else'}): "
            "restore a backup, or move the file away to start with an empty archive"
        )


def _check(connection: sa.Connection, path: Path) -> None:
    verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if verdict != "ok":
        raise StoreError(f"{path}: is damaged ({verdict}): restore a backup with `watcher restore`")


def _on_connect(connection: Any, _record: Any) -> None:
    # The driver's own transactions begin too late for BEGIN IMMEDIATE; we begin ourselves.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: sa.Connection) -> None:
    # IMMEDIATE takes the write lock at once: no deadlock on upgrading a read to a write.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _translated(error: sa.exc.DBAPIError, path: Path) -> StoreError:
    text = str(error.orig)
    if "disk is full" in text or "disk I/O" in text:
        return StoreFullError(f"{path}: {text}: make room; work resumes by itself")
    if "readonly" in text or "unable to open" in text:
        return StoreError(f"{path}: {text}: make the folder writable for this user")
    if "malformed" in text or "not a database" in text:
        return StoreError(f"{path}: {text}: restore a backup with `watcher restore`")
    return StoreError(f"{path}: {text}")
