"""Who gets an alert, and when."""

from datetime import UTC, datetime, time
from typing import Any

import pytest
from pydantic import ValidationError

from watcher.alerts.dispatches import plan_dispatches
from watcher.alerts.routes import ReceiverClock, RouteSettings, find_targets
from watcher.alerts.schedule import QuietHours
from watcher.model import Alert, AlertKind, Dispatch, Severity
from watcher.slots import AT_ONCE, WaitsFor

NOW = datetime(2026, 5, 30, 14, tzinfo=UTC)
ALERT = Alert(
    "t1", AlertKind.NEW_STORY, "launch", "s1", Severity.HIGH, NOW, "new", ("a1",), ("dprk", "space")
)


def routes(*raw: dict[str, Any]) -> list[RouteSettings]:
    return [RouteSettings.model_validate(one) for one in raw]


def names(tree: list[RouteSettings], **facts: Any) -> list[str]:
    return [target.receiver for target in find_targets(tree, ALERT, **facts)]


MATCHES: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"rules": "launch"}, True),
    ({"rules": ["trip"]}, False),
    ({"tags": ["space", "sport"]}, True),
    ({"tags": ["sport"]}, False),
    ({"severity": ["high", "critical"]}, True),
    ({"severity": "low"}, False),
    ({"min_severity": "normal"}, True),
    ({"min_severity": "critical"}, False),
    ({"kinds": "new_story"}, True),
    ({"kinds": ["follow_up"]}, False),
    ({"languages": ["ko"]}, True),
    ({"languages": ["en"]}, False),
    ({"publishers": ["sample-wire"]}, True),
    ({"rules": "launch", "tags": "sport"}, False),
]


@pytest.mark.parametrize(("wanted", "expected"), [("en", True), ("EN-gb", True), ("en-US", False)])
def test_a_language_is_meant_wherever_it_is_spoken(wanted: str, expected: bool) -> None:
    tree = routes({"match": {"languages": wanted}, "receivers": ["desk"]})

    assert bool(names(tree, languages=["en-gb"], publishers=[])) is expected


def test_a_language_that_nobody_speaks_is_refused() -> None:
    with pytest.raises(ValidationError, match="did you mean ko"):
        routes({"match": {"languages": "kr"}, "receivers": ["desk"]})


@pytest.mark.parametrize(("match", "expected"), MATCHES)
def test_all_that_is_given_must_hold(match: dict[str, Any], expected: bool) -> None:
    tree = routes({"match": match, "receivers": ["desk"]})

    assert bool(names(tree, languages=["ko"], publishers=["sample-wire"])) is expected


def test_the_first_match_wins_unless_it_continues() -> None:
    stop = routes({"receivers": ["a"]}, {"receivers": ["b"]})
    on = routes({"receivers": ["a"], "continue": True}, {"receivers": ["b"]})

    assert names(stop) == ["a"]
    assert names(on) == ["a", "b"]


def test_children_inherit_and_replace_their_parent() -> None:
    tree = routes(
        {
            "receivers": ["desk"],
            "send": {"digest": "0 7 * * *"},
            "routes": [
                {"match": {"rules": "trip"}, "receivers": ["other"]},
                {"match": {"tags": "space"}, "send": "immediate"},
            ],
        }
    )

    targets = find_targets(tree, ALERT)

    assert [(t.receiver, t.send, t.place) for t in targets] == [("desk", "immediate", "0.1")]


def test_a_receiver_named_twice_gets_one_copy_by_the_first_route() -> None:
    tree = routes(
        {"receivers": ["desk"], "continue": True},
        {"receivers": ["desk"], "send": {"digest": "0 7 * * *"}},
    )

    assert [t.send for t in find_targets(tree, ALERT)] == ["immediate"]


def planned(send: Any, clock: ReceiverClock) -> list[Dispatch]:
    tree = routes({"receivers": ["desk", "gone"], "send": send})
    return plan_dispatches(
        ALERT, languages=(), publishers=(), routes=tree, receivers={"desk": clock}, now=NOW
    )


def test_immediate_goes_at_once() -> None:
    assert planned("immediate", ReceiverClock()) == [
        Dispatch("t1", "desk", NOW, AT_ONCE, "immediate")
    ]


def test_quiet_hours_hold_an_alert_until_they_end() -> None:
    clock = ReceiverClock("Asia/Seoul", QuietHours(time(22), time(7)))

    (held,) = planned("immediate", clock)

    assert held.send_at == datetime(2026, 5, 30, 22, tzinfo=UTC)
    assert str(held.slot) == "held:2026-05-31T07:00"


def test_a_digest_waits_for_its_slot_in_the_receivers_zone() -> None:
    (waiting,) = planned({"digest": "0 7 * * *"}, ReceiverClock("Asia/Seoul"))

    assert waiting.send_at == datetime(2026, 5, 30, 22, tzinfo=UTC)
    assert waiting.slot.waits_for is WaitsFor.DIGEST
    assert waiting.slot.minute == "2026-05-31T07:00"


def test_a_disabled_receiver_gets_nothing() -> None:
    assert planned("immediate", ReceiverClock(enabled=False)) == []


@pytest.mark.parametrize(
    "send", [{"digest": "7 o'clock"}, {"digest": "0 7 * * *", "zone": "Mars/Base"}, "later"]
)
def test_a_wrong_schedule_is_refused(send: Any) -> None:
    with pytest.raises(ValidationError):
        routes({"receivers": ["desk"], "send": send})
