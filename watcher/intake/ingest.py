"""Polls of feeds: fetch and parse side by side, then store those that are done together."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog

from watcher.errors import ParseError, SourceError
from watcher.faults import Faults
from watcher.fetch.feed import FetchedFeed, fetch_feed
from watcher.intake.full_text import ALL_PAGES, FullText
from watcher.intake.hubs import Hubs
from watcher.intake.polled import Polled, PollLimits, PollReport, Pushed
from watcher.intake.record import Recorder, digest
from watcher.model import FeedState, ParsedFeed
from watcher.polling import ask_in_full
from watcher.ports import Clock, Door, FeedParser
from watcher.sources.index_page import read_index
from watcher.sources.settings import FeedSettings, PageSettings
from watcher.stories.publishers import PublisherTable
from watcher.writer import Batches, Writer

log = structlog.get_logger()

# A transaction of so many entries and polls takes a fifth of a second when all of them are new.
WEIGHT_OF_TRANSACTION = 1200

# A hub waits for its answer meanwhile.
PAGES_OF_PUSH = timedelta(seconds=10)


class Ingest:
    """Polls feeds; several may be fetched at once, the store takes what is done in one go."""

    def __init__(
        self,
        recorder: Recorder,
        writer: Writer,
        *,
        door: Door,
        parser: FeedParser,
        clock: Clock,
        faults: Faults,
        hubs: Hubs | None = None,
        full_text: FullText | None = None,
    ) -> None:
        """Without `full_text` articles have what their feeds say."""
        self._full_text = full_text
        self._recorder = recorder
        self._hubs = hubs
        self._done = Batches(
            writer,
            recorder.record,
            limit=WEIGHT_OF_TRANSACTION,
            weight=_weight,
            apart=lambda item: item.feed.id,
        )
        self._door = door
        self._parser = parser
        self._clock = clock
        self._faults = faults
        self._feeds: Mapping[str, FeedSettings] = {}
        self._limits = PollLimits()

    def use(
        self, feeds: Sequence[FeedSettings], publishers: PublisherTable, limits: PollLimits
    ) -> None:
        """Take a (re)loaded configuration; polls under way end with the old one."""
        self._feeds = {feed.id: feed for feed in feeds}
        self._recorder.use(publishers, limits.bounds)
        self._limits = limits

    async def poll(self, state: FeedState) -> PollReport:
        """Never raises for what a feed does: trouble is recorded on that feed."""
        report = await self._done.add(await self._ask(self._feeds[state.feed], state))
        self._faults.hit("after_commit")
        _say(report)
        return report

    async def take(self, name: str, topic: str, body: bytes, content_type: str | None) -> None:
        """Store what a hub sent; returns when it is. Raises `ParseError` when it is no feed."""
        feed = self._feeds.get(name)
        if feed is None:
            return
        if feed.page is not None:
            raise ParseError("not_a_feed", "the feed is a page, of which its selectors tell")
        parsed = await self._parser.parse(body, url=topic, content_type=content_type)
        texts = await self._texts(feed, parsed, within=PAGES_OF_PUSH)
        report = await self._done.add(Pushed(feed, topic, parsed, texts))
        self._faults.hit("after_commit")
        _say(report, "pushed")

    async def _ask(self, feed: FeedSettings, state: FeedState) -> Polled:
        if self._hubs is not None and self._hubs.is_new(feed.id):
            # Hubs are named in feeds, and what is not modified is not read (0184).
            state = replace(state, etag=None, last_modified=None, body_hash=None)
        try:
            fetched = await self._fetch(feed, state)
            self._faults.hit("after_fetch")
            body_hash = None if fetched.not_modified else digest(fetched.body)
            # None when there is nothing new to read: a 304, or the very same bytes again.
            parsed = (
                None
                if body_hash in (None, state.body_hash)
                else await read_feed(self._parser, feed.page, fetched)
            )
            fetched = _let_go(fetched, parsed)
        except SourceError as error:
            return Polled(feed, state, error)
        texts = await self._texts(feed, parsed)
        return Polled(feed, state, fetched, parsed, texts, body_hash)

    async def _texts(
        self, feed: FeedSettings, parsed: ParsedFeed | None, *, within: timedelta = ALL_PAGES
    ) -> Mapping[str, str]:
        if parsed is None or self._full_text is None:
            return {}
        return await self._full_text.of(feed, parsed, within=within)

    async def _fetch(self, feed: FeedSettings, state: FeedState) -> FetchedFeed:
        if ask_in_full(state, self._clock.now()):
            state = replace(state, etag=None, last_modified=None)
        return await fetch_feed(
            self._door,
            state,
            now=self._clock.now(),
            headers={name: value.get_secret_value() for name, value in feed.headers.items()},
            deadline=self._limits.deadline,
            max_bytes=self._limits.max_body,
        )


def _let_go(fetched: FetchedFeed, parsed: ParsedFeed | None) -> FetchedFeed:
    """Without its body, and without the validators of one that was cut short: the rest may follow.

    Raises `ParseError` when nothing came of it: an empty feed would have its baseline behind it.
    """
    if fetched.not_modified:
        return fetched
    if parsed is None or not parsed.cut_short:
        return replace(fetched, body=b"")
    if not parsed.entries:
        raise ParseError("truncated", "the feed ends before its first entry")
    return replace(fetched, body=b"", etag=None, last_modified=None)


async def read_feed(
    parser: FeedParser, page: PageSettings | None, fetched: FetchedFeed
) -> ParsedFeed:
    """A feed, or the list of a page. Raises `ParseError`."""
    body, url, content_type = fetched.body, fetched.url, fetched.content_type
    if page is None:
        return await parser.parse(body, url=url, content_type=content_type)
    return await parser.ask(partial(read_index, page), body, url=url, content_type=content_type)


def _weight(poll: Polled | Pushed) -> int:
    return 1 + (len(poll.parsed.entries) if poll.parsed else 0)


def _say(report: PollReport, what: str = "polled") -> None:
    fields = {
        k: v
        for k in ("entries", "new", "revised", "matched", "alerts", "error")
        if (v := getattr(report, k))
    }
    event = log.warning if report.error else log.info
    event(
        what,
        feed=report.feed,
        outcome=report.outcome,
        next_poll_at=report.next_poll_at.isoformat(timespec="seconds"),
        **fields,
    )
