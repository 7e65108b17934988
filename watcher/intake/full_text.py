"""The text of the page an entry links to, for feeds that give headlines only (0174).

What a page does, an entry is never lost by it and hardly late: pages share a minute, and
whatever is not read by then leaves the entry with what the feed says.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

import structlog

from watcher.errors import FetchError, ParseError, SourceError
from watcher.fetch.urls import check_url
from watcher.model import Entry, HttpRequest, ParsedFeed
from watcher.ports import Door, FeedParser
from watcher.sources.article_page import read_article
from watcher.sources.markup import ACCEPT, MAX_PAGE
from watcher.sources.settings import FeedSettings
from watcher.text import host_of
from watcher.writer import Writer

log = structlog.get_logger()

PAGE_DEADLINE = timedelta(seconds=15)
# Of a poll; hosts are asked a second apart, so that is as many pages.
ALL_PAGES = timedelta(seconds=60)
MOST_PAGES = 100
AT_ONCE = 2
# So many pages that don't answer are enough of a host until the next poll.
MOST_FAILURES = 3
# Consent, login and error pages are shorter.
LEAST_TEXT = 200
_WALL = re.compile(
    r"/(?:log-?in|sign-?in|sign-?up|consent|captcha|challenge|subscribe|register)(?:[/.?]|$)",
    re.IGNORECASE,
)
# Letters of alphabets that put spaces between words.
_WORD = re.compile(r"[a-z\u00df-\u024f\u0370-\u058f]{4,}")

Unread = Callable[[FeedSettings, ParsedFeed], Sequence[Entry]]


async def fetch_article(
    door: Door, reader: FeedParser, url: str, *, feed_url: str, headers: Mapping[str, str]
) -> str:
    """Its text, which may be empty. Raises `FetchError` or `ParseError`.

    Whoever writes the feed chooses the address: the door judges it, and it may have the
    ordinary ports and the feed's own.
    """
    target = check_url(url, origin=check_url(feed_url))
    response = await door.request(
        HttpRequest(
            target.url,
            headers={"Accept": ACCEPT, **headers},
            timeout=PAGE_DEADLINE,
            max_bytes=MAX_PAGE,
        )
    )
    if response.status != 200:
        raise FetchError(f"http_{response.status}", target.host, status=response.status)
    kind = response.headers.get("content-type", "text/html")
    if not kind.lower().startswith(("text/html", "application/xhtml+xml")):
        raise ParseError("no_page", kind.partition(";")[0][:100])
    if led_away(target.url, response.url):
        raise ParseError("led_away", response.url)
    return await reader.ask(read_article, response.body, url=response.url, content_type=kind)


def led_away(asked: str, answered: str) -> bool:
    """Whether a redirect went to the front page or to a wall of some kind."""
    before, after = urlsplit(asked), urlsplit(answered)
    if before.path == after.path:
        return False
    return after.path in {"", "/"} or (
        _WALL.search(after.path) is not None and not _WALL.search(before.path)
    )


def why_unfit(text: str, entry: Entry) -> str:
    """Why this text is not the entry's article, in a word; empty when it may be."""
    if len(text) < LEAST_TEXT:
        return "too_short"
    said = set(_WORD.findall(f"{entry.title} {entry.summary[:500]}".lower()))
    if len(said) > 2 and said.isdisjoint(_WORD.findall(text.lower())):
        return "about_something_else"
    return ""


@dataclass(slots=True)
class _Round:
    """The pages of one poll."""

    texts: dict[str, str] = field(default_factory=dict)
    missed: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)

    def fail(self, url: str, error: SourceError) -> None:
        self.missed[error.reason] += 1
        status = error.status if isinstance(error, FetchError) else 0
        if status is None:
            self.failures[host_of(url)] += 1
        elif status in {401, 403, 429, 503}:
            self.failures[host_of(url)] += MOST_FAILURES

    def told_once(self) -> dict[str, str]:
        """A text on several pages is none of their articles."""
        count = Counter(self.texts.values())
        shared = [url for url, text in self.texts.items() if count[text] > 1]
        self.missed["same_on_all"] += len(shared)
        return {url: text for url, text in self.texts.items() if count[text] == 1}


class FullText:
    """Reads the pages of entries that the store does not know yet."""

    def __init__(
        self,
        door: Door,
        reader: FeedParser,
        writer: Writer,
        unread: Unread,
        *,
        deadline: timedelta = ALL_PAGES,
    ) -> None:
        """`unread` is called in the writer's thread; `reader` is not the one that feeds wait for."""
        self._door = door
        self._reader = reader
        self._writer = writer
        self._unread = unread
        self._deadline = deadline.total_seconds()

    async def of(
        self, feed: FeedSettings, parsed: ParsedFeed, *, within: timedelta = ALL_PAGES
    ) -> Mapping[str, str]:
        """Texts by the link of their entry; returns within the deadline, raises for no page."""
        if not feed.full_text:
            return {}
        wanted = {e.url: e for e in await self._writer(self._unread, feed, parsed) if e.url}
        if not wanted:
            return {}
        found = _Round()
        turns = asyncio.Semaphore(AT_ONCE)
        pages = [
            self._read(feed, url, entry, turns, found)
            for url, entry in list(wanted.items())[:MOST_PAGES]
        ]
        try:
            async with asyncio.timeout(min(self._deadline, within.total_seconds())):
                await asyncio.gather(*pages)
        except TimeoutError:
            found.missed["out_of_time"] += 1
        texts = found.told_once()
        missed = {reason: count for reason, count in found.missed.items() if count}
        log.info("full_text", feed=feed.id, wanted=len(wanted), read=len(texts), missed=missed)
        return texts

    async def _read(
        self,
        feed: FeedSettings,
        url: str,
        entry: Entry,
        turns: asyncio.Semaphore,
        found: _Round,
    ) -> None:
        async with turns:
            if found.failures[host_of(url)] >= MOST_FAILURES:
                found.missed["host_left_alone"] += 1
                return
            try:
                text = await fetch_article(
                    self._door, self._reader, url, feed_url=feed.url, headers=_open_headers(feed)
                )
            except SourceError as error:
                found.fail(url, error)
                return
        if why := why_unfit(text, entry):
            found.missed[why] += 1
        else:
            found.texts[url] = text


def _open_headers(feed: FeedSettings) -> dict[str, str]:
    """Those that are no secret: the links of a feed are its author's to choose."""
    return {
        name: value.get_secret_value()
        for name, value in feed.headers.items()
        if name.lower() in {"user-agent", "accept-language"}
    }
