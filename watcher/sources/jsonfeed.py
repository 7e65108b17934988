"""JSON Feed 1.0 and 1.1 (jsonfeed.org)."""

import json
import re
from typing import Any
from urllib.parse import urljoin

from watcher.errors import ParseError
from watcher.model import Enclosure, Entry, ParsedFeed, PollHints
from watcher.sources.dates import parse_date
from watcher.sources.encoding import Decoded
from watcher.sources.html import Markup, html_to_line
from watcher.sources.limits import MAX_ENTRIES
from watcher.sources.people import people_line
from watcher.text import clean_line, clean_text, safe_link

_SURROGATE = re.compile("[\ud800-\udfff]")
# A value costs 50 bytes and more, and feeds have some thousands.
MAX_PARTS = 100_000
MAX_DIGITS = 40


def parse_json(document: Decoded, *, url: str) -> ParsedFeed:
    """Raises `ParseError`; single bad items are skipped and counted."""
    data = _load(document.body)
    version = str(data.get("version") or "")
    items = data.get("items")
    if "jsonfeed.org" not in version or not isinstance(items, list):
        raise ParseError("not_a_feed", "JSON, but not a JSON Feed (no version or items)")
    lang, author = _text(data.get("language")) or None, _author(data)
    entries: list[Entry] = []
    skipped, markup = 0, Markup()
    for item in items[:MAX_ENTRIES]:
        if isinstance(item, dict):
            entries.append(_entry(item, url, lang, author, markup))
        else:
            skipped += 1
    problems = [document.problem] if document.problem else []
    if skipped:
        problems.append(f"{skipped} items are not objects and were skipped")
    if len(items) > MAX_ENTRIES:
        problems.append(
            f"{len(items) - MAX_ENTRIES} items beyond the first {MAX_ENTRIES} were left out"
        )
    return ParsedFeed(
        format="json11" if version.rstrip("/").endswith("1.1") else "json1",
        title=html_to_line(_text(data.get("title"))),
        link=_link(data.get("home_page_url"), url),
        lang=lang,
        encoding=document.encoding,
        parser="fast",
        problems=tuple(problems),
        entries=tuple(entries),
        hints=PollHints(hub=_hub(data, url), self_url=_link(data.get("feed_url"), url)),
    )


def _hub(data: dict[str, Any], base: str) -> str | None:
    hubs = data.get("hubs")
    found = (hub for hub in hubs if isinstance(hub, dict)) if isinstance(hubs, list) else ()
    return next((_link(hub.get("url"), base) for hub in found if hub.get("type") == "WebSub"), None)


def _load(body: bytes) -> dict[str, Any]:
    if body.count(b"{") + body.count(b"[") > MAX_PARTS or body.count(b",") > 5 * MAX_PARTS:
        raise ParseError("too_complex", f"more than {MAX_PARTS} objects and lists")
    try:
        data = json.loads(body, parse_int=_number)
    except (ValueError, RecursionError) as error:
        raise ParseError("bad_json", clean_line(str(error), 200)) from error
    if not isinstance(data, dict):
        raise ParseError("not_a_feed", f"JSON, but {type(data).__name__} instead of an object")
    return data


def _number(digits: str) -> int | str:
    """Thousands of digits are no number that Python reads; one such value must not cost the feed."""
    return int(digits) if len(digits) <= MAX_DIGITS else digits


def _entry(
    item: dict[str, Any], base: str, lang: str | None, author: str | None, markup: Markup
) -> Entry:
    html, plain = _text(item.get("content_html")), _text(item.get("content_text"))
    tags = item.get("tags")
    return Entry(
        guid=_text(item.get("id")) or None,
        url=_link(item.get("url"), base) or _link(item.get("external_url"), base),
        title=markup.line(_text(item.get("title"))),
        summary=clean_text(_text(item.get("summary"))),
        text=markup.text(html) or clean_text(plain),
        # 1.1: what the feed says of its authors holds for items that say nothing.
        author=_author(item) or author,
        published=parse_date(item.get("date_published")),
        updated=parse_date(item.get("date_modified")),
        tags=tuple(dict.fromkeys(clean_line(t) for t in tags if isinstance(t, str) and t.strip()))
        if isinstance(tags, list)
        else (),
        enclosures=tuple(_enclosures(item, base)),
        lang=_text(item.get("language")) or lang,
    )


def _enclosures(item: dict[str, Any], base: str) -> list[Enclosure]:
    found = item.get("attachments")
    result = []
    for raw in found if isinstance(found, list) else []:
        link = _link(raw.get("url"), base) if isinstance(raw, dict) else None
        if link:
            size = raw.get("size_in_bytes")
            length = size if isinstance(size, int) and 0 <= size < 2**53 else None
            result.append(Enclosure(link, _text(raw.get("mime_type")) or None, length))
    return result


def _author(item: dict[str, Any]) -> str | None:
    authors = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    people = [{"name": _text(a.get("name"))} for a in authors or () if isinstance(a, dict)]
    return people_line(people)


def _text(value: Any) -> str:
    if isinstance(value, str):
        # Half of an escaped pair is no letter, and nothing could store it.
        return value if value.isascii() else _SURROGATE.sub("\ufffd", value)
    # Ids are numbers in many feeds; 1.0 says to take them as text.
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**MAX_DIGITS else ""
    return ""


def _link(value: Any, base: str) -> str | None:
    try:
        return (
            safe_link(urljoin(base, _text(value).strip()))
            if isinstance(value, str) and value.strip()
            else None
        )
    except ValueError:
        return None
