"""The subscriptions of this service: all in memory, each change stored in its transaction.

Changed by the writer's thread alone; the event loop reads.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from random import Random
from secrets import token_urlsafe

import structlog

from watcher.errors import FetchError
from watcher.fetch.feed import FetchedFeed
from watcher.model import FeedState, ParsedFeed
from watcher.store.engine import Store, Transaction
from watcher.text import canonical_url, host_of
from watcher.websub.pushes import PING_SPACING, after_ping, after_poll, after_push, ping_due
from watcher.websub.subscription import (
    Action,
    Named,
    Reason,
    State,
    Step,
    Subscription,
    failed,
    is_changed,
    judge,
    leave,
    may_do_without_tls,
    next_step,
    prefer_tls,
    start,
    without_tls,
)

log = structlog.get_logger()


class Hubs:
    """`base` is the public address; `keeps_secrets` tells whether a hub may be given one."""

    def __init__(self, base: str, *, keeps_secrets: Callable[[str], bool], rng: Random) -> None:
        self._base = base
        self._keeps_secrets = keeps_secrets
        self._rng = rng
        self._by_token: dict[str, Subscription] = {}
        self._by_feed: dict[str, Subscription] = {}
        # Pinged while a poll was due or under way: what it fetched may be older than the ping.
        self._again: set[str] = set()
        self._wanted: frozenset[str] = frozenset()

    # ── for everyone ──

    def get(self, token: str) -> Subscription | None:
        return self._by_token.get(token)

    def of(self, feed: str) -> Subscription | None:
        """The current one of a feed, also of one that names no hub."""
        return self._by_feed.get(feed)

    def is_new(self, feed: str) -> bool:
        """Nobody has looked yet whether this feed names a hub, and somebody should."""
        return feed in self._wanted and feed not in self._by_feed

    def has_due(self, now: datetime) -> bool:
        known = list(self._by_token.values())  # in one step: the writer may add to it meanwhile
        return any(one.next_at is not None and one.next_at <= now for one in known)

    # ── for the writer's thread ──

    @contextmanager
    def changing(self, store: Store) -> Iterator[Transaction]:
        """A transaction; undone, what is in memory of it goes too."""
        try:
            with store.begin() as tx:
                yield tx
        except BaseException:
            with store.begin() as tx:
                self.load(tx)
            raise

    def load(self, tx: Transaction) -> None:
        """What is stored takes the place of what is known."""
        found = tx.subscriptions.all()
        self._by_token = {one.token: one for one in found}
        self._by_feed = {one.feed: one for one in found if one.state is not State.LEAVING}

    def use(self, tx: Transaction, wanted: Iterable[str], now: datetime) -> None:
        """Follow a (re)loaded configuration: `wanted` are the feeds that may be pushed."""
        self.load(tx)
        self._wanted = frozenset(wanted)
        for one in list(self._by_token.values()):
            if one.base != self._base:
                # Its hub calls an address that is ours no more; there the lease runs out.
                self.forget(tx, one)
                if one.feed in self._wanted and one.state is not State.LEAVING:
                    named, is_ours = Named(one.hub, one.topic), bool(one.secret)
                    self.save(tx, self._new(one.feed, named, now, is_ours=is_ours))
            elif one.feed not in self._wanted and one.state is not State.LEAVING:
                self._leave(tx, one, Reason.UNWANTED, now)

    def save(self, tx: Transaction, one: Subscription) -> None:
        tx.subscriptions.save(one)
        self._by_token[one.token] = one
        if one.state is not State.LEAVING:
            self._by_feed[one.feed] = one
        elif self._is_current(one):
            del self._by_feed[one.feed]

    def forget(self, tx: Transaction, one: Subscription) -> None:
        tx.subscriptions.remove(one.token)
        self._by_token.pop(one.token, None)
        if self._is_current(one):
            del self._by_feed[one.feed]

    def claim(self, tx: Transaction, now: datetime, limit: int) -> list[Step]:
        """What hubs are to be asked now, noted as asked; at most `limit`, the longest due first."""
        steps: list[Step] = []
        due = [one for one in self._by_token.values() if one.next_at and one.next_at <= now]
        for one in sorted(due, key=lambda one: (one.next_at or now, one.feed)):
            if len(steps) == limit:
                break
            step = next_step(one, now, self._rng)
            if step.action is Action.FORGET:
                self.forget(tx, one)
                continue
            self.save(tx, step.subscription)
            if step.action is Action.WAIT:
                log.warning("hub_failed", **said(step.subscription))
            else:
                steps.append(step)
        return steps

    def turned_down(
        self, tx: Transaction, asked: Subscription, error: FetchError, now: datetime
    ) -> None:
        """A hub did not take what it was asked for."""
        current = self.get(asked.token)
        if current is None or current.reason is not Reason.ASKED:
            return  # verified or left meanwhile, or about to be asked again anyhow
        if error.reason in {"connect", "tls"} and may_do_without_tls(current):
            current = without_tls(current, now)
        else:
            why = Reason.REFUSED if error.status else Reason.UNREACHABLE
            current = failed(current, why, now, self._rng, error.retry_after)
        self.save(tx, current)
        log.warning("hub_failed", error=str(error), **said(current))

    def hear(
        self,
        tx: Transaction,
        token: str,
        *,
        mode: str,
        topic: str,
        lease: str | None,
        now: datetime,
    ) -> bool:
        """A hub verifies or denies; whether that is as we asked for."""
        current = self.get(token)
        if current is None:
            return False
        verdict = judge(current, mode=mode, topic=topic, lease=lease, now=now, rng=self._rng)
        if not verdict.accepted:
            log.warning("verification_refused", feed=current.feed, why=verdict.reason.value)
            return False
        if verdict.subscription is None:
            self.forget(tx, current)
        else:
            self.save(tx, verdict.subscription)
        log.info("hub_said", mode=mode, **said(verdict.subscription or current))
        return True

    def after_poll(
        self,
        tx: Transaction,
        before: FeedState,
        found: FetchedFeed,
        parsed: ParsedFeed | None,
        *,
        news: bool,
        now: datetime,
    ) -> bool:
        """Follow what the feed names, and judge its hub by what it told. Whether it is believed."""
        if before.feed not in self._wanted:
            return False
        named = named_by(found, parsed)
        is_ours = named is not None and is_polled(named, before, found)
        current = self._follow(tx, before.feed, named, now, is_ours=is_ours)
        if current is None:
            return False
        judged = after_poll(current, news=news, polled_before=before.last_polled_at)
        if judged != current:
            self.save(tx, judged)
        return judged.is_trusted(now)

    def polled_again(self, feed: str, due: datetime, now: datetime) -> datetime:
        """When a feed that was just polled is polled next: soon, when a ping may be newer."""
        if feed not in self._again:
            return due
        self._again.discard(feed)
        return min(due, now + PING_SPACING)

    def after_push(self, tx: Transaction, feed: str, *, news: bool, now: datetime) -> None:
        current = self.of(feed)
        if current is not None and (pushed := after_push(current, news=news, now=now)) != current:
            self.save(tx, pushed)

    def count_ignored(self, tx: Transaction, counts: Mapping[str, int]) -> None:
        """Pushes by token that nobody we know had signed."""
        for token, count in counts.items():
            if (current := self.get(token)) is not None:
                self.save(tx, replace(current, ignored=current.ignored + count))

    def ping(self, tx: Transaction, feed: str, now: datetime) -> None:
        """The feed is due now, within what its publisher can be asked."""
        state, current = tx.feeds.get(feed), self.of(feed)
        if state is None or current is None:
            return
        if not tx.feeds.hurry(feed, ping_due(state.last_polled_at, now)):
            self._again.add(feed)
        self.save(tx, after_ping(current, now))

    def _follow(
        self, tx: Transaction, feed: str, named: Named | None, now: datetime, *, is_ours: bool
    ) -> Subscription | None:
        """None: nothing was read, so it names what it named before."""
        current = self.of(feed)
        if named is None or (current is not None and not is_changed(current, named, now)):
            return current
        if current is not None:
            self._leave(tx, current, Reason.CHANGED, now)
        fresh = self._new(feed, named, now, is_ours=is_ours)
        self.save(tx, fresh)
        return fresh

    def _leave(self, tx: Transaction, one: Subscription, why: Reason, now: datetime) -> None:
        leaving = leave(one, why, now)
        if leaving is None:
            self.forget(tx, one)
        else:
            self.save(tx, leaving)

    def _new(self, feed: str, named: Named, now: datetime, *, is_ours: bool) -> Subscription:
        """Of a topic that is not ours only pings are wanted, which need no signature."""
        token, secret = token_urlsafe(32), ""
        if named.hub and is_ours and self._keeps_secrets(prefer_tls(named.hub)):
            secret = token_urlsafe(48)
        return start(named, feed=feed, base=self._base, token=token, secret=secret, now=now)

    def _is_current(self, one: Subscription) -> bool:
        current = self._by_feed.get(one.feed)
        return current is not None and current.token == one.token


def named_by(found: FetchedFeed, parsed: ParsedFeed | None) -> Named | None:
    """WebSub §4: Link headers before what stands in the feed; None when nothing was read."""
    if parsed is None:
        return None
    hub = found.hub or parsed.hints.hub or ""
    if not hub.startswith(("http://", "https://")):
        return Named()
    return Named(hub, found.self_url or parsed.hints.self_url or found.url)


def is_polled(named: Named, state: FeedState, found: FetchedFeed) -> bool:
    """Whether the topic is the very feed we poll: some name another, like that of a whole site."""
    return canonical_url(named.topic) in {canonical_url(state.url), canonical_url(found.url)}


def said(one: Subscription) -> dict[str, object]:
    """For the log: nothing that would let somebody push."""
    return {
        "feed": one.feed,
        "hub": host_of(one.hub),
        "state": one.state.value,
        "reason": one.reason.value,
        "next_at": one.next_at.isoformat(timespec="seconds") if one.next_at else None,
    }
