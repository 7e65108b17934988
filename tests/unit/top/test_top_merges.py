"""What was told of stories that turn out to be one."""

from datetime import timedelta

from top_world import NOW, World, article, rule

from watcher.alerts.routes import ReceiverClock
from watcher.model import AlertKind, Article
from watcher.pipeline import Pipeline, Plan
from watcher.restore import restore_memory

ALL = [{"receivers": ["desk"]}]
TITLES = (
    "Harbour crane collapses at Alpha docks",
    "Alpha docks shut as crane falls",
    "Inspectors blame rusted bolts for dock accident at Gamma quay",
    "Rusted bolts blamed by inspectors in Gamma quay accident",
    "Alpha docks crane collapse: inspectors blame rusted bolts at Gamma quay",
)
LATER = "Alpha docks crane: inspectors deny rusted bolts blame"


def world() -> World:
    """Two stories, each told, that the fifth report makes one."""
    made = World([rule("docks", {"any": ["docks", "dock", "quay"]})], ALL, desk=ReceiverClock())
    made.take(*(report(n, title) for n, title in enumerate(TITLES)))
    return made


def report(n: int, title: str) -> Article:
    return article(n, title, at=NOW + timedelta(minutes=n))


def test_alerts_of_both_stories_name_the_older() -> None:
    made = world()
    with made.store.read() as tx:
        alerts = tx.alerts.since(NOW - timedelta(days=1))
        (story,) = tx.stories.recent(9)
        members = tx.stories.articles_of(story.id)
        (change,) = tx.stories.changes_of(story.id)

    assert [a.kind for a in alerts].count(AlertKind.NEW_STORY) == 2
    assert {a.story for a in alerts} == {story.id}
    assert {a.id for a, _, _ in members} == {"a0", "a1", "a2", "a3", "a4"}
    assert change.other.merged_into == story.id


def test_a_later_report_is_a_follow_up_of_the_story_that_went_on() -> None:
    made = world()
    outcome = made.pipeline.process(report(9, LATER), NOW + timedelta(hours=1))
    (alert,) = outcome.alerts

    assert (alert.kind, alert.new) == (AlertKind.FOLLOW_UP, ("a denial",))


def test_after_a_restart_nothing_of_it_is_lost() -> None:
    made = world()
    fresh = Pipeline(made.plan)
    with made.store.read() as tx:
        restore_memory(fresh, tx, NOW + timedelta(hours=1))
    before = made.pipeline.process(report(9, LATER), NOW + timedelta(hours=1))
    after = fresh.process(report(9, LATER), NOW + timedelta(hours=1))

    assert [(a.id, a.kind, a.new) for a in after.alerts] == [
        (a.id, a.kind, a.new) for a in before.alerts
    ]
    assert before.assignment is not None
    assert after.assignment is not None
    assert after.assignment.story == before.assignment.story


def test_articles_no_rule_caught_are_grouped_on_request() -> None:
    quiet, every = (
        Pipeline(Plan((), (), {}, all_stories=wanted)).process(report(1, TITLES[0]), NOW)
        for wanted in (False, True)
    )

    assert quiet.assignment is None
    assert every.assignment is not None
    assert every.alerts == []


ROUNDUP = (
    "Ferry crews strike at Delta islands over wages",
    "Morning briefing: Delta islands ferry strike, Sigma tunnel flood, Omega verdict",
    "Sigma tunnel flood strands commuters",
    "Commuters stranded as Sigma tunnel flood grows",
    "Flood in Sigma tunnel: commuters stranded overnight",
    "Delta islands ferry crews strike over wages again",
)
BOTH = "Delta islands ferry strike and Sigma tunnel flood: commuters stranded"


def test_stories_that_were_split_stay_apart_after_a_restart() -> None:
    made = World([rule("travel", {"any": ["ferry", "tunnel"]})], ALL, desk=ReceiverClock())
    made.take(*(report(n, title) for n, title in enumerate(ROUNDUP)))
    fresh = Pipeline(made.plan)
    with made.store.read() as tx:
        found = tx.stories.recent(9)
        restore_memory(fresh, tx, NOW + timedelta(hours=1))
    after = [fresh.process(report(n, BOTH), NOW + timedelta(hours=1)) for n in (7, 8, 9)]

    assert sorted(story.articles for story in found) == [3, 3]
    assert [outcome.assignment.changes for outcome in after if outcome.assignment] == [()] * 3
