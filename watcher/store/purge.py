"""What is older than its retention goes, a bounded number of rows at a time.

Identities, articles, stories and alerts stay, and keys of messages: they stop a repeat.
"""

from datetime import datetime

import sqlalchemy as sa

from watcher.alerts.rhythm import UNHEARD
from watcher.store.tables import delivery, dispatch, match, verdict


class Purge:
    """Each step takes at most `limit` rows, the oldest first, and says how many it took."""

    def __init__(self, connection: sa.Connection) -> None:
        self._do = connection.execute

    def history(self, before: datetime, limit: int) -> int:
        """Matches, decisions, composed dispatches and attempts to deliver; `limit` of each."""
        return (
            self._matches(before, limit)
            + self._verdicts(before, limit)
            + self._dispatches(before, limit)
            + self._deliveries(before, limit)
        )

    def _matches(self, before: datetime, limit: int) -> int:
        return self._delete(match, match.c.at, before, limit)

    def _verdicts(self, before: datetime, limit: int) -> int:
        """But for what each rule heard last: its silence counts from there, however long ago."""
        later = verdict.alias()
        heard_later = sa.exists().where(
            later.c.rule == verdict.c.rule,
            later.c.at > verdict.c.at,
            later.c.story.is_not(None),
            later.c.reason.not_in([str(reason) for reason in UNHEARD]),
        )
        return self._delete(verdict, verdict.c.at, before, limit, heard_later)

    def _dispatches(self, before: datetime, limit: int) -> int:
        """What still waits, if only because its receiver is switched off, is kept."""
        composed = dispatch.c.notification.is_not(None)
        return self._delete(dispatch, dispatch.c.send_at, before, limit, composed)

    def _deliveries(self, before: datetime, limit: int) -> int:
        """They are numbered as they come: only the lowest numbers need a look."""
        lowest = sa.select(delivery.c.n, delivery.c.at).order_by(delivery.c.n).limit(limit)
        first = lowest.subquery()
        old = sa.select(first.c.n).where(first.c.at < before)
        return self._do(sa.delete(delivery).where(delivery.c.n.in_(old))).rowcount

    def _delete(
        self,
        table: sa.Table,
        at: sa.Column[datetime],
        before: datetime,
        limit: int,
        *conditions: sa.ColumnElement[bool],
    ) -> int:
        key = list(table.primary_key)
        old = sa.select(*key).where(at < before, *conditions).order_by(at).limit(limit)
        return self._do(sa.delete(table).where(sa.tuple_(*key).in_(old))).rowcount
