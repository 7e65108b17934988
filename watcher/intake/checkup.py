"""What is wrong with a feed, in words for people: the findings of `watcher feeds check`. No I/O."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from watcher.durations import format_duration
from watcher.fetch.feed import FetchedFeed
from watcher.identity import document_keys, identity_keys
from watcher.model import ParsedFeed
from watcher.pace import begun, stale_after

SLOW = timedelta(seconds=5)
LARGE = 512 * 1024
MANY = 200
FUTURE = timedelta(hours=26)  # no zone is further ahead
_FEED_TYPES = ("xml", "json", "rss", "atom", "rdf")


class Flaw(StrEnum):
    MOVED = "moved"
    REDIRECTED = "redirected"
    UNENCRYPTED = "unencrypted"
    NO_VALIDATORS = "no_validators"
    CONTENT_TYPE = "content_type"
    ENCODING = "encoding"
    SLOW = "slow"
    LARGE = "large"
    EMPTY = "empty"
    UNDATED = "undated"
    FUTURE = "future"
    SILENT = "silent"
    SHORT = "short"
    NO_GUID = "no_guid"
    SHARED = "shared"
    NO_LINK = "no_link"
    HEADLINES_ONLY = "headlines_only"
    ASKS_TO_WAIT = "asks_to_wait"
    DAMAGED = "damaged"
    CUT_SHORT = "cut_short"


@dataclass(frozen=True, slots=True)
class Finding:
    flaw: Flaw
    text: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A feed as it was found: asked at `url`, it `took` so long; `full_text`: its pages are read as well."""

    url: str
    fetched: FetchedFeed
    parsed: ParsedFeed
    took: timedelta
    now: datetime
    full_text: bool = False


def checkup(seen: Seen, *, every: timedelta) -> list[Finding]:
    """In the order in which a poll meets them; `every` is how often it would be asked."""
    return [*_on_the_way(seen), *_of_the_answer(seen, every), *_of_the_entries(seen, every)]


def _on_the_way(seen: Seen) -> Iterator[Finding]:
    fetched = seen.fetched
    if fetched.moved_to is not None:
        yield Finding(Flaw.MOVED, f"has moved for good: write {fetched.moved_to} into feeds.yaml")
    elif fetched.url != seen.url:
        yield Finding(Flaw.REDIRECTED, f"is redirected to {fetched.url} for now")
    asked, answered = urlsplit(seen.url).scheme, urlsplit(fetched.url).scheme
    if asked == "https" and answered == "http":
        text = "is redirected from https to http, where anybody on the way may change it"
        yield Finding(Flaw.UNENCRYPTED, text)
    if seen.took > SLOW:
        yield Finding(Flaw.SLOW, f"took {seen.took.total_seconds():.1f} s to answer")


def _of_the_answer(seen: Seen, every: timedelta) -> Iterator[Finding]:
    fetched, parsed = seen.fetched, seen.parsed
    size, kind = len(fetched.body), (fetched.content_type or "").lower()
    if not fetched.etag and not fetched.last_modified:
        text = f"has neither ETag nor Last-Modified: every poll costs all of its {_size(size)}"
        yield Finding(Flaw.NO_VALIDATORS, text)
    if parsed.format != "page" and not any(word in kind for word in _FEED_TYPES):
        text = f"is served as {kind.partition(';')[0].strip() or 'nothing in particular'}, not as a feed"
        yield Finding(Flaw.CONTENT_TYPE, text)
    said = kind.partition("charset=")[2].partition(";")[0].strip("\"' ")
    if said and parsed.encoding and _plain(said) != _plain(parsed.encoding):
        text = f"is said to be {said} and is {parsed.encoding}"
        yield Finding(Flaw.ENCODING, text)
    if size > LARGE or len(parsed.entries) > MANY:
        text = f"is larger than news needs: {_size(size)}, {len(parsed.entries)} entries"
        yield Finding(Flaw.LARGE, text)
    for asked, who in ((fetched.fresh_for, "its server"), (parsed.hints.ttl, "it")):
        if asked is not None and asked > every:
            text = f"{who} asks not to be polled again before {_span(asked)} have passed"
            yield Finding(Flaw.ASKS_TO_WAIT, text)
    if parsed.hints.skip_hours or parsed.hints.skip_days:
        hours, days = len(parsed.hints.skip_hours), len(parsed.hints.skip_days)
        text = f"asks not to be polled in {hours} hours of the day and on {days} days of the week"
        yield Finding(Flaw.ASKS_TO_WAIT, text)
    yield from (Finding(Flaw.DAMAGED, problem) for problem in parsed.problems)
    if parsed.cut_short:
        text = "ends in the middle: what is whole of it is kept, and all is asked for again"
        yield Finding(Flaw.CUT_SHORT, text)


def _of_the_entries(seen: Seen, every: timedelta) -> Iterator[Finding]:
    entries = seen.parsed.entries
    if not entries:
        if not seen.parsed.cut_short:
            yield Finding(Flaw.EMPTY, "has no entries: its first one will be news")
        return
    yield from _of_the_dates(seen, every)
    total = len(entries)
    if without := sum(not entry.guid for entry in entries):
        text = f"{without} of {total} entries have no guid: they are known by link or text"
        yield Finding(Flaw.NO_GUID, text)
    own = [identity_keys(entry) for entry in entries]
    judged = document_keys(own, frozenset())
    shared = sum((a.guid, a.link) != (b.guid, b.link) for a, b in zip(own, judged, strict=True))
    if shared:
        text = f"{shared} of {total} entries share a guid or link, which then tells none of them"
        yield Finding(Flaw.SHARED, text)
    if without := sum(not entry.url for entry in entries):
        yield Finding(Flaw.NO_LINK, f"{without} of {total} entries have no link for readers")
    bare = sum(not entry.text and not entry.summary for entry in entries)
    if bare and not seen.full_text:
        text = (
            f"{bare} of {total} entries are a headline only: rules see no text there, "
            "unless full_text: true reads their pages"
        )
        yield Finding(Flaw.HEADLINES_ONLY, text)


def _of_the_dates(seen: Seen, every: timedelta) -> Iterator[Finding]:
    entries, now = seen.parsed.entries, seen.now
    dates = sorted(entry.published for entry in entries if entry.published)
    if missing := len(entries) - len(dates):
        text = (
            f"{missing} of {len(entries)} entries have no date: they count from when they are seen"
        )
        yield Finding(Flaw.UNDATED, text)
    if ahead := [date for date in dates if date > now + FUTURE]:
        text = f"{len(ahead)} entries are dated in the future, up to {ahead[-1]:%Y-%m-%d}"
        yield Finding(Flaw.FUTURE, text)
    past = [date for date in dates if date <= now]
    allowed = stale_after(begun(dates, now)) or timedelta(days=180)
    if past and now - past[-1] > allowed:
        text = f"nothing new since {past[-1]:%Y-%m-%d}, longer than its own rhythm explains"
        yield Finding(Flaw.SILENT, text)
    if len(past) > 1 and past[-1] - past[0] < every and not missing:
        text = f"shows the last {_span(past[-1] - past[0])} only: entries may come and go between polls"
        yield Finding(Flaw.SHORT, text)


def _size(count: int) -> str:
    return f"{count / 1024:.0f} KiB" if count >= 1024 else f"{count} bytes"


def _span(span: timedelta) -> str:
    return format_duration(timedelta(minutes=max(round(span.total_seconds() / 60), 1)))


def _plain(encoding: str) -> str:
    """Names that mean the same for what is read: ASCII is UTF-8, and Latin-1 is windows-1252."""
    name = encoding.lower().replace("_", "-")
    same = {"us-ascii": "utf-8", "ascii": "utf-8", "iso-8859-1": "windows-1252", "utf8": "utf-8"}
    return same.get(name, {"cp1252": "windows-1252", "latin-1": "windows-1252"}.get(name, name))
