"""Bursts and silences of rules: told once, by the clock, through restarts and in a replay."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from top_world import NOW, World, article, rule

from watcher.alerts.policy import Reason
from watcher.alerts.routes import ReceiverClock
from watcher.alerts.silences import Silence
from watcher.intake.outcomes import store_noticed
from watcher.model import Alert, AlertKind, Article
from watcher.pipeline import Pipeline, Plan
from watcher.replay import Replay
from watcher.restore import restore_memory

ALL = [{"receivers": ["desk"]}]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
QUIET = {"nothing_heard_for": "3d"}
LOUD = {"burst": {"factor": 3, "over": "1h"}}


def world(**alert: object) -> World:
    made = World([rule(alert=alert)], ALL, desk=ReceiverClock())
    made.pipeline.begin(NOW)
    return made


def notice(made: World, at: datetime) -> list[Alert]:
    """What the daemon does once a minute."""
    made.turn_to(at)
    with made.store.begin() as tx:
        found = made.pipeline.notice(at)
        for noticed in found:
            store_noticed(tx, noticed)
    return [noticed.alert for noticed in found]


def hear(made: World, n: int, at: datetime, title: str = "") -> None:
    made.turn_to(at)
    made.take(article(n, title or f"Rocket number {n} seen over Place{n}", at=at))


def test_a_silence_is_told_once_and_again_only_after_a_match() -> None:
    made = world(**QUIET)

    early = notice(made, NOW + 3 * DAY - HOUR)
    told = notice(made, NOW + 3 * DAY)
    again = notice(made, NOW + 9 * DAY)
    hear(made, 1, NOW + 10 * DAY)
    second = notice(made, NOW + 13 * DAY)

    assert [len(found) for found in (early, told, again, second)] == [0, 1, 0, 1]
    assert (told[0].kind, told[0].story, told[0].rule) == (AlertKind.NOTHING_HEARD, None, "launch")
    assert told[0].new == ("nothing since 2026-05-30 12:00 UTC",)


def test_a_silence_reaches_the_reader_under_the_rules_name() -> None:
    made = world(**QUIET)
    notice(made, NOW + 3 * DAY)

    made.compose()

    (digest,) = made.receivers["desk"].digests
    (view,) = digest.stories
    assert (view.rule_title, view.title) == ("Launch", "nothing since 2026-05-30 12:00 UTC")
    assert view.reason == "nothing matched for as long as the rule allows"


def test_a_restart_neither_forgets_a_silence_nor_tells_it_twice() -> None:
    made = world(**QUIET)
    with made.store.begin() as tx:
        restore_memory(made.pipeline, tx, NOW)
    hear(made, 1, NOW + HOUR)
    with made.store.begin() as tx:
        restore_memory(made.pipeline, tx, NOW + 2 * DAY)

    told = notice(made, NOW + 4 * DAY)
    with made.store.begin() as tx:
        restore_memory(made.pipeline, tx, NOW + 5 * DAY)
    again = notice(made, NOW + 6 * DAY)

    assert [alert.new for alert in told] == [("nothing since 2026-05-30 13:00 UTC",)]
    assert again == []


def test_a_rule_that_never_matched_waits_from_when_it_was_first_seen() -> None:
    made = world(**QUIET)
    with made.store.begin() as tx:
        restore_memory(made.pipeline, tx, NOW)
    with made.store.begin() as tx:
        restore_memory(made.pipeline, tx, NOW + 2 * DAY)

    assert notice(made, NOW + 3 * DAY - HOUR) == []
    assert len(notice(made, NOW + 3 * DAY)) == 1


def test_the_same_silence_decided_twice_is_one_alert() -> None:
    first, second = world(**QUIET), world(**QUIET)

    one = notice(first, NOW + 3 * DAY)
    other = notice(second, NOW + 3 * DAY + HOUR)

    assert one[0].id == other[0].id


def test_the_first_report_after_a_silence_that_was_told_says_so_once() -> None:
    made = world(**QUIET)
    hear(made, 1, NOW + HOUR)
    notice(made, NOW + 4 * DAY)
    hear(made, 2, NOW + 5 * DAY)
    hear(made, 3, NOW + 5 * DAY + HOUR, "Toy rocket recalled by maker")
    made.compose()

    with made.store.read() as tx:
        kinds = [alert.kind.value for alert in tx.alerts.since(NOW)]
        (verdict,) = tx.alerts.verdicts_of("a2")
    titles = [digest.title for digest in made.receivers["desk"].digests]
    assert kinds == ["new_story", "nothing_heard", "silence_broken", "new_story"]
    assert verdict["detail"] == "nothing since 2026-05-30 13:00 UTC"
    assert titles[2] == "Heard again: Rocket number 2 seen over Place2"


@pytest.mark.parametrize("kind", ["burst", "nothing_heard"])
def test_the_severity_of_what_a_rule_tells_of_itself_can_be_raised(kind: str) -> None:
    made = world(**QUIET, **LOUD, severity=[{"to": "critical", "kinds": [kind]}])
    a_week_of_one_a_day(made)
    for n in range(20, 25):
        hear(made, n, NOW + 7 * DAY + n * MINUTE)

    told = [*notice(made, NOW + 7 * DAY + 25 * MINUTE), *notice(made, NOW + 14 * DAY)]

    assert {alert.kind.value: alert.severity.value for alert in told} == {
        "burst": "normal",
        "nothing_heard": "normal",
    } | {kind: "critical"}


def a_week_of_one_a_day(made: World) -> None:
    for day in range(7):
        hear(made, day, NOW + day * DAY)


def test_a_burst_is_told_once_with_its_figures() -> None:
    made = world(**LOUD)
    a_week_of_one_a_day(made)
    for n in range(20, 25):
        hear(made, n, NOW + 7 * DAY + n * timedelta(minutes=1))

    told = notice(made, NOW + 7 * DAY + timedelta(minutes=25))
    again = notice(made, NOW + 7 * DAY + timedelta(minutes=30))

    assert [(alert.kind, alert.new) for alert in told] == [
        (AlertKind.BURST, ("5 matches in 60 minutes, usually 1.0",))
    ]
    assert again == []


def test_a_silenced_burst_is_kept_with_its_reason_and_goes_to_nobody() -> None:
    made = world(**LOUD)
    a_week_of_one_a_day(made)
    for n in range(20, 25):
        hear(made, n, NOW + 7 * DAY + n * timedelta(minutes=1))
    drill = {"id": "s1", "match": {"kinds": ["burst"]}, "author": "Kim", "comment": "drill"}
    made.pipeline.silences = (
        Silence.model_validate(drill | {"from": NOW, "until": NOW + 30 * DAY}),
    )
    made.compose()
    before = len(made.receivers["desk"].digests)

    (told,) = notice(made, NOW + 7 * DAY + timedelta(minutes=25))
    made.compose()

    with made.store.read() as tx:
        (verdict,) = tx.alerts.verdicts_of(told.id)
        (way,) = tx.alerts.dispatches_of(told.id)
    assert (verdict["rule"], verdict["sent"], verdict["reason"]) == ("launch", False, "silenced")
    assert verdict["detail"] == "s1 by Kim until 2026-06-29 12:00 UTC: drill"
    assert (way[0].receiver, way[0].reason) == ("desk", "silenced by Kim")
    assert len(made.receivers["desk"].digests) == before


def test_what_a_rule_tells_of_itself_is_no_match() -> None:
    made = world(**QUIET)
    notice(made, NOW + 3 * DAY)
    with made.store.begin() as tx:
        restore_memory(made.pipeline, tx, NOW + 4 * DAY)

    heard = made.pipeline.memory.heard["launch"]
    assert (heard.last_at, list(heard.matches)) == (None, [])


def test_the_first_poll_of_a_feed_is_no_burst() -> None:
    made = world(**LOUD)
    a_week_of_one_a_day(made)

    for n in range(20, 40):
        made.pipeline.process(article(n, at=NOW), NOW + 7 * DAY, quiet=Reason.BASELINE)

    assert notice(made, NOW + 7 * DAY) == []


def test_a_restart_remembers_what_is_usual() -> None:
    made = world(**LOUD)
    a_week_of_one_a_day(made)
    for n in range(20, 25):
        hear(made, n, NOW + 7 * DAY + n * timedelta(minutes=1))
    with made.store.begin() as tx:
        restore_memory(made.pipeline, tx, NOW + 7 * DAY + timedelta(minutes=25))

    told = notice(made, NOW + 7 * DAY + timedelta(minutes=25))

    assert [alert.new for alert in told] == [("5 matches in 60 minutes, usually 1.0",)]


def test_a_replay_tells_silences_at_their_own_moment() -> None:
    made = rule(alert=QUIET)
    pipeline = Pipeline(Plan((made,), (), {}))

    def articles() -> Iterator[Article]:
        yield article(1, at=NOW)
        yield article(2, "Ferry news", at=NOW + 9 * DAY)
        yield article(3, "Rocket over Elsewhere", at=NOW + 10 * DAY)

    alerts = [r for r in Replay(pipeline).run(articles()) if r["type"] == "alert"]

    assert [(a["kind"], a["at"]) for a in alerts] == [
        ("new_story", "2026-05-30T12:00:00Z"),
        ("nothing_heard", "2026-06-02T12:00:00Z"),
        ("silence_broken", "2026-06-09T12:00:00Z"),
    ]
