"""What replay tells of stories that merge while they are open."""

from datetime import UTC, datetime, timedelta

from watcher.model import Article
from watcher.pipeline import Pipeline, Plan
from watcher.replay import Record, Replay

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
TITLES = (
    "Harbour crane collapses at Alpha docks",
    "Alpha docks shut as crane falls",
    "Inspectors blame rusted bolts for dock accident at Gamma quay",
    "Rusted bolts blamed by inspectors in Gamma quay accident",
    "Alpha docks crane collapse: inspectors blame rusted bolts at Gamma quay",
)


def replayed(titles: tuple[str, ...], hours: float = 1.0) -> tuple[Replay, list[Record]]:
    run = Replay(Pipeline(Plan((), (), {})), all_stories=True)
    made = (
        Article(f"a{n}", "f", "", title, "", NOW + n * timedelta(hours=hours), family=f"p{n}")
        for n, title in enumerate(titles)
    )
    return run, list(run.run(made))


def test_every_article_is_told_once_and_where_it_belongs_in_the_end() -> None:
    run, records = replayed(TITLES)
    stories = [record for record in records if record["type"] == "story"]

    assert [s["article"] for s in stories] == ["a0", "a1", "a2", "a3", "a4"]
    assert len({s["story"] for s in stories}) == 1
    assert [s["new"] for s in stories] == [True, False, False, False, False]
    assert run.counts["stories"] == 1


def test_a_merge_is_told_when_it_happens() -> None:
    _, records = replayed(TITLES)
    (change,) = [record for record in records if record["type"] == "change"]

    assert (change["kind"], change["at"]) == ("merged", "2026-05-30T16:00:00Z")
    assert {"a2", "a3"} <= set(change["articles"])
    assert records[0] == change


def test_a_story_is_told_when_it_closes_not_at_the_end() -> None:
    run, records = replayed((*TITLES[:2], *["Ferry timetable changes for summer"] * 2), hours=60)

    assert [r["article"] for r in records] == ["a0", "a1", "a2", "a3"]
    assert run.counts["stories"] == 2
    assert not run._members
