"""Politeness per host: few requests at once, and a pause between their starts."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

_REMEMBERED = 10_000


class _Host:
    def __init__(self, limit: int) -> None:
        self.slots = asyncio.Semaphore(limit)
        self.next_start = 0.0


class HostGate:
    """Waiting for a turn costs no deadline: the request has not begun."""

    def __init__(self, limit: int, spacing: timedelta) -> None:
        self._limit = limit
        self._spacing = spacing.total_seconds()
        self._hosts: OrderedDict[str, _Host] = OrderedDict()

    @asynccontextmanager
    async def turn(self, name: str | None) -> AsyncIterator[None]:
        """None needs no turn."""
        if name is None:
            yield
            return
        host = self._hosts.setdefault(name, _Host(self._limit))
        self._hosts.move_to_end(name)
        if len(self._hosts) > _REMEMBERED:
            self._hosts.popitem(last=False)
        async with host.slots:
            now = time.monotonic()
            start = max(now, host.next_start)
            host.next_start = start + self._spacing
            if start > now:
                await asyncio.sleep(start - now)
            yield
