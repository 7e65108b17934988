"""Feed state between polls, and whose turn it is."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from watcher.model import FeedState, FeedStatus
from watcher.outage import Asked
from watcher.polling import PollReason
from watcher.store.bulk import insert_many, update_many
from watcher.store.tables import feed

_COLUMNS = [feed.c[f.name] for f in fields(FeedState)]
_POLLED = tuple(f.name for f in fields(FeedState) if f.name != "feed")
_polled = attrgetter(*_POLLED)


class Feeds:
    """Due times live here, not in the scheduler, so that a restart never polls early."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._do = connection.execute

    def sync(self, wanted: Iterable[tuple[str, str]], now: datetime, spread: timedelta) -> None:
        """Make the table follow the configuration.

        New feeds are due within `spread`; a changed address forgets the validators of the
        old one; a feed that is no longer wanted keeps its row, so that it never starts anew.
        """
        known = {row[0]: row[1] for row in self._do(sa.select(feed.c.feed, feed.c.configured))}
        names = list(wanted)
        fresh = [pair for pair in names if pair[0] not in known]
        rows = [
            (name, url, url, now + spread * (n / len(fresh)), FeedStatus.NEW)
            for n, (name, url) in enumerate(fresh)
        ]
        columns = ("feed", "url", "configured", "next_poll_at", "status")
        insert_many(self._connection, feed, columns, rows)
        for name, url in names:
            if name in known and known[name] != url:
                self._readdress(name, url, now)
        self._do(sa.update(feed).values(enabled=False))
        enabled = [(True, name) for name, _ in names]
        update_many(self._connection, feed, ("enabled",), ("feed",), enabled)

    def _readdress(self, name: str, url: str, now: datetime) -> None:
        """A new address: the old one's validators and troubles say nothing about it."""
        self._do(
            sa.update(feed)
            .where(feed.c.feed == name)
            .values(
                url=url,
                configured=url,
                next_poll_at=now,
                etag=None,
                last_modified=None,
                body_hash=None,
                moved_to=None,
                moved_count=0,
                failures=0,
                failing_since=None,
                full_only=False,
                status=FeedStatus.NEW,
            )
        )

    def claim_due(self, now: datetime, lease: timedelta, limit: int) -> list[FeedState]:
        """Oldest due first; a claim ends with `save`, `release` or its lease."""
        due = (
            sa.select(feed.c.feed)
            .where(
                feed.c.enabled,
                feed.c.status != FeedStatus.GONE,
                feed.c.next_poll_at <= now,
                sa.or_(feed.c.lease_until.is_(None), feed.c.lease_until <= now),
            )
            .order_by(feed.c.next_poll_at, feed.c.feed)
            .limit(limit)
        )
        # On SQLite the write lock already keeps others out, and the clause is left out.
        return self._lease(feed.c.feed.in_(due.with_for_update(skip_locked=True)), now + lease)

    def claim_all(self, now: datetime, lease: timedelta) -> list[FeedState]:
        """Every enabled feed that isn't gone, due or not; for `run --once`."""
        wanted = sa.and_(feed.c.enabled, feed.c.status != FeedStatus.GONE)
        return self._lease(wanted, now + lease)

    def _lease(self, which: sa.ColumnElement[bool], until: datetime) -> list[FeedState]:
        leased = sa.update(feed).where(which).values(lease_until=until).returning(*_COLUMNS)
        states = [_state(row) for row in self._do(leased)]
        return sorted(states, key=lambda state: (state.next_poll_at, state.feed))

    def end_leases(self) -> None:
        """For a daemon that starts: it holds the store alone, so nobody is polling."""
        self._do(sa.update(feed).where(feed.c.lease_until.is_not(None)).values(lease_until=None))

    def get(self, name: str) -> FeedState | None:
        row = self._do(sa.select(*_COLUMNS).where(feed.c.feed == name)).first()
        return _state(row) if row else None

    def all(self) -> list[FeedState]:
        """Enabled feeds by name."""
        query = sa.select(*_COLUMNS).where(feed.c.enabled).order_by(feed.c.feed)
        return [_state(row) for row in self._do(query)]

    def save(self, state: FeedState) -> None:
        """Store the outcome of a poll and end its lease."""
        self.save_all([state])

    def save_all(self, states: Iterable[FeedState]) -> None:
        """The outcomes of polls; one statement however many."""
        rows = [(*_polled(state), None, state.feed) for state in states]
        update_many(self._connection, feed, (*_POLLED, "lease_until"), ("feed",), rows)

    def asked(self) -> list[Asked]:
        """How the last poll went of every feed that isn't known to be broken."""
        query = sa.select(
            feed.c.feed,
            feed.c.url,
            feed.c.last_polled_at,
            feed.c.failing_since,
            sa.func.coalesce(feed.c.last_error, ""),
        ).where(
            feed.c.enabled,
            feed.c.status.not_in((FeedStatus.BROKEN, FeedStatus.GONE)),
            feed.c.last_polled_at.is_not(None),
        )
        return [Asked(*row) for row in self._do(query)]

    def hasten_failing(self, now: datetime, over: timedelta) -> None:
        """What was put off by our own backoff is tried again, spread over so long."""
        query = (
            sa.select(feed.c.feed)
            .where(feed.c.enabled, feed.c.reason == PollReason.BACKOFF)
            .where(feed.c.lease_until.is_(None), feed.c.next_poll_at > now)
            .where(feed.c.status != FeedStatus.BROKEN)
            .order_by(feed.c.next_poll_at, feed.c.feed)
        )
        names = list(self._do(query).scalars())
        rows = [(now + over * (n / len(names)), name) for n, name in enumerate(names)]
        update_many(self._connection, feed, ("next_poll_at",), ("feed",), rows)

    def release(self, name: str, next_poll_at: datetime) -> None:
        """End a claim without an outcome."""
        self._do(
            sa.update(feed)
            .where(feed.c.feed == name)
            .values(lease_until=None, next_poll_at=next_poll_at)
        )

    def hurry(self, name: str, at: datetime) -> bool:
        """Due at `at` instead of later; a feed in trouble keeps its pause. Whether that was sooner."""
        healthy = sa.and_(feed.c.enabled, feed.c.status != FeedStatus.GONE, feed.c.failures == 0)
        done = self._do(
            sa.update(feed)
            .where(feed.c.feed == name, healthy, feed.c.next_poll_at > at)
            .values(next_poll_at=at)
        )
        return done.rowcount == 1

    def note_news(self, state: FeedState) -> None:
        """It was pushed: that the feed speaks, and how often. All else is known from polls alone."""
        said = {"newest_at": state.newest_at, "pace": state.pace, "status": state.status}
        self._do(sa.update(feed).where(feed.c.feed == state.feed).values(said))

    def revive(self, name: str, now: datetime) -> bool:
        """Poll a feed again that was gone or put off; False when there is no such feed."""
        done = self._do(
            sa.update(feed)
            .where(feed.c.feed == name, feed.c.enabled)
            .values(
                status=FeedStatus.NEW,
                failures=0,
                failing_since=None,
                next_poll_at=now,
                lease_until=None,
            )
        )
        return done.rowcount == 1


def _state(row: Any) -> FeedState:
    """A row of `_COLUMNS`."""
    name, url, due, status, *rest = row
    return FeedState(name, url, due, FeedStatus(status), *rest)
