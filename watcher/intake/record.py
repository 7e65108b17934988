"""Finished polls go into the store: several in one transaction, and a bad one never with the others.

Runs in the writer's thread.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from random import Random

from watcher.alerts.policy import Reason
from watcher.compose import Composer
from watcher.errors import FetchError, SourceError, StoreError
from watcher.faults import Faults
from watcher.fetch.feed import FetchedFeed
from watcher.identity import Identified, Kind, OldSign, identify, identity_keys, quarantined
from watcher.intake.feed_notices import FeedNotices
from watcher.intake.hubs import Hubs
from watcher.intake.outcomes import store_noticed, store_outcome
from watcher.intake.polled import Polled, PollReport, Pushed
from watcher.model import Article, Entry, FeedState, FeedStatus, ParsedFeed
from watcher.normalise import keeping_text, to_article, with_page_text
from watcher.notices import Notices
from watcher.pipeline import Outcome, Pipeline
from watcher.polling import (
    Notice,
    PollBounds,
    PollPlan,
    PollReason,
    after_failure,
    after_success,
    has_read,
    lied,
)
from watcher.ports import Clock
from watcher.restore import restore_memory
from watcher.sources.settings import FeedSettings
from watcher.store.engine import Store, Transaction
from watcher.stories.publishers import PublisherTable


@dataclass(slots=True)
class _Tally:
    new: int = 0
    revised: int = 0
    matched: int = 0
    alerts: int = 0
    known: int = 0
    # When the new entries say they were published; without those held back as a replay.
    dates: list[datetime | None] = field(default_factory=list)

    def count(self, outcome: Outcome) -> None:
        self.matched += bool(outcome.matches)
        self.alerts += len(outcome.alerts)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A document's entries: which look like a replay, and which are stored without a word, and why."""

    items: list[Identified]
    held: Mapping[str, OldSign]
    quiet: dict[str, Reason]


@dataclass(slots=True)
class _Rows:
    """What a batch adds, written at its end in one statement per table."""

    articles: list[tuple[Article, str]] = field(default_factory=list)
    identities: list[tuple[str, str, str]] = field(default_factory=list)
    feeds: list[FeedState] = field(default_factory=list)

    def write(self, tx: Transaction, now: datetime) -> None:
        tx.articles.add_all(self.articles)
        tx.articles.remember_all(self.identities, now)
        tx.feeds.save_all(self.feeds)


class Recorder:
    """Identifies, decides and stores; `record` is called by one thread only."""

    def __init__(
        self,
        store: Store,
        pipeline: Pipeline,
        composer: Composer,
        *,
        notices: Notices,
        clock: Clock,
        rng: Random,
        faults: Faults,
        hubs: Hubs | None = None,
    ) -> None:
        """Without `hubs` nothing is pushed, and what feeds say of hubs is left unread."""
        self._hubs = hubs
        self._store = store
        self._pipeline = pipeline
        self._composer = composer
        self._notices = FeedNotices(notices)
        self._clock = clock
        self._rng = rng
        self._faults = faults
        self._publishers = PublisherTable()
        self._bounds = PollBounds()

    def use(self, publishers: PublisherTable, bounds: PollBounds) -> None:
        """Take a (re)loaded configuration."""
        self._publishers = publishers
        self._bounds = bounds

    def record(self, polls: Sequence[Polled | Pushed]) -> list[PollReport | Exception]:
        """One result per poll or push, in order: its report, or why it could not be stored.

        No two of one feed: what each adds is written at the end.
        All in one transaction. When that fails the polls are stored one by one, so that
        only those at fault are left out; trouble with the store itself is everyone's.
        """
        try:
            return list(self._record(polls))
        except StoreError as error:
            return [error] * len(polls)
        except Exception as error:  # noqa: BLE001 - raised to whoever polled that feed
            if len(polls) == 1:
                return [error]
            return [result for poll in polls for result in self.record([poll])]

    def _record(self, polls: Sequence[Polled | Pushed]) -> list[PollReport]:
        now = self._clock.now()
        rows = _Rows()
        with self.remembering(now) as tx:
            reports = [self._one(tx, poll, now, rows) for poll in polls]
            rows.write(tx, now)
            self._notices.weigh(
                tx,
                rows.feeds,
                recovered=any(_recovered(poll) for poll in polls),
                now=now,
                soon=self._bounds.least,
            )
            if any(report.alerts for report in reports):
                self._composer.compose_due(tx, now)
            self._faults.hit("before_commit")
        return reports

    def unread(self, feed: FeedSettings, parsed: ParsedFeed) -> list[Entry]:
        """The entries that would be told or revised if they were recorded now; stores nothing."""
        with self._store.read() as tx:
            state = tx.feeds.get(feed.id)
            if state is None:
                return []
            judged = _judge(tx, feed, state, parsed, self._clock.now())
        kinds = {Kind.NEW, Kind.REVISION}
        return [
            item.entry
            for item in judged.items
            if item.kind in kinds and item.article not in judged.quiet
        ]

    def notice_rules(self) -> None:
        """Store what rules tell of themselves by now: bursts and silences."""
        now = self._clock.now()
        with self.remembering(now) as tx:
            for noticed in self._pipeline.notice(now):
                store_noticed(tx, noticed)

    @contextmanager
    def remembering(self, now: datetime) -> Iterator[Transaction]:
        """A transaction for the pipeline to decide in; undone, what it remembers of it goes too."""
        try:
            with self._store.begin() as tx:
                self._pipeline.silences = tx.silences.current(now)
                yield tx
        except BaseException:
            self._notices.forget()
            with self._store.begin() as tx:
                restore_memory(self._pipeline, tx, now)
                if self._hubs is not None:
                    self._hubs.load(tx)
            raise

    def _one(
        self, tx: Transaction, poll: Polled | Pushed, now: datetime, rows: _Rows
    ) -> PollReport:
        if isinstance(poll, Pushed):
            return self._pushed(tx, poll, now, rows)
        if isinstance(poll.found, SourceError):
            return self._failed(tx, poll, poll.found, now, rows)
        return self._succeeded(tx, poll, poll.found, now, rows)

    def _failed(
        self, tx: Transaction, poll: Polled, error: SourceError, now: datetime, rows: _Rows
    ) -> PollReport:
        plan = after_failure(
            poll.state,
            now=now,
            bounds=self._bounds_of(poll.feed),
            error=str(error),
            status=error.status if isinstance(error, FetchError) else None,
            retry_after=error.retry_after if isinstance(error, FetchError) else None,
            everywhere=self._notices.everywhere,
            rng=self._rng,
        )
        rows.feeds.append(plan.state)
        self._notices.of(tx, plan, poll.state)
        asked = isinstance(error, FetchError) and error.status in {429, 503}
        return PollReport(
            poll.feed.id,
            error.reason,
            plan.state.next_poll_at,
            error=str(error),
            rest=error.retry_after if isinstance(error, FetchError) and asked else None,
        )

    def _succeeded(
        self, tx: Transaction, poll: Polled, found: FetchedFeed, now: datetime, rows: _Rows
    ) -> PollReport:
        parsed, state = poll.parsed, poll.state
        tally, status = _Tally(), None
        if parsed is not None:
            status = self._take_entries(tx, poll, parsed, now, tally, rows)
            state = replace(
                has_read(state, tally.dates, news=bool(tally.dates), now=now),
                title=parsed.title or state.title,
                body_hash=poll.body_hash,
            )
        # Whoever takes a domain over could serve a feed too, but not the entries we know.
        proven = parsed is None or tally.known > 0 or not poll.state.baseline_done
        plan = after_success(
            _fetched(state, found, poll.state, tally, now),
            now=now,
            bounds=self._bounds_of(poll.feed),
            hints=parsed.hints if parsed else None,
            fresh_for=found.fresh_for,
            moved_to=found.moved_to if proven else None,
            news=bool(tally.dates),
            pushed=self._is_pushed(tx, poll, found, tally, now),
            rng=self._rng,
        )
        if self._hubs is not None:
            due = self._hubs.polled_again(poll.feed.id, plan.state.next_poll_at, now)
            if due != plan.state.next_poll_at:
                plan = replace(plan, state=replace(plan.state, next_poll_at=due))
        if status is not None:
            plan = replace(plan, state=replace(plan.state, status=status))
        rows.feeds.append(plan.state)
        self._notices.of(tx, plan, poll.state)
        return PollReport(
            poll.feed.id,
            "not_modified" if parsed is None else str(status or "ok"),
            plan.state.next_poll_at,
            len(parsed.entries) if parsed else 0,
            tally.new,
            tally.revised,
            tally.matched,
            tally.alerts,
        )

    def _is_pushed(
        self, tx: Transaction, poll: Polled, found: FetchedFeed, tally: _Tally, now: datetime
    ) -> bool:
        """Follow the hub that the feed names, and say whether its pushes may be relied on."""
        if self._hubs is None:
            return False
        news = bool(tally.dates)
        return self._hubs.after_poll(tx, poll.state, found, poll.parsed, news=news, now=now)

    def _pushed(self, tx: Transaction, push: Pushed, now: datetime, rows: _Rows) -> PollReport:
        """New entries as of a poll; only the feed itself can change what is known (0183).

        The feed's own state stays: validators and times are those of its polls.
        """
        name, state, tally = push.feed.id, tx.feeds.get(push.feed.id), _Tally()
        if self._hubs is None or state is None or not state.baseline_done:
            return PollReport(name, "too_early", now)
        poll = Polled(push.feed, state, FetchedFeed(False, push.topic), push.parsed)
        status = self._take_entries(tx, poll, push.parsed, now, tally, rows, revise=False)
        news = bool(tally.dates)
        if news:
            self._note_news(tx, state, tally, now)
        self._hubs.after_push(tx, name, news=news, now=now)
        if tally.revised:
            self._hubs.ping(tx, name, now)
        return PollReport(
            name, str(status or "pushed"), state.next_poll_at, len(push.parsed.entries),
            tally.new, tally.revised, tally.matched, tally.alerts,
        )  # fmt: skip

    def _note_news(self, tx: Transaction, state: FeedState, tally: _Tally, now: datetime) -> None:
        """A push tells of the feed's rhythm as a poll would, and that it is not silent."""
        read = has_read(state, tally.dates, news=True, now=now)
        if state.status is FeedStatus.STALE:
            read = replace(read, status=FeedStatus.OK)
            self._notices.of(tx, PollPlan(read, PollReason.PUSHED, Notice.SPEAKS), state)
        tx.feeds.note_news(read)

    def _take_entries(
        self,
        tx: Transaction,
        poll: Polled,
        parsed: ParsedFeed,
        now: datetime,
        tally: _Tally,
        rows: _Rows,
        *,
        revise: bool = True,
    ) -> FeedStatus | None:
        feed = poll.feed
        judged = _judge(tx, feed, poll.state, parsed, now)
        items, held, quiet = judged.items, judged.held, judged.quiet
        fresh = [item for item in items if item.kind is Kind.NEW]
        tally.dates = [item.entry.published for item in fresh if item.article not in held]
        tally.revised = 0 if revise else sum(item.kind is Kind.REVISION for item in items)
        tally.known = sum(item.kind in {Kind.SAME, Kind.REVISION} for item in items)
        # Feeds list the newest first; stories are told from their beginning.
        articles: dict[str, Article] = {}
        for item in sorted(items, key=lambda i: (i.entry.published or now).timestamp()):
            if item.kind is Kind.NEW:
                articles[item.article] = self._article(feed, item, now, poll.texts)
                self._take_new(tx, articles[item.article], now, quiet.get(item.article), tally)
            elif item.kind is Kind.REVISION and revise:
                self._take_revision(tx, poll, item, now, tally)
        kept = [i for i in items if i.kind is not Kind.SKIP and (revise or i.kind is Kind.NEW)]
        rows.articles += [(articles[i.article], i.content_hash) for i in kept if i.kind is Kind.NEW]
        rows.identities += [(feed.id, key, i.article) for i in kept for key in i.keys.all]
        if held:
            tx.held.add(feed.id, held, now)
            self._notices.quarantined(tx, feed.id, len(held), now)
        return FeedStatus.QUARANTINED if held else None

    def _article(
        self, feed: FeedSettings, item: Identified, now: datetime, texts: Mapping[str, str]
    ) -> Article:
        return to_article(
            with_page_text(item.entry, texts.get(item.entry.url or "", "")),
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
        self, tx: Transaction, poll: Polled, item: Identified, now: datetime, tally: _Tally
    ) -> None:
        article = self._article(poll.feed, item, now, poll.texts)
        if poll.feed.full_text and (item.entry.url or "") not in poll.texts:
            article = keeping_text(article, tx.articles.get(item.article))
        article = tx.articles.revise(article, item.content_hash, now)
        tally.revised += 1
        already = frozenset(match.rule for match in tx.matches.of_article(article.id))
        outcome = self._pipeline.process(article, now, already=already)
        tally.count(outcome)
        store_outcome(tx, outcome, now)

    def _bounds_of(self, feed: FeedSettings) -> PollBounds:
        if feed.every is None:
            return self._bounds
        return replace(self._bounds, every=feed.every, exact=True)


def _judge(
    tx: Transaction, feed: FeedSettings, state: FeedState, parsed: ParsedFeed, now: datetime
) -> _Judged:
    keys = [identity_keys(entry, feed.identity) for entry in parsed.entries]
    shown = tx.articles.identity_count(feed.id)
    wanted = (key for own in keys for key in own.all)
    known = tx.articles.known(feed.id, wanted) if shown else {}
    hashes = tx.articles.content_hashes(dict.fromkeys(known.values()))
    items = identify(feed.id, parsed.entries, known, hashes, keys=keys)
    fresh = [item for item in items if item.kind is Kind.NEW]
    held = quarantined(items, known_articles=shown, last_success=state.last_success_at, now=now)
    return _Judged(items, held, _held_back(feed, state, fresh, held))


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


def _recovered(poll: Polled | Pushed) -> bool:
    if not isinstance(poll, Polled) or isinstance(poll.found, SourceError):
        return False
    return poll.state.failing_since is not None


def _fetched(
    state: FeedState, found: FetchedFeed, was: FeedState, tally: _Tally, now: datetime
) -> FeedState:
    """With what the answer says of itself."""
    if (found.etag, found.last_modified) != (state.etag, state.last_modified):
        state = replace(state, etag=found.etag, last_modified=found.last_modified)
    if found.not_modified:
        return state
    untrue = lied(was, tally.dates, etag=found.etag, last_modified=found.last_modified, now=now)
    return replace(state, full_at=now, full_only=state.full_only or untrue)


def digest(body: bytes) -> str:
    """Tells that a feed served the very same bytes again."""
    return sha256(body).hexdigest()
