"""One poll of one feed: fetch, parse, identify, decide, and store all of it in one transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random

import structlog

from watcher.alerts.policy import Reason
from watcher.compose import Composer
from watcher.errors import FetchError, SourceError
from watcher.faults import Faults
from watcher.fetch.feed import FetchedFeed, fetch_feed
from watcher.identity import Identified, Kind, identify, identity_keys, quarantined
from watcher.model import Article, FeedState, FeedStatus, ParsedFeed
from watcher.normalise import to_article
from watcher.notices import Notices
from watcher.pipeline import Outcome, Pipeline
from watcher.polling import NO_HINTS, Notice, PollBounds, PollPlan, after_failure, after_success
from watcher.ports import Clock, Door, FeedParser
from watcher.restore import restore_memory
from watcher.sources.settings import FeedSettings
from watcher.store.engine import Store, Transaction
from watcher.stories.publishers import PublisherTable
from watcher.writer import Writer

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PollReport:
    """What one poll did, in the words of the log and of `run --once`."""

    feed: str
    outcome: str
    next_poll_at: datetime
    entries: int = 0
    new: int = 0
    revised: int = 0
    matched: int = 0
    alerts: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class PollLimits:
    """How much a feed may cost, and how often it is asked by default."""

    bounds: PollBounds = field(default_factory=PollBounds)
    deadline: timedelta = timedelta(seconds=30)
    max_body: int = 10 * 1024 * 1024


@dataclass(slots=True)
class _Tally:
    new: int = 0
    revised: int = 0
    matched: int = 0
    alerts: int = 0

    def count(self, outcome: Outcome) -> None:
        self.matched += bool(outcome.matches)
        self.alerts += len(outcome.alerts)


class Ingest:
    """Polls feeds; several may be fetched at once, the store takes them one by one."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        pipeline: Pipeline,
        composer: Composer,
        *,
        door: Door,
        parser: FeedParser,
        notices: Notices,
        clock: Clock,
        rng: Random,
        faults: Faults,
    ) -> None:
        self._store = store
        self._writer = writer
        self._pipeline = pipeline
        self._composer = composer
        self._door = door
        self._parser = parser
        self._notices = notices
        self._clock = clock
        self._rng = rng
        self._faults = faults
        self._feeds: Mapping[str, FeedSettings] = {}
        self._publishers = PublisherTable()
        self._limits = PollLimits()

    def use(
        self, feeds: Sequence[FeedSettings], publishers: PublisherTable, limits: PollLimits
    ) -> None:
        """Take a (re)loaded configuration; polls under way end with the old one."""
        self._feeds = {feed.id: feed for feed in feeds}
        self._publishers = publishers
        self._limits = limits

    async def poll(self, state: FeedState) -> PollReport:
        """Never raises for what a feed does: trouble is recorded on that feed."""
        feed = self._feeds[state.feed]
        try:
            fetched = await self._fetch(feed, state)
            self._faults.hit("after_fetch")
            parsed = await self._parse(state, fetched)
        except SourceError as error:
            report = await self._writer(self._store_failure, feed, state, error)
        else:
            report = await self._writer(self._store_success, feed, state, fetched, parsed)
            self._faults.hit("after_commit")
        _say(report)
        return report

    async def _fetch(self, feed: FeedSettings, state: FeedState) -> FetchedFeed:
        return await fetch_feed(
            self._door,
            state,
            now=self._clock.now(),
            headers={name: value.get_secret_value() for name, value in feed.headers.items()},
            deadline=self._limits.deadline,
            max_bytes=self._limits.max_body,
        )

    async def _parse(self, state: FeedState, fetched: FetchedFeed) -> ParsedFeed | None:
        """None when there is nothing new to read: a 304, or the very same bytes again."""
        if fetched.not_modified or _digest(fetched.body) == state.body_hash:
            return None
        return await self._parser.parse(
            fetched.body, url=fetched.url, content_type=fetched.content_type
        )

    # ── in the writer's thread ──

    def _store_failure(
        self, feed: FeedSettings, state: FeedState, error: SourceError
    ) -> PollReport:
        plan = after_failure(
            state,
            now=self._clock.now(),
            bounds=self._bounds(feed),
            error=str(error),
            status=error.status if isinstance(error, FetchError) else None,
            retry_after=error.retry_after if isinstance(error, FetchError) else None,
            rng=self._rng,
        )
        with self._store.begin() as tx:
            tx.feeds.save(plan.state)
            self._tell_operator(tx, feed, plan)
        return PollReport(feed.id, error.reason, plan.state.next_poll_at, error=str(error))

    def _store_success(
        self,
        feed: FeedSettings,
        state: FeedState,
        fetched: FetchedFeed,
        parsed: ParsedFeed | None,
    ) -> PollReport:
        now = self._clock.now()
        try:
            with self._store.begin() as tx:
                report = self._commit(tx, feed, state, fetched, parsed, now)
                self._faults.hit("before_commit")
        except BaseException:
            # The transaction is undone; what the pipeline remembers of it must go too.
            with self._store.begin() as tx:
                restore_memory(self._pipeline, tx, now)
            raise
        return report

    def _commit(
        self,
        tx: Transaction,
        feed: FeedSettings,
        state: FeedState,
        fetched: FetchedFeed,
        parsed: ParsedFeed | None,
        now: datetime,
    ) -> PollReport:
        tally, status = _Tally(), None
        if parsed is not None:
            status = self._take_entries(tx, feed, state, parsed, now, tally)
            state = replace(
                state,
                baseline_done=True,
                title=parsed.title or state.title,
                body_hash=_digest(fetched.body),
                newest_at=now if tally.new else state.newest_at,
            )
        state = replace(state, etag=fetched.etag, last_modified=fetched.last_modified)
        plan = after_success(
            state,
            now=now,
            bounds=self._bounds(feed),
            hints=parsed.hints if parsed else NO_HINTS,
            fresh_for=fetched.fresh_for,
            moved_to=fetched.moved_to,
            rng=self._rng,
        )
        if status is FeedStatus.QUARANTINED:
            plan = replace(plan, state=replace(plan.state, status=status))
        tx.feeds.save(plan.state)
        self._tell_operator(tx, feed, plan)
        if tally.alerts:
            self._composer.compose_due(tx, now)
        return PollReport(
            feed.id,
            "not_modified" if parsed is None else str(status or "ok"),
            plan.state.next_poll_at,
            len(parsed.entries) if parsed else 0,
            tally.new,
            tally.revised,
            tally.matched,
            tally.alerts,
        )

    def _take_entries(
        self,
        tx: Transaction,
        feed: FeedSettings,
        state: FeedState,
        parsed: ParsedFeed,
        now: datetime,
        tally: _Tally,
    ) -> FeedStatus | None:
        keys = [k for e in parsed.entries for k in identity_keys(e, feed.identity).all]
        known = tx.articles.known(feed.id, keys)
        hashes = tx.articles.content_hashes(dict.fromkeys(known.values()))
        items = identify(feed.id, parsed.entries, known, hashes, feed.identity)
        fresh = [item for item in items if item.kind is Kind.NEW]
        held = quarantined(
            items,
            known_articles=tx.articles.identity_count(feed.id),
            last_success=state.last_success_at,
            now=now,
        )
        quiet = _held_back(feed, state, fresh, held)
        articles: dict[str, Article] = {}
        # Feeds list the newest first; stories are told from their beginning.
        for item in sorted(items, key=lambda i: (i.entry.published or now).timestamp()):
            if item.kind is Kind.NEW:
                articles[item.article] = self._article(feed, item, now)
                self._take_new(tx, articles[item.article], now, quiet.get(item.article), tally)
            elif item.kind is Kind.REVISION:
                self._take_revision(tx, feed, item, now, tally)
        kept = [item for item in items if item.kind is not Kind.SKIP]
        tx.articles.add_all(
            [(articles[i.article], i.content_hash) for i in kept if i.kind is Kind.NEW]
        )
        tx.articles.remember_all(
            feed.id, [(key, i.article) for i in kept for key in i.keys.all], now
        )
        if held:
            self._notices.add(
                tx,
                f"feed:{feed.id}:quarantine:{now:%Y%m%d}",
                f"feed {feed.id} showed {len(held)} old or undated entries under new names. They are "
                "stored and can be searched, but nobody was alerted",
            )
        return FeedStatus.QUARANTINED if held else None

    def _article(self, feed: FeedSettings, item: Identified, now: datetime) -> Article:
        return to_article(
            item.entry,
            id=item.article,
            feed=feed.id,
            feed_publisher=feed.publisher or feed.title or None,
            feed_lang=feed.lang,
            publishers=self._publishers,
            now=now,
        )

    def _take_new(
        self,
        tx: Transaction,
        article: Article,
        now: datetime,
        quiet: Reason | None,
        tally: _Tally,
    ) -> None:
        tally.new += 1
        outcome = self._pipeline.process(article, now, quiet=quiet)
        tally.count(outcome)
        store_outcome(tx, outcome, now)

    def _take_revision(
        self, tx: Transaction, feed: FeedSettings, item: Identified, now: datetime, tally: _Tally
    ) -> None:
        article = tx.articles.revise(self._article(feed, item, now), item.content_hash, now)
        tally.revised += 1
        already = frozenset(match.rule for match in tx.matches.of_article(article.id))
        outcome = self._pipeline.process(article, now, already=already)
        tally.count(outcome)
        store_outcome(tx, outcome, now)

    def _bounds(self, feed: FeedSettings) -> PollBounds:
        bounds = self._limits.bounds
        if feed.every is None:
            return bounds
        return replace(bounds, every=feed.every, least=min(bounds.least, feed.every))

    def _tell_operator(self, tx: Transaction, feed: FeedSettings, plan: PollPlan) -> None:
        if plan.notice is None:
            return
        words = {
            Notice.BROKEN: f"has failed {plan.state.failures} times in a row: {plan.state.last_error}. "
            "It is still polled, less often",
            Notice.RECOVERED: "works again",
            Notice.GONE: "says 410 Gone and is not polled any more. Remove it from feeds.yaml, or try again "
            f"with: watcher feeds revive {feed.id}",
            Notice.MOVED: f"has moved for good and is now polled at {plan.state.url}",
        }[plan.notice]
        key = f"feed:{feed.id}:{plan.notice}:{plan.state.last_polled_at:%Y%m%dT%H%M%S}"
        self._notices.add(tx, key, f"feed {feed.id} {words}")


def store_outcome(tx: Transaction, outcome: Outcome, now: datetime) -> None:
    """Everything the pipeline decided about one article."""
    assignment = outcome.assignment
    if assignment is None:
        return
    article = outcome.article
    tx.stories.save(assignment.story)
    tx.stories.add_article(
        assignment.story.id, article.id, assignment.role, now, assignment.similarity
    )
    tx.matches.add(outcome.matches, now)
    for verdict in outcome.verdicts:
        decision = verdict.decision
        if decision.reason is Reason.REVISION:
            continue  # what was decided of the earlier version stands
        tx.alerts.note_verdict(
            rule=verdict.match.rule,
            article=article.id,
            story=assignment.story.id,
            sent=decision.send,
            reason=decision.reason,
            detail=decision.detail,
            at=now,
        )
        if verdict.alert is not None:
            tx.alerts.add(verdict.alert)
            tx.alerts.add_dispatches(verdict.dispatches)


def _held_back(
    feed: FeedSettings,
    state: FeedState,
    fresh: Sequence[Identified],
    held: Collection[str],
) -> dict[str, Reason]:
    """Which new articles are stored without a word, and why.

    The first poll that shows anything is a baseline but for its newest `initial` entries;
    a feed that was empty at first has its baseline behind it, so its first item is news.
    """
    if state.baseline_done:
        return dict.fromkeys(held, Reason.QUARANTINED)
    newest = sorted(
        fresh, key=lambda i: i.entry.published.timestamp() if i.entry.published else 0.0
    )
    kept = {item.article for item in newest[max(len(newest) - feed.initial, 0) :]}
    return {item.article: Reason.BASELINE for item in fresh if item.article not in kept}


def _digest(body: bytes) -> str:
    return sha256(body).hexdigest()


def _say(report: PollReport) -> None:
    fields = {
        k: v
        for k in ("entries", "new", "revised", "matched", "alerts", "error")
        if (v := getattr(report, k))
    }
    event = log.warning if report.error else log.info
    event(
        "polled",
        feed=report.feed,
        outcome=report.outcome,
        next_poll_at=report.next_poll_at.isoformat(timespec="seconds"),
        **fields,
    )
