"""A page or a feed → the feeds that answer: candidates are asked and parsed, each through the door."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from watcher.errors import FetchError, ParseError, SourceError
from watcher.fetch.feed import FetchedFeed, fetch_feed
from watcher.fetch.urls import check_url
from watcher.model import FeedState, ParsedFeed
from watcher.page import MAX_PAGE, decoded
from watcher.ports import Door
from watcher.sources.discover import Candidate, Why, find_feeds, find_in_page
from watcher.sources.naming import address_key
from watcher.sources.pool import ParserPool
from watcher.tasks import end

# So many candidates are asked, likely ones before usual places, which are asked when nothing else was.
MOST_ASKED = 12
DEADLINE = timedelta(seconds=15)
# Hosts are asked a second apart, so a dozen takes its time; what is not there by then is left.
ROUND_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Found:
    """A feed that answered; `per_day` and `newest` are None when its entries tell no dates."""

    url: str
    title: str
    format: str
    entries: int
    per_day: float | None
    newest: datetime | None
    lang: str | None = None
    why: Why | None = None
    comments: bool = False


@dataclass(frozen=True, slots=True)
class Miss:
    """An address that was asked in vain, and what came instead."""

    url: str
    error: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """`is_feed`: the address itself is the one feed. The best is first."""

    url: str
    is_feed: bool
    feeds: tuple[Found, ...]
    tried: tuple[Miss, ...] = ()


async def discover(door: Door, parser: ParserPool, url: str, *, now: datetime) -> Discovery:
    """Raises `FetchError` when the address can't be asked at all.

    A server that answers with an error may still serve feeds at the usual places.
    """
    try:
        page = await _fetch(door, url, now)
        at = page.url
    except FetchError as error:
        if not error.reason.startswith("http_"):
            raise
        tried, at, candidates = [Miss(url, str(error))], url, find_feeds("", url)
    else:
        try:
            feed = found_in(page, await _parse(parser, page), url)
            return Discovery(url, is_feed=True, feeds=(feed,))
        except ParseError as error:
            tried = [Miss(url, str(error))]
        candidates = await _candidates(parser, page)
    likely = [c for c in candidates if c.why != Why.USUAL and c.url != url]
    usual = [c for c in candidates if c.why == Why.USUAL and c.url != url]
    feeds: list[Found] = []
    for chosen in (likely[:MOST_ASKED], *_pairs(usual[:MOST_ASKED])):
        if all(feed.comments for feed in feeds):
            found, missed = await _ask(door, parser, chosen, at, now)
            feeds, tried = [*found, *feeds], [*tried, *missed]
    return Discovery(url, is_feed=False, feeds=_without_repeats(feeds), tried=tuple(tried))


def _pairs(candidates: Sequence[Candidate]) -> Iterator[Sequence[Candidate]]:
    """The first usual place that answers ends the search."""
    for start in range(0, len(candidates), 2):
        yield candidates[start : start + 2]


def found_in(fetched: FetchedFeed, parsed: ParsedFeed, url: str) -> Found:
    """`url` is what was asked; a move for good is followed."""
    dates = sorted(e.published for e in parsed.entries if e.published)
    return Found(
        url=fetched.moved_to or url,
        title=parsed.title,
        format=parsed.format,
        entries=len(parsed.entries),
        per_day=_per_day(dates),
        newest=dates[-1] if dates else None,
        lang=parsed.lang,
    )


def _per_day(dates: Sequence[datetime]) -> float | None:
    if len(dates) < 2:
        return None
    days = (dates[-1] - dates[0]).total_seconds() / 86400
    return round(len(dates) / max(days, 1 / 24), 1)


async def _fetch(door: Door, url: str, now: datetime) -> FetchedFeed:
    return await fetch_feed(door, FeedState("discover", url, now), now=now, deadline=DEADLINE)


async def _parse(parser: ParserPool, fetched: FetchedFeed) -> ParsedFeed:
    return await parser.parse(fetched.body, url=fetched.url, content_type=fetched.content_type)


async def _candidates(parser: ParserPool, page: FetchedFeed) -> tuple[Candidate, ...]:
    text = decoded(page.body[:MAX_PAGE], page.content_type or "")
    try:
        return await parser.ask(find_in_page, text.encode(), url=page.url)
    except ParseError:
        return find_feeds("", page.url)


async def _ask(
    door: Door, parser: ParserPool, candidates: Iterable[Candidate], page: str, now: datetime
) -> tuple[list[Found], list[Miss]]:
    """In the order of the candidates; what takes too long is a miss."""
    tasks = {asyncio.create_task(_verified(door, parser, c, page, now)): c.url for c in candidates}
    if not tasks:
        return [], []
    try:
        await asyncio.wait(tasks, timeout=ROUND_SECONDS)
    finally:
        await end(tasks)
    outcomes = [
        Miss(url, "timeout") if task.cancelled() else task.result() for task, url in tasks.items()
    ]
    found = [outcome for outcome in outcomes if isinstance(outcome, Found)]
    return found, [outcome for outcome in outcomes if isinstance(outcome, Miss)]


async def _verified(
    door: Door, parser: ParserPool, candidate: Candidate, page: str, now: datetime
) -> Found | Miss:
    try:
        # A page leads to the ordinary ports and to its own, as a redirect does.
        check_url(candidate.url, check_url(page))
        fetched = await _fetch(door, candidate.url, now)
        feed = found_in(fetched, await _parse(parser, fetched), candidate.url)
    except SourceError as error:
        return Miss(candidate.url, str(error))
    title = feed.title or candidate.title
    return replace(feed, title=title, why=candidate.why, comments=candidate.comments)


def _without_repeats(feeds: Iterable[Found]) -> tuple[Found, ...]:
    """Several addresses may lead to one."""
    kept: dict[str, Found] = {}
    for feed in feeds:
        kept.setdefault(address_key(feed.url), feed)
    return tuple(kept.values())
