"""Fields as the XML parsers leave them, to entries; the same for both parsers.

`raw` is feedparser's record of an item, or a plain dictionary of that shape.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin

from watcher.model import Enclosure, Entry, PollHints
from watcher.sources.dates import from_struct
from watcher.sources.html import Markup
from watcher.sources.people import people_line
from watcher.text import clean_line, is_plain_link, safe_link

_SKIP_HOUR = re.compile(rb"<hour>\s*(\d{1,2})\s*</hour>")
_SKIP_DAY = re.compile(rb"<day>\s*([A-Za-z]{6,9})\s*</day>")
_SKIP_DAYS = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
_PERIODS = {"hourly": 1, "daily": 24, "weekly": 168, "monthly": 720, "yearly": 8760}


def make_entry(
    raw: Mapping[str, Any],
    base: str,
    lang: str | None,
    markup: Markup | None = None,
    author: str | None = None,
) -> Entry:
    """`lang` and `author` are the feed's, for an entry that names none.

    May raise what odd records make of it: the item is skipped and counted.
    """
    markup = markup or Markup()
    summary = raw.get("summary") or ""
    contents = raw.get("content") or ()
    content = max((c.get("value") or "" for c in contents), key=len) if contents else ""
    source = raw.get("source") or {}
    published, updated = _date(raw, "published_parsed"), _date(raw, "updated_parsed")
    return Entry(
        guid=raw.get("id") or None,
        url=_entry_link(raw, base),
        title=markup.line(raw.get("title") or ""),
        summary=markup.text(summary),
        text=markup.text(content) if content != summary else "",
        author=people_line(raw.get("people") or ()) or author,
        published=published or updated,
        updated=updated,
        tags=_tags(raw),
        enclosures=_enclosures(raw, base),
        publisher=markup.line(source.get("title") or "") or None if source else None,
        publisher_url=link(source.get("link") or source.get("href"), base) if source else None,
        lang=_language(raw) or lang or None,
    )


def feed_author(version: str, feed: Mapping[str, Any]) -> str | None:
    """Of Atom alone: elsewhere whoever edits a channel did not write its items (RFC 4287 §4.2.1)."""
    return people_line(feed.get("people") or ()) if version.startswith("atom") else None


def link(value: object, base: str) -> str | None:
    """Absolute and safe to click, or None."""
    if not isinstance(value, str) or not value:
        return None
    value = value.strip()
    if is_plain_link(value):
        return value
    try:
        return safe_link(urljoin(base, value)) if value else None
    except ValueError:
        return None


def poll_hints(feed: Mapping[str, Any], head: bytes, base: str) -> PollHints:
    """`head`: where skipHours and skipDays are looked for; feedparser leaves those two out."""
    by_rel = {found.get("rel"): found.get("href") for found in reversed(feed.get("links") or [])}
    return PollHints(
        ttl=_ttl(feed),
        hub=link(by_rel.get("hub"), base),
        self_url=link(by_rel.get("self"), base),
        skip_hours=frozenset(
            int(hour) % 24 for hour in _SKIP_HOUR.findall(head) if int(hour) <= 24
        ),
        skip_days=frozenset(
            day for raw in _SKIP_DAY.findall(head) if (day := raw.decode().lower()) in _SKIP_DAYS
        ),
    )


def _date(raw: Mapping[str, Any], key: str) -> datetime | None:
    # feedparser's own mapping answers `updated` with `published` and warns; ask the plain dict.
    found = dict.get(raw, key) if isinstance(raw, dict) else raw.get(key)
    return found if isinstance(found, datetime) else from_struct(found)


def _tags(raw: Mapping[str, Any]) -> tuple[str, ...]:
    found = raw.get("tags")
    if not found:
        return ()
    terms = (tag.get("term") or tag.get("label") for tag in found)
    return tuple(dict.fromkeys(clean_line(term) for term in terms if term))


def _enclosures(raw: Mapping[str, Any], base: str) -> tuple[Enclosure, ...]:
    """Those of `media:content` behind the feed's own, each address once."""
    enclosures: dict[str, Enclosure] = {}
    for found in (*(raw.get("enclosures") or ()), *(raw.get("media_content") or ())):
        if address := link(found.get("href") or found.get("url"), base):
            length = _length(found.get("length") or found.get("filesize"))
            enclosures.setdefault(address, Enclosure(address, found.get("type") or None, length))
    return tuple(enclosures.values())


def _language(raw: Mapping[str, Any]) -> str | None:
    for key in ("title_detail", "summary_detail"):
        language = (raw.get(key) or {}).get("language")
        if language:
            return str(language)
    return None


def _entry_link(raw: Mapping[str, Any], base: str) -> str | None:
    own = link(raw.get("link"), base)
    if own:
        return own
    for found in raw.get("links") or ():
        if found.get("rel") in {"alternate", None}:
            own = link(found.get("href"), base)
            if own:
                return own
    return None


def _length(value: Any) -> int | None:
    text = str(value or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _ttl(feed: Mapping[str, Any]) -> timedelta | None:
    ttl = str(feed.get("ttl") or "").strip()
    if ttl.isascii() and ttl.isdigit() and int(ttl[:9]) > 0:
        return timedelta(minutes=int(ttl[:9]))
    period = _PERIODS.get(str(feed.get("sy_updateperiod") or "").strip().lower())
    frequency = str(feed.get("sy_updatefrequency") or "1").strip()
    if period is None or not frequency.isascii() or not frequency.isdigit():
        return None
    return timedelta(hours=period) / int(frequency[:6]) if int(frequency[:6]) > 0 else None
