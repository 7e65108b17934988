"""Politeness per host: few requests at once, and a pause between their starts."""

import asyncio
import time
from collections import OrderedDict
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import timedelta

_REMEMBERED = 10_000


class _Host(asyncio.Semaphore):
    """One of its requests: few at once, and a pause before each."""

    def __init__(self, limit: int, spacing: float) -> None:
        super().__init__(limit)
        self._spacing = spacing
        self._next_start = 0.0

    async def __aenter__(self) -> None:
        await super().__aenter__()
        now = time.monotonic()
        start = max(now, self._next_start)
        self._next_start = start + self._spacing
        if start > now:
            try:
                await asyncio.sleep(start - now)
            except BaseException:
                self.release()
                raise


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
