"""Digests cut into messages on story borders."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from watcher.model import StoryView
from watcher.notify._pages import MOST_WHOLE, paginate, split
from watcher.render.sample import sample_digest

STORY = sample_digest().stories[0]


def stories(count: int) -> list[StoryView]:
    return [replace(STORY, alert=f"t{n}") for n in range(count)]


def test_what_fits_is_one_page() -> None:
    (page,) = paginate(stories(5), lambda whole, brief: 0.5, most_pages=3)

    assert len(page.stories) == 5
    assert page.mark == ""
    assert page.part == ""


def test_no_story_is_still_one_page() -> None:
    assert len(paginate([], lambda whole, brief: 0.5, most_pages=3)) == 1
    assert len(split([], lambda some: 0.5)) == 1


def test_more_than_a_reader_reads_are_headlines() -> None:
    (page,) = paginate(stories(MOST_WHOLE + 5), lambda whole, brief: 0.5, most_pages=3)

    assert len(page.stories) == MOST_WHOLE
    assert len(page.brief) == 5


def test_a_story_too_long_for_any_page_still_goes() -> None:
    pages = paginate(stories(3), lambda whole, brief: 2.0 * bool(whole or brief), most_pages=9)

    assert sum(len(page.stories) + len(page.brief) for page in pages) == 3


@given(
    count=st.integers(0, 300),
    room=st.integers(1, 200),
    weight=st.integers(1, 20),
    most_pages=st.integers(1, 6),
)
def test_nothing_is_dropped_or_told_twice(
    count: int, room: int, weight: int, most_pages: int
) -> None:
    def load(whole: Sequence[StoryView], brief: Sequence[StoryView]) -> float:
        return (weight * len(whole) + len(brief)) / room

    given_stories = stories(count)
    pages = paginate(given_stories, load, most_pages=most_pages)
    shown = [s.alert for page in pages for s in (*page.stories, *page.brief)]

    assert shown == [s.alert for s in given_stories[: len(shown)]]
    assert pages[-1].more == count - len(shown)
    assert len(pages) <= most_pages
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))
    assert all(page.of == len(pages) for page in pages)


@given(count=st.integers(0, 300), room=st.integers(0, 50))
def test_splitting_keeps_every_story_whole(count: int, room: int) -> None:
    pages = split(stories(count), lambda some: len(some) / room if room else 2.0 * bool(some))

    assert [s.alert for page in pages for s in page.stories] == [f"t{n}" for n in range(count)]
    assert all(len(page.stories) <= max(room, 1) for page in pages)


@given(
    weights=st.lists(st.integers(1, 50), min_size=1, max_size=2000),
    room=st.integers(60, 2000),
    headlines=st.integers(1, 9),
)
def test_a_page_costs_few_looks_and_is_nearly_full(
    weights: list[int], room: int, headlines: int
) -> None:
    """Rendering is what composing costs: five thousand stories must not take hundreds of renders."""
    given_stories = [replace(STORY, alert=f"t{n}", url="x" * w) for n, w in enumerate(weights)]
    looks = 0

    def load(some: Sequence[StoryView]) -> float:
        nonlocal looks
        looks += 1
        return sum(len(story.url) for story in some) / room

    pages = split(given_stories, load)

    assert looks <= 7 * len(pages)
    assert all(load(page.stories) <= 1 for page in pages)
    assert all(load(page.stories) > 0.95 - 50 / room for page in pages[:-1])
