"""Every way a decision can end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from watcher.alerts.policy import WORDS, Decision, Reason, Told, decide_alert
from watcher.model import AlertKind, Article, Role, Severity, Story
from watcher.rules.compile import Rule, compile_rule
from watcher.rules.policy import AlertPolicy
from watcher.rules.schema import RuleSpec
from watcher.stories.grouping import SAME_TOPIC, Assignment

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
FIRST = Article(
    "a1", "f", "", "North Korea fires rocket", "It flew south.", NOW, family="one", lang="en"
)
NOTHING = Told()
TOLD = Told().after_match(FIRST, Role.FIRST, NOW).after_alert(NOW)


def rule(**policy: Any) -> Rule:
    made, _ = compile_rule(
        RuleSpec(id="r", when="rocket", severity="high", alert=AlertPolicy.model_validate(policy)),
        {},
    )
    assert made is not None
    return made


def decide(policy: dict[str, Any], *, title: str = "North Korea fires rocket", told: Told = NOTHING, role: Role = Role.REPORT,
           recent: tuple[datetime, ...] = (), family: str = "two", published: datetime = NOW) -> Decision:  # fmt: skip
    article = replace(FIRST, id="a2", title=title, family=family, published=published)
    story = Story("s1", title, NOW, NOW)
    return decide_alert(
        rule=rule(**policy),
        article=article,
        assignment=Assignment(story, role, False, 1.0, ""),
        told=told,
        recent=recent,
        now=NOW,
    )


CASES: list[tuple[str, dict[str, Any], dict[str, Any], Reason, bool]] = [
    ("first report", {}, {}, Reason.NEW_STORY, True),
    ("nothing new", {}, {"told": TOLD}, Reason.NOT_NOVEL, False),
    ("something new", {}, {"told": TOLD, "title": "Rocket failed"}, Reason.NOVEL, True),
    ("copy", {}, {"told": TOLD, "title": "Rocket failed", "role": Role.COPY}, Reason.WIRE_COPY, False),
    ("no follow-ups", {"follow_ups": "none"}, {"told": TOLD, "title": "Rocket failed"}, Reason.FOLLOW_UPS_OFF, False),
    ("all follow-ups", {"follow_ups": "all"}, {"told": TOLD}, Reason.ALL_FOLLOW_UPS, True),
    ("too old", {"max_age": "1d"}, {"published": NOW - timedelta(days=2)}, Reason.TOO_OLD, False),
    ("young enough", {"max_age": "1d"}, {"published": NOW - timedelta(hours=2)}, Reason.NEW_STORY, True),
    ("rate used up", {"at_most": "2 per day"}, {"recent": (NOW - timedelta(hours=1),) * 2}, Reason.AT_MOST_REACHED, False),
    ("rate free again", {"at_most": "2 per day"}, {"recent": (NOW - timedelta(hours=30),) * 2}, Reason.NEW_STORY, True),
    ("one publisher of two", {"min_publishers": 2}, {}, Reason.WAITING_FOR_PUBLISHERS, False),
    ("two publishers", {"min_publishers": 2}, {"told": Told().after_match(FIRST, Role.FIRST, NOW)}, Reason.CORROBORATED, True),
    ("same family twice", {"min_publishers": 2}, {"told": Told().after_match(FIRST, Role.FIRST, NOW), "family": "one"}, Reason.WAITING_FOR_PUBLISHERS, False),
    ("copy corroborates nothing", {"min_publishers": 2}, {"told": Told().after_match(FIRST, Role.FIRST, NOW), "role": Role.COPY}, Reason.WAITING_FOR_PUBLISHERS, False),
    ("before it is active", {"active": {"from": "2026-05-31"}}, {}, Reason.NOT_ACTIVE, False),
    ("after it was active", {"active": {"until": "2026-05-29"}}, {}, Reason.NOT_ACTIVE, False),
    ("on its last day", {"active": {"from": "2026-05-01", "until": "2026-05-30"}}, {}, Reason.NEW_STORY, True),
    ("ended an hour ago elsewhere", {"active": {"until": "2026-05-30T20:00+09:00"}}, {}, Reason.NOT_ACTIVE, False),
    ("two of three within the time", {"min_publishers": "2 within 6h"}, {"told": Told().after_match(FIRST, Role.FIRST, NOW - timedelta(hours=9)).after_match(replace(FIRST, id="a3", family="three"), Role.REPORT, NOW - timedelta(hours=5))}, Reason.CORROBORATED, True),
    ("the first again in time", {"min_publishers": "2 within 6h"}, {"told": Told().after_match(FIRST, Role.FIRST, NOW - timedelta(hours=9)).after_match(FIRST, Role.REPORT, NOW - timedelta(hours=5))}, Reason.CORROBORATED, True),
    ("too late", {"min_publishers": "2 within 6h"}, {"told": Told().after_match(FIRST, Role.FIRST, NOW - timedelta(hours=7))}, Reason.WAITING_FOR_PUBLISHERS, False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "policy", "facts", "reason", "send"), CASES, ids=[case[0] for case in CASES]
)
def test_a_decision_has_a_named_reason(
    name: str, policy: dict[str, Any], facts: dict[str, Any], reason: Reason, send: bool
) -> None:
    found = decide(policy, **facts)

    assert (found.reason, found.send) == (reason, send)
    assert (found.kind is not None) is send
    assert found.severity is Severity.HIGH


def test_kinds_follow_the_reason() -> None:
    assert decide({}).kind is AlertKind.NEW_STORY
    assert decide({}, told=TOLD, title="Rocket failed").kind is AlertKind.FOLLOW_UP
    assert (
        decide({"min_publishers": 2}, told=Told().after_match(FIRST, Role.FIRST, NOW)).kind
        is AlertKind.CORROBORATED
    )


def test_a_follow_up_says_what_is_new() -> None:
    assert decide({}, told=TOLD, title="Rocket failed").new == ("a failure",)


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(Reason)


@pytest.mark.parametrize("text", ["many per day", "6", "0 per day", "6 per fortnight", "6 per 32d"])
def test_a_rate_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"per day|greater|duration|31d"):
        AlertPolicy.model_validate({"at_most": text})


RAISES: list[tuple[str, dict[str, Any], dict[str, Any], Severity]] = [
    ("a word", {"to": "critical", "words": "fires"}, {}, Severity.CRITICAL),
    ("a phrase", {"to": "critical", "words": ["no such", "North Korea"]}, {}, Severity.CRITICAL),
    ("half a word", {"to": "critical", "words": "rock"}, {}, Severity.HIGH),
    ("no word", {"to": "critical", "words": "failure"}, {}, Severity.HIGH),
    ("never down", {"to": "low", "words": "rocket"}, {}, Severity.HIGH),
    ("two publishers", {"to": "critical", "publishers": 2}, {"told": Told().after_match(FIRST, Role.FIRST, NOW)}, Severity.CRITICAL),
    ("one publisher", {"to": "critical", "publishers": 2}, {}, Severity.HIGH),
    ("a copy is no publisher", {"to": "critical", "publishers": 2}, {"told": Told().after_match(FIRST, Role.FIRST, NOW), "role": Role.COPY}, Severity.HIGH),
    ("a kind", {"to": "critical", "kinds": "new_story"}, {}, Severity.CRITICAL),
    ("another kind", {"to": "critical", "kinds": "follow_up"}, {}, Severity.HIGH),
    ("one of two conditions", {"to": "critical", "kinds": "new_story", "words": "failure"}, {}, Severity.HIGH),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "step", "facts", "severity"), RAISES, ids=[case[0] for case in RAISES]
)
def test_severity_rises_when_its_conditions_hold(
    name: str, step: dict[str, Any], facts: dict[str, Any], severity: Severity
) -> None:
    found = decide({"severity": [step]}, **facts)

    assert found.send
    assert found.severity is severity


def test_the_highest_step_that_holds_wins() -> None:
    steps = [{"to": "critical", "words": "rocket"}, {"to": "normal", "words": "rocket"}]

    assert decide({"severity": steps}).severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"severity": [{"to": "high"}]}, "no condition"),
        ({"active": {"from": "2026-06-01", "until": "2026-05-01"}}, "until is not after from"),
        ({"active": {"from": "tomorrow"}}, "is not a date"),
        ({"burst": {"factor": 1}}, "greater than 1"),
        ({"burst": {"factor": 2, "over": "9d"}}, "from 5m to 1d"),
        ({"nothing_heard_for": "0s"}, "a minute is the least"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(policy: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        AlertPolicy.model_validate(policy)


@pytest.mark.parametrize(
    ("pause", "reason"), [(1, Reason.NOT_NOVEL), (2, Reason.AFTER_LULL)], ids=["soon", "later"]
)
def test_a_foreign_report_after_hours_of_quiet_is_told_rather_than_lost(
    pause: int, reason: Reason
) -> None:
    earlier = NOW - timedelta(hours=pause)
    told = Told().after_match(replace(FIRST, first_seen=earlier), Role.FIRST, earlier)

    found = decide_alert(
        rule=rule(),
        article=replace(FIRST, id="a2", title="북한 위성 발사", text="", lang="ko"),
        assignment=Assignment(Story("s1", "", NOW, NOW), Role.REPORT, False, 0.0, SAME_TOPIC),
        told=told.after_alert(earlier),
        recent=(),
        now=NOW,
    )

    assert found.reason is reason
