"""Subscriptions at hubs, with the tokens and secrets that hubs know us by."""

from collections import Counter
from dataclasses import fields
from datetime import datetime
from operator import attrgetter

import sqlalchemy as sa

from watcher.store.tables import subscription
from watcher.store.upsert import upsert
from watcher.websub.subscription import Reason, State, Subscription

_NAMES = tuple(f.name for f in fields(Subscription))
_values = attrgetter(*_NAMES)


class Subscriptions:
    """By token; a feed has one, and beside it those that it is leaving."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._do = connection.execute

    def all(self) -> list[Subscription]:
        """In order of feed."""
        rows = self._do(sa.select(*(subscription.c[name] for name in _NAMES)))
        found = (
            Subscription(
                **{
                    **row._mapping,
                    "state": State(row.state),
                    "reason": Reason(row.reason),
                }
            )
            for row in rows
        )
        return sorted(found, key=lambda one: (one.feed, one.since))

    def pushed(self, now: datetime) -> dict[str, datetime]:
        """Feeds that hubs push now, and until when."""
        until = subscription.c.lease_until
        query = sa.select(subscription.c.feed, until).where(
            subscription.c.state == State.LIVE, until > now
        )
        return {row.feed: row.lease_until for row in self._do(query)}

    def counts(self, now: datetime) -> dict[str, int]:
        """How many there are of each state; and forged pushes, if there were any."""
        found = self.all()
        counted = Counter("due" if _is_over(one, now) else one.state.value for one in found)
        forged = sum(one.ignored for one in found)
        return dict(sorted(counted.items())) | ({"forged pushes": forged} if forged else {})

    def save(self, value: Subscription) -> None:
        """Insert or replace."""
        row = dict(zip(_NAMES, _values(value), strict=True))
        upsert(self._connection, subscription, [row], replace=True)

    def remove(self, token: str) -> None:
        """Nothing happens when it is not there."""
        self._do(sa.delete(subscription).where(subscription.c.token == token))


def _is_over(one: Subscription, now: datetime) -> bool:
    return one.state is State.LIVE and not one.is_live(now)
