"""Politeness per host: few requests at once, and a pause between their starts."""

import asyncio
import time
from collections import OrderedDict
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import timedelta
from types import TracebackType

_REMEMBERED = 10_000


class _Host:
    """`async with host`: one of its requests."""

    def __init__(self, limit: int, spacing: float) -> None:
        self._slots = asyncio.Semaphore(limit)
        self._spacing = spacing
        self._next_start = 0.0

    async def __aenter__(self) -> None:
        await self._slots.acquire()
        now = time.monotonic()
        start = max(now, self._next_start)
        self._next_start = start + self._spacing
        if start > now:
            try:
                await asyncio.sleep(start - now)
            except BaseException:
                self._slots.release()
                raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._slots.release()


class HostGate:
    """Waiting for a turn costs no deadline: the request has not begun."""

    def __init__(self, limit: int, spacing: timedelta) -> None:
        self._limit = limit
        self._spacing = spacing.total_seconds()
        self._hosts: OrderedDict[str, _Host] = OrderedDict()

    def turn(self, name: str | None) -> AbstractAsyncContextManager[None]:
        """None needs no turn."""
        if name is None:
            return nullcontext()
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = _Host(self._limit, self._spacing)
            if len(self._hosts) > _REMEMBERED:
                self._hosts.popitem(last=False)
        self._hosts.move_to_end(name)
        return host
