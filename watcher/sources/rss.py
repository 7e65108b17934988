"""RSS, Atom and CDF by feedparser: tolerant of everything the web serves, and slow."""

import re
from collections.abc import Mapping
from typing import Any

import feedparser

from watcher.errors import ParseError
from watcher.model import Entry, ParsedFeed
from watcher.sources import feed_dates  # noqa: F401 - it teaches feedparser to read dates
from watcher.sources.encoding import Decoded
from watcher.sources.entries import feed_author, link, make_entry, poll_hints
from watcher.sources.feedparser_costs import bound
from watcher.sources.html import Markup, html_to_line
from watcher.sources.limits import (
    MAX_ENTRIES,
    ends_in_an_item,
    leave_out_items,
    refuse_hostile_xml,
    split_prolog,
)
from watcher.sources.people import keep_people
from watcher.text import clean_line

_FEED_ROOT = re.compile(rb"<(rss|feed|rdf:RDF|channel)[\s>]", re.IGNORECASE)
# Feeds that are never well-formed still end so; comments may follow.
_FEED_END = re.compile(rb"</(?:\w+:)?(?:rss|feed|rdf|channel)\s*>", re.IGNORECASE)
_TAIL = 2000
# The document type tells Netscape's RSS 0.91 from Userland's, and nothing else.
_PROLOG = (
    b"<?xml version='1.0' encoding='utf-8'?>\n",
    b"<?xml version='1.0' encoding='utf-8'?>\n<!DOCTYPE rss SYSTEM 'netscape'>\n",
)
_NETSCAPE = re.compile(rb"<!DOCTYPE[^>]*netscape", re.IGNORECASE)
_CDF_ROOT = re.compile(rb"(?:<[!?][^>]*>|\s)*<channel[\s>]", re.IGNORECASE)


bound()
keep_people()


class _Passed:
    """A document that nobody keeps while feedparser makes its copies."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self) -> bytes:
        body, self._body = self._body, b""
        return body


def parse_xml(document: Decoded, *, url: str) -> ParsedFeed:
    """Raises `ParseError` when feedparser finds no feed in it."""
    body, left_out = leave_out_items(document.body)
    refuse_hostile_xml(body)
    prolog, body = split_prolog(body)
    head = body[:20_000]
    given = _Passed(_PROLOG[_NETSCAPE.search(prolog) is not None] + body)
    del body
    # Sanitising is feedparser's slowest part, and we keep no markup.
    parsed = feedparser.parse(
        given,
        # Without our address: feedparser would write it into relative guids, and a feed that
        # moved would have all its articles renamed. `link` makes links absolute.
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not parsed.get("version") and not parsed.entries and not _FEED_ROOT.search(head, 0, 5000):
        raise ParseError("not_a_feed", _what_it_is(document.body))
    problems = [document.problem] if document.problem else []
    if parsed.get("bozo"):
        problems.append(_bozo(parsed))
    cut_short = bool(parsed.get("bozo")) and not _FEED_END.search(document.body[-_TAIL:])
    if cut_short and ends_in_an_item(document.body):
        # Without its guid or link, say, it would be another article than the whole one.
        del parsed.entries[-1:]
        problems.append("it ends within an entry, which was left out")
    lang = parsed.feed.get("language")
    author = feed_author(parsed.get("version") or "", parsed.feed)
    entries, skipped = make_entries(parsed.entries[:MAX_ENTRIES], url, lang, author)
    if skipped:
        problems.append(f"{skipped} entries could not be read and were skipped")
    left_out += max(len(parsed.entries) - MAX_ENTRIES, 0)
    if left_out:
        problems.append(f"{left_out} entries beyond the first {len(entries)} were left out")
    return ParsedFeed(
        format=parsed.get("version") or ("cdf" if _CDF_ROOT.match(head) else "unknown"),
        title=html_to_line(parsed.feed.get("title") or ""),
        link=link(parsed.feed.get("link"), url),
        lang=lang or None,
        encoding=document.encoding,
        parser="feedparser",
        problems=tuple(problems),
        entries=entries,
        hints=poll_hints(parsed.feed, head, url),
        cut_short=cut_short,
    )


def make_entries(
    records: list[Any], url: str, lang: str | None, author: str | None
) -> tuple[tuple[Entry, ...], int]:
    """The entries, and how many records were none (RELIABILITY 40)."""
    entries, markup = [], Markup()
    for raw in records:
        try:
            entries.append(make_entry(raw, url, lang, markup, author))
        except (ValueError, TypeError, AttributeError, KeyError):
            continue
    return tuple(entries), len(records) - len(entries)


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
