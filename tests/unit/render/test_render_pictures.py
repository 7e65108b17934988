"""The two pictures: sound PNGs, the same every time, that show what they say."""

import struct
import zlib
from base64 import b64decode
from dataclasses import replace
from datetime import timedelta

from watcher.render.pictures import bars, timeline, timeline_words
from watcher.render.sample import AT, sample_digest
from watcher.render.summary import summaries, summed

STORIES = sample_digest().stories
LAUNCH = STORIES[0]


def pixels(data: str) -> list[list[tuple[int, ...]]]:
    """Rows of RGBA, read by the letter of the PNG specification."""
    png = b64decode(data.removeprefix("data:image/png;base64,"))
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, body, size = 8, b"", (0, 0)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, data_ = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        (crc,) = struct.unpack(">I", png[at + 8 + length : at + 12 + length])
        assert crc == zlib.crc32(kind + data_)
        if kind == b"IHDR":
            size = struct.unpack(">II", data_[:8])
        body += data_ if kind == b"IDAT" else b""
        at += 12 + length
    raw, stride = zlib.decompress(body), size[0] * 4 + 1
    assert len(raw) == stride * size[1]
    rows = [raw[y * stride + 1 : (y + 1) * stride] for y in range(size[1])]
    return [[tuple(row[x : x + 4]) for x in range(0, len(row), 4)] for row in rows]


def test_bars_are_as_high_as_their_hours() -> None:
    rows = pixels(bars((0, 1, 2, 4), 4))
    heights = [
        sum(row[round((n + 0.5) * len(row) / 4)][3] == 255 for row in rows) for n in range(4)
    ]

    assert heights == sorted(heights)
    assert heights[3] == len(rows)
    assert heights[2] == len(rows) // 2


def test_several_rows_of_bars_share_a_scale() -> None:
    alone, beside = (sum(p[3] > 0 for r in pixels(bars((0, 2), top)) for p in r) for top in (0, 8))

    assert beside < alone


def test_a_picture_is_transparent_where_nothing_is() -> None:
    """Light or dark: the reader's background shows."""
    rows = pixels(timeline(LAUNCH, AT))

    assert rows[0][0] == (0, 0, 0, 0)


def test_what_is_new_is_another_colour() -> None:
    old, new = (
        {p for row in pixels(timeline(story, AT)) for p in row if p[3] == 255}
        for story in (replace(STORIES[1], reports=STORIES[1].reports[:2]), STORIES[1])
    )

    assert new > old


def test_reports_without_a_span_or_in_the_future_still_draw() -> None:
    odd = tuple(replace(r, at=AT + timedelta(days=9)) for r in LAUNCH.reports)

    assert pixels(timeline(replace(LAUNCH, reports=odd), AT))
    assert pixels(timeline(replace(LAUNCH, reports=()), AT))


def test_words_say_the_same() -> None:
    assert timeline_words(LAUNCH) == "10 reports from 7 publishers, 3 of them copies"


def test_the_summary_counts_once_and_answers_again() -> None:
    summary = summaries()
    first = summary(STORIES, AT)

    assert summary(STORIES, AT) is first
    assert summary(STORIES[:1], AT) != first
    assert (first.stories, first.updates, first.publishers, first.reports) == (7, 2, 11, 23)


def test_the_days_line_names_the_most_reported_story_and_the_busiest_hour() -> None:
    found = summed(STORIES, AT)

    assert found.most_reported is LAUNCH
    assert (found.busiest, found.busiest_count) == (AT - timedelta(hours=8), 5)
    assert found.rules[0].id == "north-korea-satellite-launch"


def test_a_digest_of_nothing_has_a_summary() -> None:
    found = summed((), AT)

    assert (found.most_reported, found.busiest, found.top) == (None, None, 0)
