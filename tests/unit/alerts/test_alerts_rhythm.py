"""Bursts and gaps, against the rule's own past."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from watcher.alerts.policy import Reason
from watcher.alerts.rhythm import decide_burst, decide_silence, usual_count
from watcher.model import AlertKind
from watcher.rules.compile import Rule, compile_rule
from watcher.rules.policy import AlertPolicy
from watcher.rules.schema import RuleSpec

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def rule(**policy: Any) -> Rule:
    made, _ = compile_rule(
        RuleSpec(id="r", when="rocket", alert=AlertPolicy.model_validate(policy)), {}
    )
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("policy", "last", "armed", "reason"),
    [
        ({}, NOW - 90 * DAY, True, Reason.HEARD),
        ({"nothing_heard_for": "3d"}, None, True, Reason.HEARD),
        ({"nothing_heard_for": "3d"}, NOW - 2 * DAY, True, Reason.HEARD),
        ({"nothing_heard_for": "3d"}, NOW - 3 * DAY, True, Reason.NOTHING_HEARD),
        ({"nothing_heard_for": "3d"}, NOW - 9 * DAY, False, Reason.SILENCE_TOLD),
        (
            {"nothing_heard_for": "3d", "active": {"until": "2026-05-29"}},
            NOW - 9 * DAY,
            True,
            Reason.NOT_ACTIVE,
        ),
        (
            {"nothing_heard_for": "3d", "active": {"from": "2026-05-29"}},
            NOW - 9 * DAY,
            True,
            Reason.HEARD,
        ),
    ],
)
def test_a_gap_has_a_named_reason(
    policy: dict[str, Any], last: datetime | None, armed: bool, reason: Reason
) -> None:
    found = decide_silence(rule(**policy), last, armed, NOW)

    assert found.reason is reason
    assert found.send is (reason is Reason.NOTHING_HEARD)


def test_a_gap_is_told_once_and_the_next_gap_again() -> None:
    watched, armed, last = rule(nothing_heard_for="1d"), True, NOW
    told = []
    for hour in range(24 * 6):
        now = NOW + hour * HOUR
        if hour == 72:
            last, armed = now, True
        if decide_silence(watched, last, armed, now).send:
            armed = False
            told.append(hour)

    assert told == [24, 96]


def every_day(count: int, days: int) -> list[datetime]:
    return [NOW - d * DAY - n * timedelta(minutes=5) for d in range(1, days + 1) for n in range(count)]  # fmt: skip


def now_also(count: int) -> list[datetime]:
    return [NOW - n * timedelta(minutes=1) for n in range(count)]


@pytest.mark.parametrize(
    ("past", "present", "reason"),
    [
        (every_day(2, 10), now_also(8), Reason.BURST),
        (every_day(2, 10), now_also(7), Reason.AS_USUAL),
        (every_day(2, 2), now_also(50), Reason.AS_USUAL),
        ([], now_also(50), Reason.AS_USUAL),
        ([NOW - 20 * DAY], now_also(3), Reason.BURST),
        ([NOW - 20 * DAY], now_also(2), Reason.AS_USUAL),
    ],
    ids=["four times", "less", "too young", "no past", "a quiet rule", "too few"],
)
def test_a_burst_is_measured_against_the_same_hour_of_other_days(
    past: list[datetime], present: list[datetime], reason: Reason
) -> None:
    found = decide_burst(rule(burst={"factor": 4, "over": "1h"}), sorted(past + present), None, NOW)

    assert found.reason is reason
    assert (found.kind is AlertKind.BURST) is found.send


def test_a_burst_is_told_once_in_its_span() -> None:
    watched, matches = (
        rule(burst={"factor": 4, "over": "1h"}),
        sorted(every_day(2, 10) + now_also(30)),
    )

    assert not decide_burst(watched, matches, NOW - HOUR / 2, NOW).send
    assert decide_burst(watched, matches, NOW - HOUR, NOW).send


def test_a_burst_says_its_figures() -> None:
    found = decide_burst(
        rule(burst={"factor": 4}), sorted(every_day(2, 10) + now_also(9)), None, NOW
    )

    assert found.detail == "9 matches in 60 minutes, usually 2.0"


def test_the_same_weekday_counts_twice() -> None:
    weekly = [NOW - 8 * DAY - 2 * HOUR, NOW - 7 * DAY, NOW - 7 * DAY]

    assert usual_count(weekly, HOUR, NOW) == pytest.approx(2 * 2 / 9)
