"""Opening the database, and one transaction as the rest of the service sees it."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import sqlalchemy as sa
from sqlalchemy import event

from watcher.errors import StoreError, StoreFullError
from watcher.store import backup, lock
from watcher.store.alerts import Alerts
from watcher.store.articles import Articles
from watcher.store.feeds import Feeds
from watcher.store.held import HeldBack
from watcher.store.labels import Labels
from watcher.store.matches import Matches
from watcher.store.meta import Meta
from watcher.store.opening import Found, look
from watcher.store.outbox import Outbox
from watcher.store.purge import Purge
from watcher.store.schema import migrate
from watcher.store.silences import Silences
from watcher.store.stories import Stories
from watcher.store.subscriptions import Subscriptions

BUSY_S = 10
_PRAGMAS = (
    "journal_mode = wal",
    # NORMAL may lose the last commits on power loss, and with them the mark of a sent message.
    "synchronous = full",
    "foreign_keys = on",
    f"busy_timeout = {BUSY_S * 1000}",
    # A busy page is copied back once per 16 MB of log and not once per 4.
    "wal_autocheckpoint = 4000",
    "cache_size = -4000",
    # A log grown by one big transaction is cut back at the next checkpoint.
    "journal_size_limit = 67108864",
)
_MEMORY = Path(":memory:")


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
        self.held = HeldBack(connection)
        self.labels = Labels(connection)
        self.silences = Silences(connection)
        self.subscriptions = Subscriptions(connection)
        self.meta = Meta(connection)
        self.purge = Purge(connection)


class Store:
    """One database. Writing transactions queue up behind each other, readers never wait."""

    def __init__(self, engine: sa.Engine, path: Path) -> None:
        self._engine = engine
        self._path = path
        self._turn = threading.Lock()
        self._lock_file: TextIO | None = None

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """Commit at the end, roll back on any exception; the database's own become `StoreError`s."""
        if not self._turn.acquire(timeout=BUSY_S):
            raise StoreError(f"{self._path}: a transaction waits for another one of this process")
        try:
            with self._engine.begin() as connection:
                yield Transaction(connection)
        except sa.exc.DBAPIError as error:
            raise _translated(error, self._path) from error
        finally:
            self._turn.release()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """One consistent picture, however long it takes; writers go on meanwhile, writing raises."""
        if self._path == _MEMORY:
            with self.begin() as tx:
                yield tx
            return
        try:
            with self._engine.connect().execution_options(reading=True) as connection:
                yield Transaction(connection)
        except sa.exc.DBAPIError as error:
            raise _translated(error, self._path) from error

    def lock(self) -> None:
        """Make this process the store's daemon until close or death; `StoreLockedError` if one runs.

        Holding it proves that whoever left leases behind is dead: the roles' `end_leases` is safe.
        """
        if self._path == _MEMORY or self._lock_file is not None:
            return
        self._lock_file = lock.hold(self._path)
        # A forked child shares the lock; one that outlives a killed daemon would keep it for ever.
        os.register_at_fork(after_in_child=self._lock_file.close)

    def backup(self, target: Path) -> None:
        """A consistent copy while the daemon runs; a file at `target` is replaced in one step."""
        backup.back_up(self._path, target)

    def tidy(self) -> None:
        """Keep the planner's statistics fresh; cheap, for now and then."""
        with self.begin() as tx:
            tx.connection.exec_driver_sql("PRAGMA optimize")

    def close(self) -> None:
        self._engine.dispose()
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None


def open_store(path: Path) -> Store:
    """Create or migrate the database at `path` (`:memory:` for a throw-away one).

    A file that is damaged, newer than this version, or not a watcher database is refused with a
    `StoreError` and left untouched.
    """
    if path == _MEMORY:
        store = Store(_engine(path), path)
        with store.begin() as tx:
            migrate(tx.connection)
        return store
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{path.parent}: can't be made ({error.strerror}): make its parent writable for this user"
        ) from error
    if look(path) is not Found.READY:
        with lock.hold(path):
            _prepare(path)
    return Store(_engine(path), path)


def _prepare(path: Path) -> None:
    """Under the lock: look again, for another process may have done it meanwhile."""
    found = look(path)
    if found is Found.OLDER:
        _migrate(path)
    elif found is Found.NOTHING:
        # Made beside and renamed: whatever lies at the path is a whole database, kill or not.
        fresh = path.with_name(path.name + ".new")
        for leftover in (fresh, *backup.logs_of(fresh), *backup.logs_of(path)):
            leftover.unlink(missing_ok=True)
        _migrate(fresh)
        backup.put(fresh, path)


def _migrate(path: Path) -> None:
    store = Store(_engine(path), path)
    try:
        with store.begin() as tx:
            migrate(tx.connection)
    finally:
        store.close()


def _engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=os.fspath(path)),
        connect_args={"check_same_thread": False},
        poolclass=sa.pool.StaticPool if path == _MEMORY else sa.pool.QueuePool,
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, _record: Any) -> None:
    # The driver's own transactions begin too late for BEGIN IMMEDIATE; we begin ourselves.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: sa.Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    # What is noted belongs to the database connection, which outlives this use of it.
    if connection.info.get("reading") is not reading:
        connection.exec_driver_sql(f"PRAGMA query_only = {'on' if reading else 'off'}")
        connection.info["reading"] = reading
    # IMMEDIATE takes the write lock at once: no deadlock on upgrading a read to a write.
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _translated(error: sa.exc.DBAPIError, path: Path) -> StoreError:
    name = getattr(error.orig, "sqlite_errorname", "")
    where = f"{path}: {error.orig}"
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return StoreFullError(f"{where}: make room on its disk; work resumes by itself")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return StoreFullError(f"{where}: make the file and its folder writable for this user")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return StoreError(f"{where}: restore a backup with `watcher restore`")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreError(
            f"{where}: another process writes to it for more than {BUSY_S} s; this is tried again"
        )
    return StoreError(where)
