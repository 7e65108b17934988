"""The way of one alert through the tree, step by step."""

from datetime import UTC, datetime, time
from typing import Any

from watcher.alerts.dispatches import plan_dispatches
from watcher.alerts.routes import ReceiverClock, RouteSettings
from watcher.alerts.schedule import QuietHours
from watcher.alerts.trial import RouteTrial, try_routes
from watcher.model import Alert, AlertKind, Severity

NOW = datetime(2026, 5, 30, 14, tzinfo=UTC)
ALERT = Alert("t1", AlertKind.NEW_STORY, "launch", "s1", Severity.HIGH, NOW, "new", ("a1",))
RECEIVERS = {
    "desk": ReceiverClock(),
    "night": ReceiverClock("UTC", QuietHours(time(13), time(15))),
    "off": ReceiverClock(enabled=False),
}
TREE: list[dict[str, Any]] = [
    {"match": {"rules": "trip"}, "receivers": "desk"},
    {
        "match": {"min_severity": "high"},
        "receivers": ["desk", "off"],
        "continue": True,
        "routes": [{"match": {"languages": "ko"}, "receivers": "night"}],
    },
    {"receivers": "night"},
    {"receivers": "desk"},
]


def trial(**facts: Any) -> RouteTrial:
    tree = [RouteSettings.model_validate(one) for one in TREE]
    return try_routes(tree, ALERT, receivers=RECEIVERS, now=NOW, **facts)


def test_every_node_that_was_looked_at_says_what_it_missed() -> None:
    steps = [(step.path, step.missed) for step in trial().steps]

    assert steps == [("0", "rules"), ("1", ""), ("1.0", "languages"), ("2", "")]


def test_it_plans_what_the_daemon_would_send() -> None:
    tree = [RouteSettings.model_validate(one) for one in TREE]

    planned = plan_dispatches(
        ALERT, languages=(), publishers=(), routes=tree, receivers=RECEIVERS, now=NOW
    )

    assert list(trial().dispatches) == planned
    assert [d.reason for d in planned] == ["immediate", "held during quiet hours until 15:00"]


def test_receivers_that_are_off_or_unknown_are_named() -> None:
    assert trial().unreachable == ("off",)


def test_facts_of_the_article_choose_the_branch() -> None:
    assert [d.receiver for d in trial(languages=["ko"]).dispatches] == ["night"]
