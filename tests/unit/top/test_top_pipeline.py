"""Match → group → decide → route, as one deterministic step."""

from dataclasses import replace
from datetime import timedelta

from top_world import NOW, World, article, rule

from watcher.alerts.policy import Reason
from watcher.alerts.routes import ReceiverClock
from watcher.model import AlertKind
from watcher.pipeline import Pipeline
from watcher.restore import restore_memory

ALL = [{"receivers": ["desk"]}]


def test_an_article_that_matches_nothing_leaves_no_trace() -> None:
    outcome = World([rule()], ALL, desk=ReceiverClock()).pipeline.process(
        article(1, "Ferry news"), NOW
    )

    assert (outcome.matches, outcome.assignment, outcome.alerts) == ((), None, [])


def test_a_new_story_is_an_alert_with_a_dispatch() -> None:
    outcome = World(
        [rule(severity="high", tags=("space",))], ALL, desk=ReceiverClock()
    ).pipeline.process(article(1), NOW)

    (alert,) = outcome.alerts
    assert (alert.kind, alert.severity, alert.tags, alert.articles) == (
        AlertKind.NEW_STORY,
        "high",
        ("space",),
        ("a1",),
    )
    assert [(d.receiver, d.send_at) for d in outcome.dispatches] == [("desk", NOW)]


def test_two_rules_on_one_story_are_two_alerts() -> None:
    world = World(
        [rule("launch", "rocket"), rule("korea", "north korea")], ALL, desk=ReceiverClock()
    )

    outcome = world.pipeline.process(article(1), NOW)

    assert sorted(a.rule for a in outcome.alerts) == ["korea", "launch"]
    assert len({a.story for a in outcome.alerts}) == 1


def test_a_baseline_is_remembered_but_not_told() -> None:
    pipeline = World([rule()], ALL, desk=ReceiverClock()).pipeline

    quiet = pipeline.process(article(1), NOW, quiet=Reason.BASELINE)
    news = pipeline.process(article(2, "Rocket failed, North Korea says"), NOW)

    assert [v.decision.reason for v in quiet.verdicts] == [Reason.BASELINE]
    assert quiet.assignment is not None
    assert [a.kind for a in news.alerts] == [AlertKind.NEW_STORY]


def test_a_rule_that_held_for_an_earlier_version_stays_silent() -> None:
    world = World([rule("launch", "rocket"), rule("failure", "failed")], ALL, desk=ReceiverClock())
    world.pipeline.process(article(1), NOW)
    corrected = replace(article(1, "North Korea rocket failed"), revision=1)

    outcome = world.pipeline.process(corrected, NOW, already=frozenset({"launch"}))

    assert {v.match.rule: v.decision.reason for v in outcome.verdicts} == {
        "launch": Reason.REVISION,
        "failure": Reason.NEW_STORY,
    }


def test_corroboration_tells_of_every_report_that_waited() -> None:
    world = World([rule(alert={"min_publishers": 2})], ALL, desk=ReceiverClock())

    first = world.pipeline.process(article(1), NOW)
    second = world.pipeline.process(article(2, "Rocket fired by North Korea, says navy"), NOW)

    assert first.alerts == []
    assert [(a.kind, a.articles) for a in second.alerts] == [(AlertKind.CORROBORATED, ("a1", "a2"))]


def test_a_restart_remembers_what_was_told() -> None:
    world = World([rule()], ALL, desk=ReceiverClock())
    world.take(article(1))
    resumed = Pipeline(world.plan)
    with world.store.begin() as tx:
        restore_memory(resumed, tx, NOW)

    again = resumed.process(
        article(2, "North Korea fires rocket again, same words"), NOW + timedelta(minutes=5)
    )

    assert [v.decision.reason for v in again.verdicts] == [Reason.NOT_NOVEL]


def test_the_same_articles_give_the_same_outcomes() -> None:
    def run() -> list[object]:
        pipeline = World([rule(), rule("korea", "north korea")], ALL, desk=ReceiverClock()).pipeline
        return [pipeline.process(article(n, f"North Korea rocket {n * 37}"), NOW) for n in range(6)]

    assert run() == run()
