"""What lies at a path, found out without touching it (RELIABILITY E6): nothing is written before it is judged."""

import sqlite3
from contextlib import closing
from enum import StrEnum
from pathlib import Path

from watcher.errors import StoreError
from watcher.store.lock import is_held
from watcher.store.schema import HEAD, known_revisions

_MAGIC = b"SQLite format 3\x00"
_OURS = {"alembic_version", "feed", "article", "outbox"}
_RESTORE = "restore a backup with `watcher restore`"

# Reading a database whole takes about a second per GiB; above this only what decides about
# sending is checked, and damage elsewhere shows when it is read.
FULL_CHECK_BYTES = 1024**3
_VITAL = ("feed", "identity", "alert", "dispatch", "outbox")


class Found(StrEnum):
    """What is to be done before the database can be used."""

    NOTHING = "nothing"
    OLDER = "older"
    READY = "ready"


def look(path: Path) -> Found:
    """Raise `StoreError` for what watcher can't or must not write to."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
    except FileNotFoundError:
        _refuse_orphaned_log(path)
        return Found.NOTHING
    except OSError as error:
        raise StoreError(
            f"{path}: can't be read ({error.strerror}): make it readable for this user"
        ) from error
    if head != _MAGIC:
        raise StoreError(
            f"{path}: is not a watcher database (it is {'something else' if head else 'empty'}): "
            f"{_RESTORE}, or move the file away to start with an empty archive"
        )
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as raw:
            return _judge(raw, path)
    except sqlite3.OperationalError as error:
        raise StoreError(
            f"{path}: can't be opened ({error}): make room on its disk, and the file and its "
            "folder writable for this user"
        ) from error
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path}: can't be read ({error}): {_RESTORE}") from error


def _refuse_orphaned_log(path: Path) -> None:
    """A write-ahead log without its database holds commits; a new database would be damaged by it."""
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        raise StoreError(
            f"{path}: is missing, but {log.name} is there: put the database back beside it, "
            "or delete the log to start with an empty archive"
        )


def _judge(raw: sqlite3.Connection, path: Path) -> Found:
    tables = {name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    if not tables >= _OURS:
        raise StoreError(
            f"{path}: is the database of another program: give watcher another data folder"
        )
    (revision,) = raw.execute("SELECT version_num FROM alembic_version").fetchone() or (None,)
    if revision != HEAD and revision not in known_revisions():
        raise StoreError(
            f"{path}: was written by a newer watcher (schema {revision}): "
            "install that version again, or restore a backup"
        )
    # A running daemon checked when it started.
    if not is_held(path):
        _refuse_damage(raw, path)
    return Found.READY if revision == HEAD else Found.OLDER


def _refuse_damage(raw: sqlite3.Connection, path: Path) -> None:
    scopes = _VITAL if path.stat().st_size > FULL_CHECK_BYTES else (1,)
    for scope in scopes:
        (verdict,) = raw.execute(f"PRAGMA quick_check({scope})").fetchone()
        if verdict != "ok":
            raise StoreError(f"{path}: is damaged ({' '.join(verdict.split())}): {_RESTORE}")
