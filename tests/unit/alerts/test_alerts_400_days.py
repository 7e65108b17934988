"""Four hundred days in awkward zones: digests, company, quiet hours and clock changes together.

The expected times are found by looking at a clock of the zone every quarter of an hour; nothing of
the schedule's own arithmetic is used.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from watcher.alerts.routes import ReceiverClock, RouteSettings
from watcher.alerts.schedule import QuietHours
from watcher.model import Article
from watcher.pipeline import Pipeline, Plan
from watcher.replay import Replay
from watcher.rules.compile import compile_rule
from watcher.rules.policy import AlertPolicy
from watcher.rules.schema import RuleSpec

ZONES = (
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "America/Santiago",
    "Africa/Cairo",
    "UTC",
    "America/New_York",
)
START = datetime(2026, 1, 10, tzinfo=UTC)
DAYS = 400
QUARTER = timedelta(minutes=15)
WORDS = ("anvil", "birch", "cobalt", "ember", "falcon", "garnet", "iris", "kestrel", "marble")


@dataclass(frozen=True)
class Case:
    """A daily digest, and what its receiver asks for besides."""

    minute: time
    quiet: tuple[time, time] | None = None
    min_items: int = 1
    max_wait: timedelta = timedelta(days=7)

    @property
    def send(self) -> dict[str, Any]:
        return {
            "digest": f"{self.minute.minute} {self.minute.hour} * * *",
            "min_items": self.min_items,
            "max_wait": self.max_wait,
        }


CASES = {
    "plain": Case(time(7)),
    "company": Case(time(7), min_items=3, max_wait=timedelta(days=3)),
    "after the night": Case(time(5), (time(22), time(7, 30)), 2, timedelta(days=2)),
    "in a gap": Case(time(2, 15), (time(1, 30), time(2, 45)), 2, timedelta(days=4)),
    "midnight": Case(time(0), (time(23), time(0, 30)), 2, timedelta(days=3)),
}


# ── what should be ──


@lru_cache
def clock(zone: str) -> dict[datetime, datetime]:
    """What the zone's clock shows, without a zone, every quarter of an hour."""
    place = ZoneInfo(zone)
    moments = (START + n * QUARTER for n in range(-96, (DAYS + 12) * 96))
    return {moment: moment.astimezone(place).replace(tzinfo=None) for moment in moments}


def slots(zone: str, minute: time) -> list[datetime]:
    """The first moment of each local day at which the clock shows the minute, or a later one."""
    found: dict[date, datetime] = {}
    for moment, shown in clock(zone).items():
        if shown.time() >= minute:
            found.setdefault(shown.date(), moment)
    return sorted(found.values())[1:]


def is_quiet(shown: datetime, quiet: tuple[time, time] | None) -> bool:
    if quiet is None:
        return False
    start, end = quiet
    late, early = shown.time() >= start, shown.time() < end
    return (late or early) if start > end else (late and early)


def release(zone: str, at: datetime, quiet: tuple[time, time] | None) -> datetime:
    """When the night that holds then is over; a clock put back may bring it again within two hours."""
    shown, free = clock(zone), at
    if not is_quiet(shown[at], quiet):
        return at
    while any(is_quiet(shown[free + n * QUARTER], quiet) for n in range(9)):
        free += QUARTER
    return free


def expected(zone: str, case: Case, raised: list[datetime]) -> list[tuple[datetime, int]]:
    """When a message comes, and with how many alerts."""
    times = slots(zone, case.minute)
    waiting: list[datetime] = []
    left, told = sorted(raised), []
    for slot, following in pairwise(times):
        while left and left[0] < slot:
            waiting.append(left.pop(0))
        due = release(zone, slot, case.quiet)
        if not waiting:
            continue
        too_long = release(zone, following, case.quiet) - waiting[0] > case.max_wait
        if len(waiting) >= case.min_items or too_long:
            told.append((due, len(waiting)))
            waiting = []
    return told


# ── what is ──


def articles(zone: str) -> list[Article]:
    """Some days none, some days six, at any minute."""
    rng, made = Random(zone), []
    for day in range(DAYS):
        for _ in range(rng.choice((0, 0, 1, 1, 1, 2, 6))):
            at = START + timedelta(days=day, minutes=rng.randrange(1440))
            made.append((at, " ".join(rng.sample(WORDS, 4))))
    made.sort()
    return [
        Article(f"a{n}", "f", "", f"Rocket {title} {n}", "", at, family=f"p{n}")
        for n, (at, title) in enumerate(made)
    ]


def replayed(send: Any, clocks: ReceiverClock, news: list[Article]) -> list[dict[str, Any]]:
    policy = AlertPolicy.model_validate({"follow_ups": "all"})
    rule, _ = compile_rule(RuleSpec(id="launch", when="rocket", alert=policy), {})
    assert rule is not None
    route = RouteSettings.model_validate({"receivers": ["desk"], "send": send})
    run = Replay(Pipeline(Plan((rule,), (route,), {"desk": clocks})))
    return [record for record in run.run(news) if record["type"] == "notification"]


def clock_of(zone: str, quiet: tuple[time, time] | None) -> ReceiverClock:
    return ReceiverClock(zone, QuietHours(*quiet) if quiet else None)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("name", CASES)
def test_one_digest_a_local_day_where_due_and_nothing_lost_or_twice(zone: str, name: str) -> None:
    case, news = CASES[name], articles(zone)
    told = replayed(case.send, clock_of(zone, case.quiet), news)

    times = [datetime.fromisoformat(message["at"]) for message in told]
    ids = Counter(alert for message in told for alert in message["alerts"])
    days = Counter(clock(zone)[at].date() for at in times)
    assert [(at, len(m["alerts"])) for at, m in zip(times, told, strict=True)] == expected(
        zone, case, [one.at for one in news]
    )
    assert (len(ids), set(ids.values())) == (len(news), {1})
    assert set(days.values()) == {1}
    assert not any(is_quiet(clock(zone)[at], case.quiet) for at in times)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("quiet", [(time(22), time(7)), (time(1, 15), time(2, 30))])
def test_alerts_wait_for_the_end_of_the_night_and_all_come(
    zone: str, quiet: tuple[time, time]
) -> None:
    news = articles(zone)
    told = replayed("immediate", clock_of(zone, quiet), news)

    ids = Counter(alert for message in told for alert in message["alerts"])
    place = ZoneInfo(zone)
    shown = [datetime.fromisoformat(message["at"]).astimezone(place) for message in told]
    assert (len(ids), set(ids.values())) == (len(news), {1})
    assert not any(is_quiet(at.replace(tzinfo=None), quiet) for at in shown)
    assert any(message["reason"].startswith("held") for message in told)
