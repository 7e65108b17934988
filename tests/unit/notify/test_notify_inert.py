"""The last look at a digest."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.model import Passage
from watcher.notify._inert import PASSAGE, clickable, inert
from watcher.render.sample import sample_digest

DIGEST = sample_digest()


def passage(text: str, *marks: tuple[int, int]) -> Passage:
    story = replace(DIGEST.stories[0], passages=(Passage("body", text, marks),))
    return inert(replace(DIGEST, stories=(story,))).stories[0].passages[0]


def test_a_clean_digest_stays_as_it_is() -> None:
    assert inert(DIGEST) == DIGEST
    assert inert(inert(DIGEST)) == inert(DIGEST)


def test_marks_move_with_the_text_that_was_cleaned() -> None:
    found = passage("a\u202e\u200b  bc\x00\x00 the launch\nnow", (14, 20))
    start, end = found.marks[0]

    assert found.text[start:end] == "launch"


@pytest.mark.parametrize("marks", [((5, 3),), ((-1, 2),), ((0, 99),), ((0, 4), (2, 6)), ((3, 3),)])
def test_marks_that_make_no_sense_do_no_harm(marks: tuple[tuple[int, int], ...]) -> None:
    found = passage("one two", *marks)

    assert found.text == "one two"


@given(
    text=st.text(max_size=60),
    marks=st.lists(st.tuples(st.integers(-3, 70), st.integers(-3, 70)), max_size=5),
)
def test_marks_are_always_in_order_and_within_the_text(
    text: str, marks: list[tuple[int, int]]
) -> None:
    found = passage(text, *marks)
    flat = [edge for mark in found.marks for edge in mark]

    assert flat == sorted(flat)
    assert all(0 <= edge <= len(found.text) for edge in flat)


def test_a_passage_is_cut_to_what_a_reader_reads() -> None:
    found = passage("x" * 5000, (0, 1), (4000, 4001))

    assert len(found.text) == PASSAGE + 1
    assert found.marks == ((0, 1),)


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://a.example/x?y=1&z=2", "https://a.example/x?y=1&z=2"),
        ('https://a.example/"><b>', "https://a.example/%22%3E%3Cb%3E"),
        ("https://user:pw@a.example/x", "https://a.example/x"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("java\nscript:alert(1)", ""),
        ("//a.example/x", ""),
        ("https://a.example/" + "x" * 8000, ""),
    ],
)
def test_links_are_safe_to_click_and_to_print(url: str, link: str) -> None:
    assert clickable(url) == link


@pytest.mark.parametrize("title", ["", "  \t ", "\u200b\u202e"])
def test_a_story_without_a_title_shows_its_link(title: str) -> None:
    story = replace(DIGEST.stories[0], title=title)
    shown = inert(replace(DIGEST, stories=(story, replace(story, url="")))).stories

    assert shown[0].title == story.url
    assert shown[1].title == "(no title)"
