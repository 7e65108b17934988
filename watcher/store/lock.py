"""One daemon per store: an advisory lock beside the database that ends with its process."""

import fcntl
import os
import time
from pathlib import Path
from typing import TextIO

from watcher.errors import StoreError, StoreLockedError

# Commands hold the lock for moments: to make or migrate a database.
PATIENCE_S = 2.0
_PAUSE_S = 0.05


def hold(path: Path) -> TextIO:
    """Lock until the handle is closed or the process dies; `StoreLockedError` if another keeps it."""
    lock = lock_path(path)
    try:
        handle = lock.open("a+")
    except OSError as error:
        raise StoreError(
            f"{lock}: can't be opened ({error.strerror}): make the folder writable for this user"
        ) from error
    deadline = time.monotonic() + PATIENCE_S
    while not _taken(handle):
        if time.monotonic() >= deadline:
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            handle.close()
            raise StoreLockedError(
                f"{path}: another watcher daemon (process {holder}) runs on this store: "
                "stop it, or give this one another data folder"
            )
        time.sleep(_PAUSE_S)
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


def _taken(handle: TextIO) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(path: Path) -> bool:
    """Whether a daemon is known to run on this store."""
    try:
        with lock_path(path).open() as handle:
            return not _taken(handle)
    except OSError:
        return False


def lock_path(path: Path) -> Path:
    return path.with_name(path.name + ".lock")
