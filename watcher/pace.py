"""How often a feed publishes, and at which hours: learned from what it showed. Pure.

Counts fade with a half-life of three weeks, so that a feed that changes its habits is
believed soon and one that died is forgotten. Times are UTC.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from math import log, sqrt

HALF_LIFE = timedelta(days=21)
# How far back the dates of a feed's first document are believed.
LOOK_BACK = timedelta(days=90)
# Entries that appear within one such span count once: one poll finds them all.
TOGETHER = timedelta(minutes=5)
# What is assumed before anything is known: one arrival an hour, watched for an hour.
USUAL = timedelta(hours=1)
# After an arrival the next is expected within so many times the silence since.
ECHO = 12
# How many arrivals, faded, tell that a silence is odd; less than three a month never do.
TELLING = 2.5
# Before so many days, faded, no week with its weekend has been seen for sure.
ACQUAINTED = 10.0
# Watched for so many days, faded, a habit is one: all but this share come at the same time.
KNOWN_WELL = 15.0
HABITUAL = 0.85
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_FADE = HALF_LIFE / log(2) / _DAY


@dataclass(frozen=True, slots=True)
class Pace:
    """Faded counts as of `at`: watched `days`, `entries`, arrivals by `hours` and `weekdays`.

    `longest` is the longest silence seen lately.
    """

    at: datetime
    days: float = 0.0
    entries: float = 0.0
    hours: tuple[float, ...] = (0.0,) * 24
    weekdays: tuple[float, ...] = (0.0,) * 7
    longest: timedelta = timedelta(0)

    @property
    def text(self) -> str:
        """For the store; `read` takes it back."""
        counts = [round(n, 3) for n in (self.days, self.entries, *self.hours, *self.weekdays)]
        return json.dumps([int(self.at.timestamp()), int(self.longest / _HOUR * 60), *counts])

    @staticmethod
    # One poll asks several times.
    @lru_cache(maxsize=64)
    def read(text: str | None) -> "Pace | None":
        """None for what is not there or was written by another version."""
        try:
            at, longest, days, entries, *counts = json.loads(text or "null")
            moment = datetime.fromtimestamp(at, UTC)
        except (TypeError, ValueError, OverflowError):
            return None
        if len(counts) != 31:
            return None
        hours, weekdays = tuple(counts[:24]), tuple(counts[24:])
        return Pace(moment, days, entries, hours, weekdays, timedelta(minutes=longest))

    def faded(self, now: datetime) -> "Pace":
        """The same at a later moment, watched in between; a clock that went back changes nothing."""
        kept = self._kept(now)
        return Pace(
            now,
            self.days * kept + _FADE * (1 - kept),
            self.entries * kept,
            tuple([n * kept for n in self.hours]),
            tuple([n * kept for n in self.weekdays]),
            self.longest,
        )

    def _kept(self, now: datetime) -> float:
        return float(0.5 ** (max(now - self.at, timedelta(0)) / HALF_LIFE))

    def gaps(self, now: datetime) -> tuple[float, Callable[[int, int], float]]:
        """The hours between arrivals to expect by now: whatever the time, and at an hour of a weekday."""
        # As `faded` has them, of which only a few are asked for here.
        kept, hours, weekdays = self._kept(now), self.hours, self.weekdays
        days, arrivals = self.days * kept + _FADE * (1 - kept), sum(weekdays) * kept
        usual = (days * 24 + USUAL / _HOUR) / (arrivals + 1)
        # Shares among 24 and 7, each with some arrivals assumed to be spread evenly.
        of_hour, of_day = self._spread(days, arrivals)
        scale = usual * (arrivals + 24 * of_hour) / 24 * (arrivals + 7 * of_day) / 7

        def gap(hour: int, weekday: int) -> float:
            near = (hours[hour] + 0.5 * (hours[hour - 1] + hours[(hour + 1) % 24])) / 2
            return scale / ((near * kept + of_hour) * (weekdays[weekday] * kept + of_day))

        return usual, gap

    def _spread(self, days: float, arrivals: float) -> tuple[float, float]:
        """How many arrivals to assume at any hour and on any weekday; fewer against a plain habit."""
        if days < KNOWN_WELL or arrivals < TELLING:
            return 0.25, 0.5
        hours, most = self.hours, HABITUAL * sum(self.weekdays)
        at_one_time = any(hours[n - 1] + hours[n] + hours[n - 23] > most for n in range(24))
        return 0.1 if at_one_time else 0.25, 0.15 if max(self.weekdays) > most else 0.5


def begun(dates: Iterable[datetime | None], now: datetime) -> Pace:
    """From the dates of a feed's first document; of undated and future entries nothing is known."""
    known = sorted(d for d in dates if d is not None and now - LOOK_BACK <= d <= now)
    empty = Pace(known[0] if len(known) > 1 else now)
    return learned(empty, known, now) if len(known) > 1 else empty


def learned(pace: Pace, news: Iterable[datetime | None], now: datetime) -> Pace:
    """With entries that are new; the undated, and what was dated before the last look, came now."""
    times = sorted(when if when and pace.at <= when <= now else now for when in news)
    faded = pace.faded(now)
    hours, weekdays, entries = list(faded.hours), list(faded.weekdays), faded.entries
    longest, last = pace.longest, pace.at
    for n, when in enumerate(times):
        weight = 0.5 ** ((now - when) / HALF_LIFE)
        entries += weight
        if n and when - last < TOGETHER:
            continue
        hours[when.hour] += weight
        weekdays[when.weekday()] += weight
        last = when
    for earlier, later in pairwise((pace.at, *times)):
        longest = max(longest * 0.5 ** ((later - earlier) / (4 * HALF_LIFE)), later - earlier)
    return Pace(now, faded.days, entries, tuple(hours), tuple(weekdays), longest)


def wait(
    pace: Pace | None,
    newest: datetime | None,
    now: datetime,
    *,
    usual: timedelta,
    least: timedelta,
    most: timedelta,
) -> timedelta:
    """How long to leave a feed alone.

    The wait grows with the square root of the time between arrivals, which for a given number of
    requests makes the news of all feeds together the least late; an hourly feed waits `usual`.
    Quiet hours ahead lengthen it, busy ones end it; right after an arrival another is likely.
    """
    explained, gap_at = (pace or Pace(now)).gaps(now)
    silence = None if newest is None else max((now - newest) / _HOUR, 0.0)
    shortest, longest, unit = least / _HOUR, most / _HOUR, usual / _HOUR
    hour, weekday = now.hour, now.weekday()
    passed, left = 0.0, 1.0  # hours from now, and what is left of the wait
    until = 1 - (now.minute * 60 + now.second) / 3600
    while passed < longest:
        gap = gap_at(hour, weekday)
        if silence is not None:
            odd = silence + passed - explained
            gap = max(min(gap, ECHO * (silence + passed)), odd / 4)
        rest = min(max(unit * sqrt(gap), shortest), longest)
        if passed + left * rest <= until:
            return min(timedelta(hours=passed + left * rest), most)
        left -= (until - passed) / rest
        passed, until, hour = until, until + 1, hour + 1
        if hour == 24:
            hour, weekday = 0, (weekday + 1) % 7
    return most


def stale_after(pace: Pace | None) -> timedelta | None:
    """The silence that a feed's own rhythm doesn't explain any more; None when too little is known.

    Three days for a feed that never pauses for more than an hour, two weeks for a daily one (people
    go on holiday), five for a weekly one, and always twice the longest silence seen.
    """
    if pace is None or sum(pace.weekdays) < TELLING:
        return None
    longest = max(pace.longest, _HOUR if pace.days > ACQUAINTED else _DAY)
    return max(2 * longest, 14 * _DAY * sqrt(longest / _DAY))


def spoken(pace: Pace | None, now: datetime) -> str:
    """The rhythm in words."""
    if pace is None:
        return "not known yet"
    faded = pace.faded(now)
    if faded.days < 0.25:
        return "not known yet"
    daily = faded.entries / faded.days
    for each, unit in ((1, "day"), (7, "week"), (30, "month")):
        if daily * each >= 0.95:
            return f"about {daily * each:.0f} a {unit}"
    return "less than 1 a month"
