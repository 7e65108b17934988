"""The outbox: each message frozen once, leased, sent, and kept until someone has it.

States: pending → leased (until, attempt) → sent | dead, or pending → merged into another. The
attempt number fences: an outcome is written only if no later attempt has begun.
"""

from collections.abc import Collection
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from watcher.model import DigestKind, Notification, NotificationState
from watcher.store.tables import WITH_PAYLOAD, delivery, outbox, parked
from watcher.store.upsert import insert_new, upsert

_COLUMNS = [outbox.c[f.name] for f in fields(Notification)]
# Built once: they run for every message, and building takes longer than running.
_LOG = sa.insert(delivery)
_SENT = (
    sa.update(outbox)
    .where(
        outbox.c.key == sa.bindparam("of"),
        outbox.c.attempt == sa.bindparam("fence"),
        outbox.c.state == NotificationState.LEASED,
    )
    .values(
        state=NotificationState.SENT,
        sent_at=sa.bindparam("now"),
        lease_until=None,
        last_error=None,
    )
)


class Outbox:
    """Notifications by key."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._do = connection.execute

    def enqueue(self, value: Notification) -> bool:
        """False when the key is there already: a message is frozen once."""
        row = asdict(value) | {"payload": dict(value.payload), "alerts": list(value.alerts)}
        return insert_new(self._connection, outbox, row)

    def due_receivers(self, now: datetime) -> list[str]:
        """Receivers that have something to send now and are not parked, by name."""
        query = sa.select(outbox.c.receiver).where(_due(now)).distinct()
        return sorted(self._do(query).scalars())

    def claim_due(
        self,
        now: datetime,
        lease: timedelta,
        limit: int,
        receivers: Collection[str] | None = None,
    ) -> list[Notification]:
        """Oldest first; each claim is one attempt and begins a lease."""
        # So that what is pending is read off the index in order, however long the queue.
        self._do(
            sa.update(outbox)
            .where(outbox.c.state == NotificationState.LEASED, outbox.c.lease_until <= now)
            .values(state=NotificationState.PENDING, lease_until=None)
        )
        query = sa.select(outbox.c.n).where(_waiting(now))
        if receivers is not None:
            query = query.where(outbox.c.receiver.in_(receivers))
        # On SQLite the write lock already keeps others out, and the clause is left out.
        query = query.order_by(outbox.c.due_at, outbox.c.n).limit(limit)
        numbers = list(self._do(query.with_for_update(skip_locked=True)).scalars())
        if not numbers:
            return []
        self._do(
            sa.update(outbox)
            .where(outbox.c.n.in_(numbers))
            .values(
                state=NotificationState.LEASED,
                lease_until=now + lease,
                attempt=outbox.c.attempt + 1,
            )
        )
        rows = self._do(
            sa.select(*_COLUMNS)
            .where(outbox.c.n.in_(numbers))
            .order_by(outbox.c.due_at, outbox.c.n)
        )
        return [_notification(row) for row in rows]

    def end_leases(self) -> None:
        """For a daemon that starts: it holds the store alone, so nobody is sending.

        The attempt stays counted, which fences out a frozen predecessor all the same.
        """
        self._do(
            sa.update(outbox)
            .where(outbox.c.state == NotificationState.LEASED)
            .values(state=NotificationState.PENDING, lease_until=None)
        )

    # outcomes: True when written, False when a later attempt owns the row

    def sent(self, key: str, attempt: int, now: datetime, detail: str) -> bool:
        self._log(key, attempt, now, "sent", detail)
        return self._do(_SENT, {"of": key, "fence": attempt, "now": now}).rowcount == 1

    def retry(self, key: str, attempt: int, due_at: datetime, error: str, now: datetime) -> bool:
        self._log(key, attempt, now, "failed", error)
        return self._finish(
            key,
            attempt,
            state=NotificationState.PENDING,
            due_at=due_at,
            lease_until=None,
            last_error=error,
        )

    def release(self, key: str, attempt: int) -> bool:
        """Give back what was claimed and not tried."""
        return self._finish(
            key, attempt, state=NotificationState.PENDING, lease_until=None, attempt=attempt - 1
        )

    def dead(self, key: str, attempt: int, error: str, now: datetime) -> bool:
        self._log(key, attempt, now, "dead", error)
        return self._finish(
            key, attempt, state=NotificationState.DEAD, lease_until=None, last_error=error
        )

    def _finish(self, key: str, fence: int, **values: Any) -> bool:
        done = self._do(
            sa.update(outbox)
            .where(
                outbox.c.key == key,
                outbox.c.attempt == fence,
                outbox.c.state == NotificationState.LEASED,
            )
            .values(**values)
        )
        return done.rowcount == 1

    def _log(self, key: str, attempt: int, at: datetime, outcome: str, detail: str) -> None:
        row = {"key": key, "attempt": attempt, "at": at}
        self._do(_LOG, {**row, "outcome": outcome, "detail": detail[:1000]})

    # backlogs

    def untried_alerts(self, receiver: str, before: datetime) -> list[Notification]:
        """Alerts composed before then of which no part was ever tried, oldest first.

        What was tried may have arrived: it keeps its own id and is not here.
        """
        mine = sa.and_(
            outbox.c.receiver == receiver,
            outbox.c.kind == DigestKind.ALERT,
            outbox.c.state == NotificationState.PENDING,
            outbox.c.attempt == 0,
        )
        query = sa.select(*_COLUMNS).where(mine, outbox.c.created_at <= before)
        found = [_notification(row) for row in self._do(query.order_by(outbox.c.n))]
        if not found:
            return []
        others = sa.select(outbox.c.key).where(
            outbox.c.receiver == receiver,
            outbox.c.kind == DigestKind.ALERT,
            outbox.c.created_at >= min(n.created_at for n in found),
            sa.not_(mine),
        )
        tried = {_message(key) for key in self._do(others).scalars()}
        return [n for n in found if _message(n.key) not in tried]

    def merged(self, keys: Collection[str], into: str, now: datetime) -> None:
        """They will not be sent: another message says what they say."""
        for key in keys:
            self._log(key, 0, now, "merged", into)
        self._do(
            sa.update(outbox)
            .where(outbox.c.key.in_(keys), outbox.c.state == NotificationState.PENDING)
            .values(state=NotificationState.MERGED, sent_at=now, last_error=f"merged into {into}")
        )

    # for operators

    def holds(self, key: str) -> bool:
        """Whether a message of that key, or a part of one, was ever put in."""
        return self._do(sa.select(outbox.c.n).where(_of(key)).limit(1)).first() is not None

    def parts(self, key: str) -> list[Notification]:
        """The message of that key, or its parts, in order."""
        rows = self._do(sa.select(*_COLUMNS).where(_of(key)).order_by(outbox.c.n))
        return [_notification(row) for row in rows]

    def get(self, key: str) -> Notification | None:
        row = self._do(sa.select(*_COLUMNS).where(outbox.c.key == key)).first()
        return _notification(row) if row else None

    def recent(
        self,
        state: NotificationState | None = None,
        receiver: str | None = None,
        limit: int = 100,
    ) -> list[Notification]:
        """Newest first."""
        query = sa.select(*_COLUMNS)
        if state is not None:
            query = query.where(outbox.c.state == state)
        if receiver is not None:
            query = query.where(outbox.c.receiver == receiver)
        rows = self._do(query.order_by(outbox.c.n.desc()).limit(limit))
        return [_notification(row) for row in rows]

    def deliveries(self, key: str) -> list[dict[str, Any]]:
        """Every attempt and its outcome, oldest first."""
        query = sa.select(delivery.c.attempt, delivery.c.at, delivery.c.outcome, delivery.c.detail)
        rows = self._do(query.where(delivery.c.key == key).order_by(delivery.c.n))
        return [dict(row._mapping) for row in rows]

    def replay(self, key: str, now: datetime) -> bool:
        """A dead letter (or one waiting for its retry) becomes due now, with the same key and body."""
        done = self._do(
            sa.update(outbox)
            .where(
                outbox.c.key == key,
                outbox.c.state.in_([NotificationState.DEAD, NotificationState.PENDING]),
            )
            # The five days before giving up start anew, else it would die at its first stumble.
            .values(state=NotificationState.PENDING, due_at=now, created_at=now, lease_until=None)
        )
        return done.rowcount == 1

    def counts(self) -> dict[tuple[str, str], int]:
        """(receiver, state) → how many."""
        query = sa.select(outbox.c.receiver, outbox.c.state, sa.func.count()).group_by(
            outbox.c.receiver, outbox.c.state
        )
        return {(row[0], row[1]): row[2] for row in self._do(query)}

    def purge_payloads(self, before: datetime, limit: int = 500) -> int:
        """Delete the bodies of messages sent before then, at most `limit`, oldest first.

        Their keys stay and stop a repeat.
        """
        over = outbox.c.state.in_([NotificationState.SENT, NotificationState.MERGED])
        query = sa.select(outbox.c.n).where(over, outbox.c.sent_at < before, WITH_PAYLOAD)
        old = list(self._do(query.order_by(outbox.c.sent_at).limit(limit)).scalars())
        empty = sa.update(outbox).values(payload={}, purged=True)
        return self._do(empty.where(outbox.c.n.in_(old))).rowcount if old else 0

    # parking

    def park(self, receiver: str, until: datetime | None, reason: str, now: datetime) -> None:
        """Keep the queue and send nothing until then, or until `unpark` when there is no end."""
        row = {"receiver": receiver, "until": until, "reason": reason, "at": now}
        upsert(self._connection, parked, [row], replace=True)

    def unpark(self, receiver: str) -> bool:
        return self._do(sa.delete(parked).where(parked.c.receiver == receiver)).rowcount > 0

    def parked(self, now: datetime) -> dict[str, tuple[datetime | None, str]]:
        """Receivers that are parked now: until when, and why."""
        query = sa.select(parked).where(sa.or_(parked.c.until.is_(None), parked.c.until > now))
        return {row.receiver: (row.until, row.reason) for row in self._do(query)}


def _of(key: str) -> sa.ColumnElement[bool]:
    return sa.or_(outbox.c.key == key, outbox.c.key.between(f"{key}#", f"{key}#\uffff"))


def _message(key: str) -> str:
    """What the parts of one message share (`notices.freeze`)."""
    return key.partition("#")[0]


def _due(now: datetime) -> sa.ColumnElement[bool]:
    late = sa.and_(outbox.c.state == NotificationState.LEASED, outbox.c.lease_until <= now)
    return sa.or_(_waiting(now), sa.and_(late, outbox.c.receiver.not_in(_resting(now))))


def _waiting(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        outbox.c.state == NotificationState.PENDING,
        outbox.c.due_at <= now,
        outbox.c.receiver.not_in(_resting(now)),
    )


def _resting(now: datetime) -> sa.Select[tuple[str]]:
    return sa.select(parked.c.receiver).where(
        sa.or_(parked.c.until.is_(None), parked.c.until > now)
    )


def _notification(row: Any) -> Notification:
    return Notification(
        **{
            **row._mapping,
            "kind": DigestKind(row.kind),
            "state": NotificationState(row.state),
            "alerts": tuple(row.alerts),
        }
    )
