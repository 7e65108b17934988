"""What grouping and similarity promise for any text."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.model import Article
from watcher.stories.centre import MOST_TERMS
from watcher.stories.changes import ChangeKind
from watcher.stories.features import features_of
from watcher.stories.grouping import LONGEST, MOST_ARTICLES, Assignment, StoryIndex
from watcher.stories.shelf import KEPT_REPORTS
from watcher.stories.similarity import similarity

NOW = datetime(2026, 5, 30, tzinfo=UTC)
WORDS = st.sampled_from(
    ["rocket", "launch", "Seoul", "Moscow", "12", "three", "deny", "발사", "위성", "ракета", "the"]
)
TITLES = st.lists(WORDS, max_size=8).map(" ".join) | st.text(max_size=40)
STREAM = st.lists(st.tuples(TITLES, st.integers(0, 90)), min_size=1, max_size=40)


def articles(stream: list[tuple[str, int]]) -> list[Article]:
    """A stream in order of time; the hours are between one article and the next."""
    at, made = NOW, []
    for n, (title, hours) in enumerate(stream):
        at += timedelta(hours=hours)
        made.append(Article(f"a{n}", "f", "", title, "", at, family=f"p{n % 5}"))
    return made


def final_stories(assigned: list[Assignment], made: list[Article]) -> list[str]:
    """Where each article is after every merge and split that was told."""
    at: dict[str, str] = {}
    for article, found in zip(made, assigned, strict=True):
        at[article.id] = found.story.id
        for change in found.changes:
            to = change.story if change.kind is ChangeKind.MERGED else change.other
            at.update(dict.fromkeys(change.articles, to.id))
    return [at[article.id] for article in made]


@given(TITLES, TITLES)
def test_similarity_is_symmetric_and_within_bounds(left: str, right: str) -> None:
    score = similarity(left, right)

    assert 0.0 <= score <= 1.0
    assert score == similarity(right, left)
    assert similarity(left, left) == 1.0


@given(STREAM)
@settings(max_examples=50, deadline=None)
def test_the_same_stream_gives_the_same_stories(stream: list[tuple[str, int]]) -> None:
    one, other = StoryIndex(), StoryIndex()
    made = articles(stream)

    assert [one.assign(a, a.first_seen) for a in made] == [other.assign(a, a.first_seen) for a in made]  # fmt: skip


@given(STREAM)
@settings(max_examples=50, deadline=None)
def test_assigning_again_changes_nothing(stream: list[tuple[str, int]]) -> None:
    index = StoryIndex()
    made = articles(stream)
    first = [index.assign(a, a.first_seen) for a in made]
    kept, size = final_stories(first, made), len(index)
    again = [index.assign(a, made[-1].first_seen) for a in made]

    assert [x.story.id for x in again] == kept
    assert not any(x.is_new or x.changes for x in again)
    assert len(set(kept)) == size == len(index)


@given(STREAM)
@settings(max_examples=50, deadline=None)
def test_no_story_grows_past_its_bounds(stream: list[tuple[str, int]]) -> None:
    index = StoryIndex(window=timedelta(days=30))
    for article in articles(stream):
        story = index.assign(article, article.first_seen).story

        assert article.first_seen - story.opened <= LONGEST
        assert len(index.reports(story.id)) <= KEPT_REPORTS
        assert len(index._shelf.stories[story.id].centre.terms) <= MOST_TERMS
        assert story.articles == len(index._shelf.stories[story.id].ids) <= MOST_ARTICLES


@given(STREAM)
@settings(max_examples=50, deadline=None)
def test_closing_every_story_leaves_nothing_in_memory(stream: list[tuple[str, int]]) -> None:
    index = StoryIndex()
    made = articles(stream)
    for article in made:
        index.assign(article, article.first_seen)
    index.expire(made[-1].first_seen + timedelta(days=4))

    assert sum(index._shelf.sizes()) == 0
    assert not index._topics._stories


def connected(made: list[Article]) -> dict[str, str]:
    """Articles that are linked by shared terms, through others or not, under one name."""
    name = {a.id: a.id for a in made}
    by_term: dict[str, str] = {}
    for article in made:
        for term in features_of(article).terms:
            other = by_term.setdefault(term, article.id)
            old, new = name[article.id], name[other]
            name = {k: new if v == old else v for k, v in name.items()}
    return name


@given(STREAM)
@settings(max_examples=50, deadline=None)
def test_what_shares_no_words_is_never_one_story_in_whatever_order(
    stream: list[tuple[str, int]],
) -> None:
    index, made = StoryIndex(), articles(stream)
    final = final_stories([index.assign(a, a.first_seen) for a in made], made)
    subject = connected(made)
    said: dict[str, set[str]] = {}
    for article, story in zip(made, final, strict=True):
        said.setdefault(story, set()).add(subject[article.id])

    assert all(len(subjects) == 1 for subjects in said.values())


@given(st.permutations(range(12)))
@settings(max_examples=50, deadline=None)
def test_reports_in_the_same_words_are_one_story_in_any_order(order: list[int]) -> None:
    headlines = ("Alpha harbour crane collapses", "Gamma glacier study published")
    index = StoryIndex()
    made = [Article(f"a{n}", "f", "", headlines[n % 2], "", NOW, family=f"p{n}") for n in order]
    final = final_stories([index.assign(a, NOW) for a in made], made)
    even = {s for s, a in zip(final, made, strict=True) if a.title == headlines[0]}
    odd = {s for s, a in zip(final, made, strict=True) if a.title == headlines[1]}

    assert len(even) == len(odd) == 1
    assert even != odd


@given(STREAM, STREAM)
@settings(max_examples=50, deadline=None)
def test_every_merge_and_split_accounts_for_every_article(
    first: list[tuple[str, int]], second: list[tuple[str, int]]
) -> None:
    index, made = StoryIndex(timedelta(days=30)), articles([*first, *second])
    final = final_stories([index.assign(a, a.first_seen) for a in made], made)
    counted = Counter(final)
    held = {e.story.id: e.story.articles for e in index._shelf.stories.values()}

    assert {story: counted[story] for story in held} == held


def test_a_stream_that_never_stops_is_cut_into_bounded_stories() -> None:
    index, at, sizes = StoryIndex(), NOW, Counter[str]()
    for n in range(MOST_ARTICLES + 500):
        at += timedelta(minutes=15)
        made = Article(f"a{n}", "f", "", f"Alpha harbour crane collapse, day {n // 96}", "", at)
        story = index.assign(made, at).story
        sizes[story.id] += 1

        assert story.updated - story.opened <= LONGEST
        assert story.articles <= MOST_ARTICLES
    assert len(sizes) > 1
