"""Every way a decision, a route or a slot can end, each driven through pipeline and store.

Whoever adds one has to say here how it comes about.
"""

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from top_world import NOW, World, article, rule

from watcher.alerts.policy import Reason
from watcher.alerts.rhythm import decide_rhythm
from watcher.alerts.routes import ReceiverClock, RouteMatch
from watcher.alerts.schedule import QuietHours
from watcher.alerts.silences import Silence
from watcher.alerts.trial import try_routes
from watcher.intake.outcomes import store_noticed, store_outcome
from watcher.model import AlertKind
from watcher.slots import WaitsFor

ALL = [{"receivers": ["desk"]}]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WIRE = "The rocket rose at dawn from a pad near the northern coast and flew south for minutes."


def world(**alert: Any) -> World:
    made = World([rule(when={"any": ["rocket", "로켓"]}, alert=alert)], ALL, desk=ReceiverClock())
    made.pipeline.begin(NOW)
    return made


def hear(
    made: World, n: int, after: timedelta, title: str = "Korea fires rocket", **more: Any
) -> None:
    made.turn_to(NOW + after)
    made.take(article(n, title, at=NOW + after, **more))


def notice(made: World, after: timedelta) -> None:
    made.turn_to(NOW + after)
    with made.store.begin() as tx:
        for noticed in made.pipeline.notice(made.clock.now()):
            store_noticed(tx, noticed)


def stored(made: World) -> set[Reason]:
    """Every decision the store has."""
    with made.store.read() as tx:
        alerts = [alert.id for alert in tx.alerts.since(NOW - DAY)]
        names = [*(one.id for one in tx.articles.between(NOW - DAY)), *alerts]
        verdicts = [verdict for name in names for verdict in tx.alerts.verdicts_of(name)]
    return {Reason(verdict["reason"]) for verdict in verdicts}


def considered(made: World) -> set[Reason]:
    """What the clock brings up and nobody is told, so that it is not stored."""
    (one,) = made.plan.rules
    heard = made.pipeline.memory.heard[one.id]
    return {decision.reason for decision in decide_rhythm(one, heard, made.clock.now())}


def two_reports(title: str, publisher: str = "", text: str = "", **alert: Any) -> set[Reason]:
    made = world(**alert)
    hear(made, 1, 0 * HOUR, publisher="One", text=text)
    hear(made, 2, HOUR, title, publisher=publisher or "Two", text=text)
    return stored(made)


def held_back(quiet: Reason) -> set[Reason]:
    made = world()
    one = article(1)
    with made.store.begin() as tx:
        tx.articles.add(one, one.id)
        store_outcome(tx, made.pipeline.process(one, NOW, quiet=quiet), NOW)
    return stored(made)


def a_revision() -> set[Reason]:
    made = world()
    hear(made, 1, 0 * HOUR)
    outcome = made.pipeline.process(article(1), NOW + HOUR, already=frozenset({"launch"}))
    return {verdict.decision.reason for verdict in outcome.verdicts}


def old_news() -> set[Reason]:
    made = world(max_age="1d")
    made.turn_to(NOW + 2 * DAY)
    made.take(article(1))
    return stored(made)


def a_foreign_report_later() -> set[Reason]:
    made = world()
    hear(made, 1, 0 * HOUR)
    made.turn_to(NOW + 150 * MINUTE)
    one = article(2, "북한 로켓 발사", at=NOW + 150 * MINUTE)
    made.take(type(one)(**{f: getattr(one, f) for f in one.__slots__} | {"lang": "ko"}))
    return stored(made)


def a_burst() -> World:
    made = world(burst={"factor": 3, "over": "1h"})
    for day in range(7):
        hear(made, day, day * DAY, f"Rocket number {day} seen over Place{day}")
    for n in range(20, 25):
        hear(made, n, 7 * DAY + n * MINUTE, f"Rocket number {n} seen over Place{n}")
    return made


def burst_told(again: bool) -> set[Reason]:
    made = a_burst()
    notice(made, 7 * DAY + 25 * MINUTE)
    return considered(made) if again else stored(made)


def an_ordinary_day() -> set[Reason]:
    made = world(burst={"factor": 3, "over": "1h"})
    hear(made, 1, 0 * HOUR)
    return considered(made)


def a_gap(after: timedelta, *, again: bool = False) -> set[Reason]:
    made = world(nothing_heard_for="3d")
    notice(made, after)
    if again:
        notice(made, after + DAY)
    return stored(made) | considered(made)


def heard_again() -> set[Reason]:
    made = world(nothing_heard_for="3d")
    notice(made, 3 * DAY)
    hear(made, 1, 4 * DAY)
    return stored(made)


def silenced() -> set[Reason]:
    made = world()
    body = {"id": "s1", "match": {"rules": ["launch"]}, "author": "Kim", "comment": "drill"}
    made.pipeline.silences = (
        Silence.model_validate(body | {"from": NOW - DAY, "until": NOW + DAY}),
    )
    hear(made, 1, 0 * HOUR)
    return stored(made)


def one_report(**alert: Any) -> set[Reason]:
    made = world(**alert)
    hear(made, 1, 0 * HOUR)
    return stored(made)


CASES: dict[Reason, Callable[[], set[Reason]]] = {
    Reason.NEW_STORY: one_report,
    Reason.NOVEL: lambda: two_reports("Korea rocket failed, army says"),
    Reason.ALL_FOLLOW_UPS: lambda: two_reports("Korea fires rocket", follow_ups="all"),
    Reason.CORROBORATED: lambda: two_reports("Rocket fired by Korea", min_publishers=2),
    Reason.WAITING_FOR_PUBLISHERS: lambda: one_report(min_publishers=2),
    Reason.FOLLOW_UPS_OFF: lambda: two_reports("Korea rocket failed", follow_ups="none"),
    Reason.WIRE_COPY: lambda: two_reports("Korea fires rocket", text=WIRE),
    Reason.NOT_NOVEL: lambda: two_reports("Korea fires rocket today"),
    Reason.TOO_OLD: old_news,
    Reason.AT_MOST_REACHED: lambda: two_reports("Toy rocket recalled", at_most="1 per day"),
    Reason.AFTER_LULL: a_foreign_report_later,
    Reason.NOT_ACTIVE: lambda: one_report(active={"from": "2027-01-01"}),
    Reason.BURST: lambda: burst_told(again=False),
    Reason.BURST_TOLD: lambda: burst_told(again=True),
    Reason.AS_USUAL: an_ordinary_day,
    Reason.NOTHING_HEARD: lambda: a_gap(3 * DAY),
    Reason.SILENCE_TOLD: lambda: a_gap(3 * DAY, again=True),
    Reason.SILENCE_BROKEN: heard_again,
    Reason.HEARD: lambda: a_gap(2 * DAY),
    Reason.BASELINE: lambda: held_back(Reason.BASELINE),
    Reason.QUARANTINED: lambda: held_back(Reason.QUARANTINED),
    Reason.REVISION: a_revision,
    Reason.SILENCED: silenced,
}


def test_no_reason_is_without_a_case() -> None:
    assert set(CASES) == set(Reason)


@pytest.mark.parametrize("reason", CASES)
def test_a_reason_comes_about(reason: Reason) -> None:
    assert reason in CASES[reason]()


def test_no_kind_of_alert_is_without_a_case() -> None:
    """Kinds and reasons of the same name go together; a follow-up has several reasons."""
    told = {reason.value for reason in CASES} | {"follow_up"}

    assert {kind.value for kind in AlertKind} <= told


# ── routes ──

MISSES: dict[str, Any] = {
    "rules": "other",
    "tags": "sport",
    "severity": "low",
    "min_severity": "critical",
    "kinds": "burst",
    "stories": "s-other",
    "languages": "ko",
    "publishers": "somebody",
}


def test_no_condition_of_a_route_is_without_a_case() -> None:
    assert set(RouteMatch.model_fields) <= set(MISSES)


@pytest.mark.parametrize("key", RouteMatch.model_fields)
def test_a_route_says_which_condition_did_not_hold(key: str) -> None:
    made = World(
        [rule()], [{"receivers": ["desk"], "match": {key: MISSES[key]}}], desk=ReceiverClock()
    )
    made.take(article(1))
    with made.store.read() as tx:
        (alert,) = tx.alerts.since(NOW)
        ways = tx.alerts.dispatches_of(alert.id)
    trial = try_routes(
        made.plan.routes, alert, languages=["en"], publishers=["sample 1"],
        receivers=made.plan.receivers, now=NOW,
    )  # fmt: skip

    assert ways == []
    assert [step.missed for step in trial.steps] == [key]


def slot(send: Any, **clock: Any) -> WaitsFor:
    escalate = [{"after": "30m", "receivers": ["chief"]}]
    made = World(
        [rule()],
        [{"receivers": ["desk"], "send": send, "escalate": escalate}],
        desk=ReceiverClock(**clock),
        chief=ReceiverClock(),
    )
    made.take(article(1))
    name = "chief" if send == "immediate" and clock.get("zone") == "Asia/Tokyo" else "desk"
    with made.store.read() as tx:
        (found,) = (one for one in tx.alerts.waiting() if one.receiver == name)
    return found.slot.waits_for


WAYS: dict[WaitsFor, Callable[[], WaitsFor]] = {
    WaitsFor.NOTHING: lambda: slot("immediate"),
    WaitsFor.QUIET_END: lambda: slot("immediate", quiet_hours=QuietHours(time(11), time(13))),
    WaitsFor.DIGEST: lambda: slot({"digest": "0 7 * * *"}),
    WaitsFor.ANSWER: lambda: slot("immediate", zone="Asia/Tokyo"),
}


def test_nothing_to_wait_for_is_without_a_case() -> None:
    assert set(WAYS) == set(WaitsFor)


@pytest.mark.parametrize("way", WAYS)
def test_a_dispatch_waits_for_it(way: WaitsFor) -> None:
    assert WAYS[way]() is way
