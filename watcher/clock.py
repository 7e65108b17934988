"""Clocks for the top floor: the machine's, a compressed one for demos, a hand-turned one for replay."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from watcher.ports import Clock

# NTP slews what is less.
LEAST_STEP = timedelta(seconds=30)
_SPEC = re.compile(r"(?P<start>[^*]+)\*(?P<speed>\d+(\.\d+)?)$")


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class StepWatch:
    """Tells when the machine's clock was set: it then moves apart from one that only counts."""

    def __init__(self, clock: Clock, steady: Callable[[], float] | None = None) -> None:
        """`steady` counts seconds; made-up clocks are never set, so theirs is themselves."""
        self._clock = clock
        real = isinstance(clock, SystemClock) or steady is not None
        self._steady = (steady or _seconds) if real else None
        self._seen = self._look()

    def step(self) -> timedelta:
        """By how much it was set since the last call; nothing for what drifts."""
        before, self._seen = self._seen, self._look()
        moved = (self._seen[0] - before[0]) - timedelta(seconds=self._seen[1] - before[1])
        return moved if self._steady is not None and abs(moved) >= LEAST_STEP else timedelta(0)

    def _look(self) -> tuple[datetime, float]:
        return self._clock.now(), self._steady() if self._steady is not None else 0.0


def _seconds() -> float:
    """Goes on while the machine sleeps, where the system can tell: that is no step of the clock."""
    counting = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if counting is None else time.clock_gettime(counting)


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
