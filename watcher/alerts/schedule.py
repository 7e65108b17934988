"""Local time for people: digest slots by cron and quiet hours, right through clock changes. Pure.

A slot is a local minute. When the clocks skip it, it falls on the first minute
after the gap; when they repeat it, the first of the two counts. So every local
day has exactly one 07:00 digest, whatever its zone does. Quiet hours that the
clocks repeat are quiet both times.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

_HORIZON = timedelta(days=366 * 5)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From and until, local times; over midnight when until is not later."""

    start: time
    end: time


def check_cron(cron: str) -> None:
    """Raise ValueError unless this is a five-field cron expression."""
    _trigger(cron)


@lru_cache(maxsize=1000)
def _trigger(cron: str) -> Any:
    # Run in UTC over naive local time: the trigger counts, we place the result in the zone.
    return CronTrigger.from_crontab(cron, timezone=UTC)


def next_slot(cron: str, zone: str, after: datetime) -> datetime:
    """The first slot strictly later than `after`, in UTC. Raises ValueError if there is none."""
    since, known = _last_found.get((cron, zone), (after, after))
    if since <= after < known:
        return known
    slot = _next_slot(cron, zone, after)
    _last_found[cron, zone] = (after, slot)
    return slot


#: Of each schedule the slot asked for last, and since when it is the next: alerts come in order of time.
_last_found: dict[tuple[str, str], tuple[datetime, datetime]] = {}


def _next_slot(cron: str, zone: str, after: datetime) -> datetime:
    place = ZoneInfo(zone)
    # Start a day early: near a clock change local time runs backwards.
    local = after.astimezone(place).replace(tzinfo=UTC) - timedelta(days=1)
    for wall in _walls(cron, local):
        moment = to_utc(wall, place)
        if moment > after:
            return moment
    raise ValueError(f"{cron!r} never comes in {zone}: check day and month")


def _walls(cron: str, start: datetime) -> Iterator[datetime]:
    trigger = _trigger(cron)
    wall, end = start, start + _HORIZON
    while (found := trigger.get_next_fire_time(None, wall)) is not None and found < end:
        yield found.replace(tzinfo=None)
        wall = found + timedelta(seconds=1)


def to_utc(wall: datetime, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """A local minute in UTC: the first of two, or the `last`, or the end of the gap it falls into."""
    moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return wall.replace(tzinfo=zone, fold=1).astimezone(UTC) if last else moment
    # In a gap fold=0 uses the offset before it, which lands as far after the gap as
    # the wall time lies inside it; go back to the gap's end.
    before = wall.replace(tzinfo=zone, fold=0).utcoffset() or timedelta(0)
    after = wall.replace(tzinfo=zone, fold=1).utcoffset() or timedelta(0)
    width = after - before if after > before else before - after
    inside = moment
    for step in range(int(width.total_seconds() // 60) + 1):
        earlier = moment - timedelta(minutes=step)
        if earlier.astimezone(zone).utcoffset() != inside.astimezone(zone).utcoffset():
            break
        inside = earlier
    return inside


def quiet_until(quiet: QuietHours | None, zone: str, now: datetime) -> datetime | None:
    """When the quiet hours that hold now end, in UTC; None outside them."""
    if quiet is None or quiet.start == quiet.end:
        return None
    place = ZoneInfo(zone)
    today = now.astimezone(place).date()
    for day in (today - timedelta(days=1), today):
        start, end = span_of_day(quiet, day, place)
        if start <= now < end:
            return end
    return None


def span_of_day(quiet: QuietHours, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From and until in UTC of the hours that begin on that local day."""
    last = day if quiet.end > quiet.start else day + timedelta(days=1)
    start = to_utc(datetime.combine(day, quiet.start), zone)
    return start, _end_of(datetime.combine(last, quiet.end), zone)


def _end_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """When the clock no longer shows the minute before, and will not show it again."""
    before = wall - timedelta(minutes=1)
    first, again = to_utc(before, zone), to_utc(before, zone, last=True)
    return again + timedelta(minutes=1) if again > first else to_utc(wall, zone)


def slot_name(moment: datetime, zone: str) -> str:
    """The local minute of a slot, which names it for ever: `2026-05-30T07:00`."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")
