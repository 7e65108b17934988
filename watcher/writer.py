"""One thread that owns the store: the event loop asks it and never waits on the disk itself."""

import asyncio
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from watcher.errors import StoreFullError

T = TypeVar("T")

# Room kept so that the mark of a message under way can always be stored.
RESERVE_BYTES = 32 * 1024 * 1024


class Writer:
    """Runs store work one at a time, in order of asking; close() waits for what was asked."""

    def __init__(self, folder: Path, *, reserve_bytes: int = RESERVE_BYTES) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._folder = folder
        self._reserve = reserve_bytes

    async def __call__(self, work: Callable[..., T], /, *args: Any) -> T:
        """Run to the end even if the asker is cancelled: a transaction is never cut in two."""
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._thread, work, *args))

    def require_room(self) -> None:
        """Raise `StoreFullError` before work starts whose result could not be stored."""
        free = shutil.disk_usage(self._folder).free
        if free < self._reserve:
            raise StoreFullError(
                f"{self._folder}: only {free // 1024 // 1024} MiB free: polling and sending "
                f"pause until there are {self._reserve // 1024 // 1024} MiB"
            )

    def close(self) -> None:
        self._thread.shutdown(wait=True)
