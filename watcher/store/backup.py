"""Copies of the database: taken while it is used, put back while it is not."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from watcher.errors import StoreError
from watcher.store import lock
from watcher.store.opening import Found, look


def back_up(path: Path, target: Path) -> None:
    """A consistent copy, written beside `target` and renamed; the writer may go on meanwhile."""
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as raw, closing(sqlite3.connect(partial)) as copy:
            raw.backup(copy)
            # One file is easier to carry away than three; opening it turns the log on again.
            copy.execute("PRAGMA journal_mode = delete")
        put(partial, target)
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise StoreError(f"{target}: the backup can't be written ({error})") from error


def restore(source: Path, path: Path) -> None:
    """Put a backup in the place of the database; the old one is kept as `….before-restore`.

    Refused while a daemon runs, and when `source` is no watcher database.
    """
    if look(source) is Found.NOTHING:
        raise StoreError(f"{source}: doesn't exist: name a file made by `watcher backup`")
    path.parent.mkdir(parents=True, exist_ok=True)
    with lock.hold(path):
        fresh = path.with_name(path.name + ".new")
        back_up(source, fresh)
        _set_aside(path)
        put(fresh, path)


def _set_aside(path: Path) -> None:
    """Rename a database with its logs: a log left beside another database would damage it."""
    kept = path.with_name(path.name + ".before-restore")
    for leftover in logs_of(kept):
        leftover.unlink(missing_ok=True)
    for old, new in zip((path, *logs_of(path)), (kept, *logs_of(kept)), strict=True):
        if old.exists():
            old.replace(new)


def put(fresh: Path, path: Path) -> None:
    """Rename a finished file into its place, and make that last."""
    with fresh.open("rb+") as file:
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def logs_of(path: Path) -> tuple[Path, Path]:
    """SQLite's own files beside a database."""
    return path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")
