"""What `feeds check` and `feeds list` say of a feed, in words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from watcher.fetch.feed import FetchedFeed
from watcher.intake.checkup import Flaw, Seen, checkup
from watcher.intake.feed_words import feed_words
from watcher.model import Entry, FeedState, FeedStatus, ParsedFeed, PollHints
from watcher.pace import begun

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
URL = "https://sample.example/feed"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def entry(n: int, **more: Any) -> Entry:
    given: dict[str, Any] = {
        "guid": f"g{n}", "url": f"https://sample.example/{n}", "title": f"Title {n}",
        "summary": "What happened, where and when, in a sentence of its own.",
        "published": NOW - n * HOUR,
    } | more  # fmt: skip
    return Entry(**given)


ENTRIES = tuple(entry(n) for n in range(20))
FETCHED = FetchedFeed(False, URL, b"x" * 2000, "application/rss+xml; charset=utf-8", etag='"1"')
PARSED = ParsedFeed("rss20", "Sample", None, "en", "utf-8", "fast", (), ENTRIES)


def flaws(fetched: FetchedFeed = FETCHED, took: timedelta = timedelta(0), **parsed: Any) -> dict[Flaw, str]:  # fmt: skip
    seen = Seen(URL, fetched, replace(PARSED, **parsed), took, NOW)
    return {found.flaw: found.text for found in checkup(seen, every=timedelta(minutes=15))}


def test_of_a_sound_feed_nothing_is_said() -> None:
    assert flaws() == {}


def with_entries(**more: Any) -> dict[str, Any]:
    return {"entries": tuple(entry(n, **more) for n in range(20))}


CASES: list[tuple[Flaw, dict[str, Any], str]] = [
    (Flaw.MOVED, {"fetched": replace(FETCHED, url="https://new.example/", moved_to="https://new.example/")}, "write https://new.example/ into feeds.yaml"),
    (Flaw.REDIRECTED, {"fetched": replace(FETCHED, url="https://new.example/")}, "for now"),
    (Flaw.UNENCRYPTED, {"fetched": replace(FETCHED, url="http://sample.example/feed")}, "from https to http"),
    (Flaw.NO_VALIDATORS, {"fetched": replace(FETCHED, etag=None)}, "every poll costs all of its 2 KiB"),
    (Flaw.CONTENT_TYPE, {"fetched": replace(FETCHED, content_type="text/html; charset=utf-8")}, "served as text/html"),
    (Flaw.CONTENT_TYPE, {"fetched": replace(FETCHED, content_type=None)}, "nothing in particular"),
    (Flaw.ENCODING, {"encoding": "euc-kr"}, "said to be utf-8 and is euc-kr"),
    (Flaw.SLOW, {"took": timedelta(seconds=7)}, "took 7.0 s"),
    (Flaw.LARGE, {"fetched": replace(FETCHED, body=b"x" * 600_000)}, "586 KiB, 20 entries"),
    (Flaw.EMPTY, {"entries": ()}, "its first one will be news"),
    (Flaw.UNDATED, with_entries(published=None), "20 of 20 entries have no date"),
    (Flaw.FUTURE, {"entries": (entry(0, published=NOW + 900 * DAY), *ENTRIES[1:])}, "up to 2028-11-15"),
    (Flaw.SILENT, {"entries": tuple(entry(n, published=NOW - 40 * DAY - n * HOUR) for n in range(20))}, "nothing new since 2026-04-20"),
    (Flaw.SHORT, {"entries": tuple(entry(n, published=NOW - n * timedelta(seconds=20)) for n in range(20))}, "shows the last 6m only"),
    (Flaw.NO_GUID, with_entries(guid=None), "known by link or text"),
    (Flaw.SHARED, with_entries(guid="same"), "20 of 20 entries share a guid or link"),
    (Flaw.NO_LINK, with_entries(url=None), "no link for readers"),
    (Flaw.HEADLINES_ONLY, with_entries(summary=""), "a headline only"),
    (Flaw.ASKS_TO_WAIT, {"fetched": replace(FETCHED, fresh_for=4 * HOUR)}, "its server asks not to be polled again before 4h"),
    (Flaw.ASKS_TO_WAIT, {"hints": PollHints(ttl=4 * HOUR)}, "it asks not to be polled again before 4h"),
    (Flaw.ASKS_TO_WAIT, {"hints": PollHints(skip_hours=frozenset({1, 2}))}, "in 2 hours of the day"),
    (Flaw.CUT_SHORT, {"cut_short": True, "entries": ()}, "ends in the middle"),
    (Flaw.DAMAGED, {"problems": ("not well-formed: line 3",)}, "not well-formed: line 3"),
]  # fmt: skip


@pytest.mark.parametrize(("flaw", "given", "words"), CASES, ids=[f"{c[0]}-{c[2]}" for c in CASES])
def test_a_flaw_is_found_and_told(flaw: Flaw, given: dict[str, Any], words: str) -> None:
    found = flaws(**given)

    assert words in found[flaw]
    assert set(found) - {flaw} <= {Flaw.REDIRECTED}


def test_every_flaw_has_a_case() -> None:
    assert {case[0] for case in CASES} == set(Flaw)


STATE = FeedState("f", URL, NOW + HOUR, FeedStatus.OK, last_polled_at=NOW, reason="rhythm")
STATES: list[tuple[FeedState | None, str, str, bool]] = [
    (None, "never polled", "not polled yet", False),
    (replace(STATE, status=FeedStatus.NEW, last_polled_at=None, reason=""), "never polled", "not polled yet", False),
    (STATE, "ok", "its own rhythm", False),
    (replace(STATE, reason="ttl"), "ok", "the feed asks for it (ttl)", False),
    (replace(STATE, full_only=True), "ok, always read in full", "its own rhythm", False),
    (replace(STATE, failing_since=NOW, failures=1, reason="backoff"), "failing since 2026-05-30 12:00", "failed once", True),
    (replace(STATE, status=FeedStatus.BROKEN, failing_since=NOW, failures=9, reason="backoff"), "broken since 2026-05-30 12:00", "failed 9 times", True),
    (replace(STATE, status=FeedStatus.STALE, newest_at=NOW - DAY), "silent since 2026-05-29 12:00", "its own rhythm", True),
    (replace(STATE, status=FeedStatus.GONE, reason="gone"), "gone", "never: see watcher feeds revive", True),
    (replace(STATE, status=FeedStatus.QUARANTINED), "replayed its archive", "its own rhythm", True),
]  # fmt: skip


@pytest.mark.parametrize(("state", "status", "why", "trouble"), STATES, ids=[c[1] for c in STATES])
def test_a_state_is_told_in_words(
    state: FeedState | None, status: str, why: str, trouble: bool
) -> None:
    words = feed_words(state, NOW)

    assert (words.status, words.why, words.trouble) == (status, why, trouble)


def test_the_rhythm_of_a_feed_is_told() -> None:
    pace = begun([NOW - n * 2 * HOUR for n in range(60)], NOW)

    assert feed_words(replace(STATE, pace=pace.text), NOW).rhythm == "about 12 a day"


def test_headlines_are_no_flaw_of_a_feed_whose_pages_are_read() -> None:
    parsed = replace(PARSED, **with_entries(summary=""))
    seen = Seen(URL, FETCHED, parsed, timedelta(0), NOW, full_text=True)

    assert checkup(seen, every=timedelta(minutes=15)) == []
