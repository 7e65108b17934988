"""Small things to store; every test changes only what it is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from watcher.model import (
    Alert,
    AlertKind,
    Article,
    DigestKind,
    Dispatch,
    Evidence,
    Match,
    Notification,
    Severity,
    Story,
)
from watcher.slots import Slot

NOW = datetime(2026, 5, 27, 6, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)


def article(article_id: str = "a1", **changes: Any) -> Article:
    made = Article(
        id=article_id,
        feed="alpha",
        url=f"https://alpha.example/{article_id}",
        title="Rocket readied on the eastern coast",
        text="The launch window opens on Monday.\n\nNeighbours were told.",
        first_seen=NOW,
        published=NOW - HOUR,
        updated=None,
        author="A. Writer",
        tags=("space", "coast"),
        publisher="Alpha Daily",
        family="alpha",
        lang="en",
    )
    return replace(made, **changes)


def match(rule: str = "launch", article_id: str = "a1") -> Match:
    evidence = Evidence(clause="launch*", field="body", start=4, end=10, text="launch")
    return Match(rule, article_id, 1.5, (evidence,))


def story(story_id: str = "s1", **changes: Any) -> Story:
    made = Story(
        story_id, "Rocket readied", NOW, NOW, articles=2, families=frozenset({"beta", "alpha"})
    )
    return replace(made, **changes)


def alert(alert_id: str = "t1", **changes: Any) -> Alert:
    made = Alert(
        id=alert_id,
        kind=AlertKind.FOLLOW_UP,
        rule="launch",
        story="s1",
        severity=Severity.HIGH,
        at=NOW,
        reason="new_words",
        articles=("a1", "a2"),
        tags=("space",),
        new=("second stage",),
    )
    return replace(made, **changes)


def dispatch(alert_id: str = "t1", receiver: str = "mail", **changes: Any) -> Dispatch:
    made = Dispatch(
        alert_id, receiver, NOW, Slot.parse("digest:0:2026-05-31T07:00"), "morning digest"
    )
    return replace(made, **changes)


def notification(key: str = "k1", **changes: Any) -> Notification:
    made = Notification(
        key=key,
        receiver="mail",
        kind=DigestKind.DIGEST,
        subject="2 stories",
        payload={"text": "北京 ❤", "parts": [1, None, {"a": True}]},
        created_at=NOW,
        due_at=NOW,
        alerts=("t1", "t2"),
    )
    return replace(made, **changes)
