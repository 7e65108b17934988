"""RSS 0.9x, 1.0, 2.0, Atom and CDF by feedparser: tolerant of everything the web serves."""

import io
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

import feedparser

from watcher.errors import ParseError
from watcher.model import Enclosure, Entry, ParsedFeed, PollHints
from watcher.sources.dates import from_struct
from watcher.sources.html import html_to_line, html_to_text
from watcher.sources.limits import MAX_ENTRIES, leave_out_items, refuse_hostile_xml
from watcher.text import clean_line, safe_link

_FEED_ROOT = re.compile(rb"<(rss|feed|rdf:RDF|channel)[\s>]", re.IGNORECASE)
_SKIP_HOUR = re.compile(rb"<hour>\s*(\d{1,2})\s*</hour>")
_SKIP_DAY = re.compile(rb"<day>\s*([A-Za-z]{6,9})\s*</day>")
_SKIP_DAYS = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
_PERIODS = {"hourly": 1, "daily": 24, "weekly": 168, "monthly": 720, "yearly": 8760}


def parse_xml(body: bytes, *, url: str, content_type: str | None) -> ParsedFeed:
    """Raises `ParseError` when feedparser finds no feed in it."""
    body, left_out = leave_out_items(body)
    refuse_hostile_xml(body)
    # Sanitising is feedparser's slowest part, and we keep no markup.
    parsed = feedparser.parse(
        io.BytesIO(body),
        # Without our address: feedparser would write it into relative guids, and a feed that
        # moved would have all its articles renamed. `_link` makes links absolute.
        response_headers={"content-type": content_type or "application/xml"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not parsed.get("version") and not parsed.entries and not _FEED_ROOT.search(body[:5000]):
        raise ParseError("not_a_feed", _what_it_is(body))
    feed = parsed.feed
    problems = [_bozo(parsed)] if parsed.get("bozo") else []
    entries: list[Entry] = []
    skipped = 0
    for raw in parsed.entries[:MAX_ENTRIES]:
        try:
            entries.append(_entry(raw, url, feed.get("language")))
        except (ValueError, TypeError, AttributeError, KeyError):
            skipped += 1
    if skipped:
        problems.append(f"{skipped} entries could not be read and were skipped")
    left_out += max(len(parsed.entries) - MAX_ENTRIES, 0)
    if left_out:
        problems.append(f"{left_out} entries beyond {MAX_ENTRIES} were left out")
    return ParsedFeed(
        format=parsed.get("version") or "unknown",
        title=html_to_line(feed.get("title") or ""),
        link=_link(feed.get("link"), url),
        lang=feed.get("language") or None,
        encoding=parsed.get("encoding") or None,
        parser="feedparser",
        problems=tuple(problems),
        entries=tuple(entries),
        hints=_hints(feed, body, url),
    )


def _entry(raw: Mapping[str, Any], base: str, lang: str | None) -> Entry:
    summary = raw.get("summary") or ""
    contents = raw.get("content") or []
    content = max((c.get("value") or "" for c in contents), key=len, default="")
    if content == summary:
        summary = "" if raw.get("summary_detail") is None and not _has_description(raw) else summary
    source = raw.get("source") or {}
    return Entry(
        guid=raw.get("id") or None,
        url=_entry_link(raw, base),
        title=html_to_line(raw.get("title") or ""),
        summary=html_to_text(summary),
        text=html_to_text(content) if content != summary else "",
        author=clean_line(raw.get("author") or "") or None,
        published=from_struct(_date(raw, "published_parsed") or _date(raw, "updated_parsed")),
        updated=from_struct(_date(raw, "updated_parsed")),
        tags=tuple(
            dict.fromkeys(
                clean_line(tag.get("term") or tag.get("label") or "")
                for tag in raw.get("tags") or ()
                if tag.get("term") or tag.get("label")
            )
        ),
        enclosures=tuple(
            Enclosure(link, found.get("type") or None, _length(found.get("length")))
            for found in raw.get("enclosures") or ()
            if (link := _link(found.get("href") or found.get("url"), base))
        ),
        publisher=html_to_line(source.get("title") or "") or None,
        publisher_url=_link(source.get("href") or source.get("link"), base),
        lang=_language(raw) or lang or None,
    )


def _date(raw: Mapping[str, Any], key: str) -> Any:
    # feedparser's own mapping answers `updated` with `published` and warns; ask the plain dict.
    return dict.get(raw, key) if isinstance(raw, dict) else raw.get(key)


def _has_description(raw: Mapping[str, Any]) -> bool:
    return isinstance(raw, dict) and dict.__contains__(raw, "summary")


def _language(raw: Mapping[str, Any]) -> str | None:
    for key in ("title_detail", "summary_detail"):
        language = (raw.get(key) or {}).get("language")
        if language:
            return str(language)
    return None


def _entry_link(raw: Mapping[str, Any], base: str) -> str | None:
    own = _link(raw.get("link"), base)
    if own:
        return own
    for found in raw.get("links") or ():
        if found.get("rel") in {"alternate", None}:
            own = _link(found.get("href"), base)
            if own:
                return own
    return None


def _link(value: Any, base: str) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        return safe_link(urljoin(base, value.strip()))
    except ValueError:
        return None


def _length(value: Any) -> int | None:
    text = str(value or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _hints(feed: Mapping[str, Any], body: bytes, base: str) -> PollHints:
    links = feed.get("links") or ()
    by_rel = {found.get("rel"): found.get("href") for found in reversed(list(links))}
    # feedparser leaves these two out; they stand before the items.
    head = body[:20_000]
    return PollHints(
        ttl=_ttl(feed),
        hub=_link(by_rel.get("hub"), base),
        self_url=_link(by_rel.get("self"), base),
        skip_hours=frozenset(
            int(hour) % 24 for hour in _SKIP_HOUR.findall(head) if int(hour) <= 24
        ),
        skip_days=frozenset(
            day for raw in _SKIP_DAY.findall(head) if (day := raw.decode().lower()) in _SKIP_DAYS
        ),
    )


def _ttl(feed: Mapping[str, Any]) -> timedelta | None:
    ttl = str(feed.get("ttl") or "").strip()
    if ttl.isascii() and ttl.isdigit() and int(ttl[:9]) > 0:
        return timedelta(minutes=int(ttl[:9]))
    period = _PERIODS.get(str(feed.get("sy_updateperiod") or "").strip().lower())
    frequency = str(feed.get("sy_updatefrequency") or "1").strip()
    if period is None or not frequency.isdigit() or not int(frequency[:6]) > 0:
        return None
    return timedelta(hours=period) / int(frequency[:6])


def _bozo(parsed: Mapping[str, Any]) -> str:
    error = parsed.get("bozo_exception")
    return clean_line(f"not well-formed: {error}", 200)


def _what_it_is(body: bytes) -> str:
    head = body[:2000].lstrip().lower()
    if not head:
        return "the answer is empty"
    if head.startswith((b"<!doctype html", b"<html")) or b"<html" in head:
        return "the answer is a web page: look on it for the address of its feed"
    return "the answer is neither RSS, Atom nor JSON Feed"
