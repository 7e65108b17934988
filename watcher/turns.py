"""Whose turn it is on each host, so that many feeds of one host don't keep the others waiting. Pure.

The outbound door spaces requests too, but who waits there holds one of the few places of
polls under way; here they are sent back to the store, due when it will be their turn.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

_LEAST_STEP = timedelta(milliseconds=20)
# Far from the beginning of time, so that a clock may be set back from there.
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Host:
    running: int = 0
    free_at: datetime = _LONG_AGO
    promised: datetime = _LONG_AGO


class HostTurns:
    """At most `limit` polls of a host run at once, `spacing` apart; a host may ask for a rest."""

    def __init__(self, limit: int, spacing: timedelta) -> None:
        self._limit = limit
        self._spacing = spacing
        self._hosts: defaultdict[str, _Host] = defaultdict(_Host)
        self._rests: dict[str, datetime] = {}

    def take(self, url: str, now: datetime) -> datetime | None:
        """None: go now, and call `done` after; else when to come again."""
        name, site = _place(url)
        host = self._hosts[name]
        rests_until = self._rests.get(site, _LONG_AGO)
        if rests_until > now:
            return self._promise(host, rests_until)
        if host.running >= self._limit or host.free_at > now + self._spacing:
            return self._promise(host, max(now, host.free_at))
        host.running += 1
        host.free_at = max(host.free_at, now) + self._spacing
        return None

    def done(self, url: str) -> None:
        """What was let go has ended; without effect for what was not."""
        host = self._hosts[_place(url)[0]]
        host.running = max(host.running - 1, 0)

    def rest(self, url: str, until: datetime) -> None:
        """A Retry-After speaks for all feeds of that host and port."""
        site = _place(url)[1]
        self._rests[site] = max(self._rests.get(site, until), until)

    def shift(self, step: timedelta) -> None:
        """The clock was set."""
        for host in self._hosts.values():
            host.free_at += step
            host.promised += step
        self._rests = {site: until + step for site, until in self._rests.items()}

    def _promise(self, host: _Host, earliest: datetime) -> datetime:
        host.promised = max(host.promised, earliest) + max(self._spacing, _LEAST_STEP)
        return host.promised


@lru_cache(maxsize=8192)
def _place(url: str) -> tuple[str, str]:
    """The host, which takes turns, and the host with its port, which asks for a rest."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").lower(), parts.netloc.lower()
    except ValueError:
        return "", ""
