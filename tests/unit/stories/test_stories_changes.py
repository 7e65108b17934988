"""Stories that turn out to be one merge, a story that turns out to be two splits, and both are explained."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from watcher.model import Article, Role, StoryStatus
from watcher.stories.changes import ChangeKind, StoryChange, split_point
from watcher.stories.grouping import MOST_ARTICLES, Assignment, StoryIndex

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
HARBOUR = (
    "Harbour crane collapses at Alpha docks",
    "Alpha docks shut as crane falls",
    "Inspectors blame rusted bolts for dock accident at Gamma quay",
    "Rusted bolts blamed by inspectors in Gamma quay accident",
    "Alpha docks crane collapse: inspectors blame rusted bolts at Gamma quay",
)


def article(n: int, title: str, **fields: object) -> Article:
    at = NOW + timedelta(minutes=10 * n)
    return Article(f"a{n}", "f", "", title, "", at, family=f"p{n}", lang="en", **fields)  # type: ignore[arg-type]


def grouped(titles: tuple[str, ...], index: StoryIndex) -> list[Assignment]:
    made = [article(n, title) for n, title in enumerate(titles)]
    return [index.assign(a, a.first_seen, frozenset({"docks"})) for a in made]


def changes(assigned: list[Assignment]) -> list[StoryChange]:
    return [change for found in assigned for change in found.changes]


def test_a_report_that_speaks_of_two_stories_makes_them_one() -> None:
    index = StoryIndex()
    assigned = grouped(HARBOUR, index)
    before = {found.story.id for found in assigned[:4]}
    (change,) = changes(assigned)

    assert len(before) == 2
    assert change.kind is ChangeKind.MERGED
    assert len(index) == 1


def test_the_older_story_keeps_its_id_and_takes_every_report() -> None:
    index = StoryIndex()
    assigned = grouped(HARBOUR, index)
    (change,) = changes(assigned)
    story = assigned[-1].story

    assert change.story.id == story.id == assigned[0].story.id
    assert (story.articles, story.status) == (5, StoryStatus.UPDATED)
    assert story.families == {"p0", "p1", "p2", "p3", "p4"}
    assert (change.other.id, change.other.merged_into) == (assigned[2].story.id, story.id)
    assert change.other.status is StoryStatus.CLOSED
    assert set(change.articles) >= {"a2", "a3"}


def test_a_merge_says_which_words_decided_it() -> None:
    (change,) = changes(grouped(HARBOUR, StoryIndex()))

    assert change.words
    assert all(any(word[:4] in title.casefold() for title in HARBOUR) for word in change.words)
    assert 0 < change.similarity <= 1


def test_the_first_report_of_a_merged_story_is_one_more_report() -> None:
    index = StoryIndex()
    grouped(HARBOUR, index)

    again = index.assign(article(2, "Corrected"), NOW + timedelta(hours=2))

    assert (again.reason, again.role) == ("revision", Role.REPORT)


def test_stories_too_big_together_stay_two() -> None:
    index = StoryIndex()
    grouped(HARBOUR[:4], index)
    for entry in index._shelf.stories.values():
        entry.story = replace(entry.story, articles=MOST_ARTICLES // 2)
    last = article(4, HARBOUR[4])

    assert not index.assign(last, last.first_seen).changes
    assert len(index) == 2


def unit(**words: float) -> dict[str, float]:
    length = sum(value * value for value in words.values()) ** 0.5
    return {word: value / length for word, value in words.items()}


def test_reports_that_share_nothing_with_the_first_split_off() -> None:
    rocket, ferry = unit(rocket=2, sohae=1), unit(ferry=2, strike=1)

    assert split_point([rocket, ferry, rocket, ferry]) == (1, 3)


def test_a_story_with_one_odd_report_holds_together() -> None:
    rocket, odd = unit(rocket=2, sohae=1), unit(ferry=2, strike=1)

    assert split_point([rocket, rocket, rocket, odd]) == ()


def test_reports_that_share_a_good_part_hold_together() -> None:
    early, late = unit(rocket=2, sohae=2, launch=1), unit(rocket=2, failed=2, sea=1)

    assert split_point([early, early, late, late]) == ()


ROUNDUP = (
    "Ferry crews strike at Delta islands over wages",
    "Morning briefing: Delta islands ferry strike, Sigma tunnel flood, Omega verdict",
    "Sigma tunnel flood strands commuters",
    "Commuters stranded as Sigma tunnel flood grows",
    "Flood in Sigma tunnel: commuters stranded overnight",
    "Delta islands ferry crews strike over wages again",
    "Wages dispute: Delta islands ferry crews on strike",
    "Sigma tunnel flood leaves commuters stranded",
    "Delta islands: ferry strike over wages continues",
)


def test_two_events_that_a_roundup_bound_are_told_apart() -> None:
    index = StoryIndex()
    assigned = grouped(ROUNDUP, index)
    (split,) = changes(assigned)

    assert split.kind is ChangeKind.SPLIT
    assert split.articles == ("a2", "a3", "a4")
    assert split.story.title == ROUNDUP[0]
    assert (split.other.title, split.other.articles) == (ROUNDUP[2], 3)
    assert {"boat", "flood"} <= set(split.words)


def test_stories_that_were_split_stay_apart() -> None:
    index = StoryIndex()
    assigned = grouped(ROUNDUP, index)
    last = article(9, "Delta islands ferry strike and Sigma tunnel flood, a week on")
    again = index.assign(last, last.first_seen)

    assert assigned[7].story.id != assigned[8].story.id
    assert not again.changes
    assert len(index) == 2
