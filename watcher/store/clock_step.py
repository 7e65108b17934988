"""The machine's clock was set: what waits shall wait as long as before."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from watcher.model import NotificationState
from watcher.store.tables import Moment, feed, outbox

_SEEN = (
    feed.c.last_polled_at,
    feed.c.last_success_at,
    feed.c.newest_at,
    feed.c.failing_since,
    feed.c.full_at,
)


def shift(connection: sa.Connection, step: timedelta, now: datetime) -> None:
    """Move what is planned by `step`; what would then have happened in the future happened `now`.

    Appointments by the wall clock (digests, quiet hours) stay where they are.
    """
    # Moments are stored as integers: a difference of them is one too.
    by = sa.literal(step // timedelta(microseconds=1), sa.BigInteger)
    connection.execute(sa.update(feed).values(next_poll_at=_plus(feed.c.next_poll_at, by)))
    waiting = outbox.c.state != NotificationState.SENT
    connection.execute(sa.update(outbox).where(waiting).values(due_at=_plus(outbox.c.due_at, by)))
    for column in _SEEN:
        connection.execute(sa.update(feed).where(column > now).values({column.name: now}))


def last_seen(connection: sa.Connection) -> datetime | None:
    """When a feed was last polled, by the clock of that time."""
    found: datetime | None = connection.execute(
        sa.select(sa.func.max(feed.c.last_polled_at, type_=Moment))
    ).scalar()
    return found


def spread(connection: sa.Connection, now: datetime, over: timedelta) -> None:
    """After a pause: feeds overdue for longer than `over` get their turns within it, oldest first."""
    overdue = connection.execute(
        sa.select(feed.c.feed)
        .where(feed.c.enabled, feed.c.next_poll_at < now - over)
        .order_by(feed.c.next_poll_at, feed.c.feed)
    ).scalars()
    names = list(overdue)
    for n, name in enumerate(names):
        due = now + over * (n / len(names))
        connection.execute(sa.update(feed).where(feed.c.feed == name).values(next_poll_at=due))


def _plus(column: sa.Column[datetime], by: sa.ColumnElement[int]) -> sa.ColumnElement[datetime]:
    return sa.type_coerce(sa.type_coerce(column, sa.BigInteger) + by, Moment)
