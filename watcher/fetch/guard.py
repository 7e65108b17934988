"""Connections that are not ours: a library that dials by itself is held to the same addresses.

CPython tells an audit hook of every connection before its first packet, whichever library begins
it, with the address as resolved; a hook that raises ends it there (PEP 578).
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

_EVENTS = frozenset(("socket.connect", "socket.sendto", "socket.sendmsg"))


@dataclass(slots=True)
class Guard:
    """What was refused so far, as `address:port`."""

    judge: Callable[[str, int], bool]
    refused: list[str] = field(default_factory=list)

    def check(self, address: Any) -> None:
        """Raises `PermissionError`, which every library takes for a connection that failed."""
        if isinstance(address, tuple) and self.judge(str(address[0]), int(address[1])):
            return
        shown = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else "a local socket"
        self.refused.append(shown)
        raise PermissionError(f"the outbound door refused {shown}")


_current: ContextVar[Guard | None] = ContextVar("guard", default=None)
_hooked = False


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if event in _EVENTS and (guard := _current.get()) is not None:
        guard.check(args[1])


@contextmanager
def guarding(judge: Callable[[str, int], bool]) -> Iterator[Guard]:
    """Until its end, for this task and every thread that inherits its context."""
    global _hooked  # noqa: PLW0603 - a hook can't be taken back, so there is one
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    guard = Guard(judge)
    token = _current.set(guard)
    try:
        yield guard
    finally:
        _current.reset(token)
