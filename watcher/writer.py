"""One thread that owns the store: the event loop asks it and never waits on the disk itself."""

import asyncio
import shutil
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Generic, TypeVar

from watcher.errors import StoreFullError

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")

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


class Batches(Generic[Item, Result]):
    """Items that come while the writer is busy are handed over together, in order, when it is free.

    So a lone item waits for nothing, and a thousand cost a few transactions instead of a thousand.
    """

    def __init__(
        self,
        writer: Writer,
        work: Callable[[Sequence[Item]], Sequence[Result | Exception]],
        *,
        limit: int,
        weight: Callable[[Item], int] = lambda _: 1,
        apart: Callable[[Item], object] = id,
    ) -> None:
        """A batch ends with the item that brings its weight to `limit`; no two of it are `apart` alike."""
        self._writer = writer
        self._work = work
        self._limit = limit
        self._weight = weight
        self._apart = apart
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._drain: asyncio.Task[None] | None = None

    async def add(self, item: Item) -> Result:
        """The result of this item, or its exception; the work goes on if the asker is cancelled."""
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._drain is None:
            self._drain = asyncio.create_task(self._work_off())
        return await done

    async def _work_off(self) -> None:
        try:
            while self._waiting:
                await self._hand_over(self._next())
        finally:
            self._drain = None

    def _next(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        batch, weight, names = [], 0, set[object]()
        while self._waiting and weight < self._limit:
            name = self._apart(self._waiting[0][0])
            if name in names:
                break
            names.add(name)
            batch.append(self._waiting.popleft())
            weight += self._weight(batch[-1][0])
        return batch

    async def _hand_over(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        results: Sequence[Result | Exception]
        try:
            results = await self._writer(self._work, [item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - raised to everyone who waits
            results = [error] * len(batch)
        for (_, done), result in zip(batch, results, strict=True):
            if done.done():
                continue
            if isinstance(result, Exception):
                done.set_exception(result)
            else:
                done.set_result(result)
