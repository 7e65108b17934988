"""What templates may do with a digest."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.model import Passage
from watcher.render import filters
from watcher.render.sample import AT, marked, sample_digest

LAUNCH, TRIP = sample_digest().stories[:2]


@pytest.mark.parametrize(
    ("zone", "at", "shown"),
    [
        ("Asia/Seoul", datetime(2026, 5, 29, 22, 5, tzinfo=UTC), "07:05 KST"),
        ("Asia/Seoul", datetime(2026, 5, 29, 14, 0, tzinfo=UTC), "29 May 23:00 KST"),
        ("Asia/Seoul", datetime(2025, 12, 31, 14, 0, tzinfo=UTC), "31 Dec 2025 23:00 KST"),
        ("Europe/Berlin", datetime(2026, 5, 29, 10, 0, tzinfo=UTC), "29 May 12:00 CEST"),
        ("Asia/Kathmandu", datetime(2026, 5, 29, 22, 0, tzinfo=UTC), "03:45 UTC+5:45"),
        ("America/Sao_Paulo", datetime(2026, 5, 29, 22, 0, tzinfo=UTC), "19:00 UTC-3"),
        ("UTC", datetime(2026, 5, 29, 22, 0, tzinfo=UTC), "22:00 UTC"),
    ],
)
def test_times_are_the_readers(zone: str, at: datetime, shown: str) -> None:
    digest = replace(sample_digest(), zone=zone)
    expected = shown if zone != "Europe/Berlin" else "29 May 12:00 CEST"

    assert digest.clock(at) == expected


def test_the_day_is_the_readers() -> None:
    assert replace(sample_digest(), zone="America/New_York").day == "Friday 29 May 2026"
    assert sample_digest().day == "Saturday 30 May 2026"


def test_a_passage_is_cut_at_its_marks() -> None:
    found = filters.pieces(marked("a launch site", "launch"))

    assert found == [("a ", False), ("launch", True), (" site", False)]


@given(
    text=st.text(max_size=30),
    marks=st.lists(st.tuples(st.integers(-5, 40), st.integers(-5, 40)), max_size=4),
)
def test_pieces_always_add_up_to_the_text(text: str, marks: list[tuple[int, int]]) -> None:
    cut = filters.pieces(Passage("body", text, tuple(marks)))

    assert "".join(piece for piece, _ in cut) == text


def test_other_publishers_come_once_each_and_copies_are_counted() -> None:
    names = [report.publisher for report in filters.also(LAUNCH)]

    assert names[0] == "Han River Daily"
    assert "Harbor Wire" not in names
    assert len(names) == len(set(names)) == 6
    assert filters.copies(LAUNCH) == 3


def test_what_is_new_is_named_first() -> None:
    story = replace(TRIP, url=TRIP.reports[0].url, publisher=TRIP.reports[0].publisher)

    assert [report.is_new for report in filters.also(story)] == [True, False]


def test_the_sparkline_has_a_step_per_hour() -> None:
    line = filters.sparkline([LAUNCH], AT)

    assert len(line) == 24
    assert line[23 - 7] == "█"
    assert line[0] == "▁"
    assert filters.sparkline([], AT) == ""
    assert filters.sparkline([LAUNCH], AT + timedelta(days=9)) == ""


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two three", ["one two", "  three"]),
        ("북한 위성 발사", ["북한 위성", "  발사"]),
        ("unbreakablelongword", ["unbreakablelongword"]),
        ("朝鲜发射卫星一事回答", ["朝鲜发射", "  卫星一事", "  回答"]),
        ("https://example.org/a/long/link", ["https://example.org/a/long/link"]),
        ("", [""]),
    ],
)
def test_text_wraps_by_columns(text: str, lines: list[str]) -> None:
    assert filters.wrapped(text, 11, "  ").split("\n") == lines


def test_what_holds_for_a_rule_is_said_once() -> None:
    digest = sample_digest()
    sites = [story for story in digest.stories if story.rule == "launch-sites"]

    assert [filters.opens(story, digest.stories) for story in sites] == [True, False]


def test_counts_and_reasons_are_words() -> None:
    assert filters.counted(1, "story", "stories") == "1 story"
    assert filters.counted(2, "report") == "2 reports"
    assert filters.why(replace(LAUNCH, reason="at_most_reached")) == "at most reached"
    assert filters.why(LAUNCH) == "first report of a new story"
