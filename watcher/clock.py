"""Clocks for the top floor: the machine's, a compressed one for demos, a hand-turned one for replay."""

import re
import time
from datetime import UTC, datetime, timedelta

_SPEC = re.compile(r"(?P<start>[^*]+)\*(?P<speed>\d+(\.\d+)?)$")


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ScaledClock:
    """Starts at `start` and runs `speed` times faster; for the demo and for tests."""

    def __init__(self, start: datetime, speed: float) -> None:
        self._start = start
        self._speed = speed
        self._origin = time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._origin) * self._speed)


class ManualClock:
    """Stands still until told; replay turns it to each article's time."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def turn_to(self, moment: datetime) -> None:
        """Never backwards."""
        self._now = max(self._now, moment)


def parse_clock(spec: str) -> ScaledClock:
    """Read `2026-05-30T04:00:00Z*360`: start and speed. Raises ValueError saying the form."""
    found = _SPEC.match(spec.strip())
    if not found:
        raise ValueError(
            f"{spec!r} is not a clock: write start*speed, like 2026-05-30T04:00:00Z*360"
        )
    start = datetime.fromisoformat(found["start"])
    if start.tzinfo is None:
        start = start.replace(tzinfo=UTC)
    return ScaledClock(start.astimezone(UTC), float(found["speed"]))
