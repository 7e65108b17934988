"""Dates as publishers write them against the standards; both parsers read the same."""

import pytest

from watcher.sources.feed_dates import feed_date
from watcher.sources.parse import parse_feed

WRITTEN = {
    "2026. 11. 24 13:05:00": "2026-11-24 13:05",
    "2026.11.24(화) 오후 1:05": "2026-11-24 13:05",
    "2026-11-24 오전 12:05": "2026-11-24 00:05",
    "2026년 11월 24일 13시 05분": "2026-11-24 13:05",
    "2026年11月24日": "2026-11-24 00:00",
    "2026年11月24日（火）13時05分": "2026-11-24 13:05",
    "2026/11/24 13:05:00": "2026-11-24 13:05",
    "2026/11/24 13:05:00 +0900": "2026-11-24 04:05",
    "24.11.2026 13:05": "2026-11-24 13:05",
    "November 24, 2026 1:05 pm": "2026-11-24 13:05",
    "Di, 24 Nov 2026 13:05:00 +0100": "2026-11-24 12:05",
    "mar., 24 févr. 2026 13:05:00 +0100": "2026-02-24 12:05",
    "24 juillet 2026": "2026-07-24 00:00",
    "24 de noviembre de 2026 13:05": "2026-11-24 13:05",
    "24 ноября 2026, 13:05": "2026-11-24 13:05",
    "Tue, 24 Nov 2026 13:05:00": "2026-11-24 13:05",
    "Tue, 24 Nov 2026 13:05:00 KST": "2026-11-24 04:05",
    "Tue, 24 Nov 2026 13:05:00 JST": "2026-11-24 04:05",
    "Tue, 24 Nov 2026 13:05:00 IST": "2026-11-24 07:35",
    "Tue, 24 Nov 2026 13:05:00 EST": "2026-11-24 18:05",
    "Tue, 24 Nov 2026 1:05:00 PM GMT": "2026-11-24 13:05",
    "Tue, 24 Nov 2026 13:05:00 GMT+9": "2026-11-24 04:05",
    "Tue, 24 Nov 2026 13:05:00 XYZ": "2026-11-24 13:05",
    "2026/13/45": None,
    "2026. 2. 30 10:00": None,
    "2026.11 issue": None,
    "04/05/2026": None,
    "2026-11-24 13:05 PM": "2026-11-24 13:05",
    "2026年11月24日 " + "x" * 200: None,
    "Tue, 24 Nov 2026 25:61:61 +9999": None,
}


@pytest.mark.parametrize(("text", "moment"), WRITTEN.items())
def test_a_date_is_read_as_it_was_meant(text: str, moment: str | None) -> None:
    found = feed_date(text)

    assert (f"{found:%Y-%m-%d %H:%M}" if found else None) == moment


@pytest.mark.parametrize("text", WRITTEN)
def test_both_parsers_read_the_same_date(text: str) -> None:
    body = f"<rss version='2.0'><channel><title>S</title><item><title>T</title><pubDate>{text}</pubDate></item></channel></rss>"
    ours, theirs = (parse_feed(body.encode(), url="", fast=fast) for fast in (True, False))

    assert ours.parser != theirs.parser
    assert ours.entries == theirs.entries
    assert ours.entries[0].published == feed_date(text)
