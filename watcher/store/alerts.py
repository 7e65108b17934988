"""Alerts, the decisions not to alert, and the dispatches on their way to receivers."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from watcher.model import Alert, AlertKind, Dispatch, Severity
from watcher.slots import Slot
from watcher.store.tables import acknowledgement, alert, dispatch, verdict
from watcher.store.upsert import insert_new, upsert

_CHUNK = 500
#: Stands where a message's key would be: what a silence kept back has none.
MUTED = "silenced"
_DISPATCH = [dispatch.c[f.name] for f in fields(Dispatch)]


class Alerts:
    """Alerts by id; adding one twice changes nothing."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._do = connection.execute

    def add(self, value: Alert) -> bool:
        """False when the id is there already: an alert is decided once."""
        row = asdict(value) | {
            "articles": list(value.articles),
            "tags": list(value.tags),
            "new": list(value.new),
        }
        return insert_new(self._connection, alert, row)

    def get(self, alert_id: str) -> Alert | None:
        row = self._do(sa.select(alert).where(alert.c.id == alert_id)).first()
        return _alert(row) if row else None

    def by_id(self, ids: Collection[str]) -> dict[str, Alert]:
        """Those of them that are stored."""
        found: dict[str, Alert] = {}
        wanted = sorted(ids)
        for start in range(0, len(wanted), _CHUNK):
            query = sa.select(alert).where(alert.c.id.in_(wanted[start : start + _CHUNK]))
            found |= {row.id: _alert(row) for row in self._do(query)}
        return found

    def since(self, since: datetime, rule: str | None = None) -> list[Alert]:
        """Oldest first."""
        query = sa.select(alert).where(alert.c.at >= since)
        if rule is not None:
            query = query.where(alert.c.rule == rule)
        return [_alert(row) for row in self._do(query.order_by(alert.c.at, alert.c.id))]

    def of_story(self, story: str) -> list[Alert]:
        query = sa.select(alert).where(alert.c.story == story).order_by(alert.c.at, alert.c.id)
        return [_alert(row) for row in self._do(query)]

    def find(self, name: str) -> Alert | None:
        """By its id, or by a beginning of it that no other has."""
        found = self.get(name)
        if found is not None:
            return found
        query = sa.select(alert).where(alert.c.id.startswith(name, autoescape=True)).limit(2)
        rows = self._do(query).all()
        return _alert(rows[0]) if len(rows) == 1 else None

    # who has seen to what

    def acknowledge(self, alert_id: str, by: str, note: str, at: datetime) -> bool:
        """False when somebody had done so before: the first one stands."""
        row = {"alert": alert_id, "by": by, "note": note, "at": at}
        return insert_new(self._connection, acknowledgement, row)

    def unacknowledge(self, alert_id: str, by: str) -> bool:
        """Take it back; False when it was somebody else's, or nobody's."""
        where = sa.and_(acknowledgement.c.alert == alert_id, acknowledgement.c.by == by)
        return self._do(sa.delete(acknowledgement).where(where)).rowcount > 0

    def acknowledged(self, alerts: Collection[str]) -> dict[str, tuple[str, str, datetime]]:
        """Of these, who acknowledged which: name, note and time."""
        if not alerts:
            return {}
        query = sa.select(acknowledgement).where(acknowledgement.c.alert.in_(list(alerts)))
        return {row.alert: (row.by, row.note, row.at) for row in self._do(query)}

    # decisions, told or not

    def note_verdict(
        self,
        *,
        rule: str,
        article: str,
        story: str | None,
        sent: bool,
        reason: str,
        detail: str,
        at: datetime,
    ) -> None:
        """The latest decision about one rule and one article."""
        row = {
            "rule": rule,
            "article": article,
            "story": story,
            "sent": sent,
            "reason": reason,
            "detail": detail,
            "at": at,
        }
        upsert(self._connection, verdict, [row], replace=True)

    def verdicts_of(self, article: str) -> list[dict[str, Any]]:
        query = sa.select(verdict).where(verdict.c.article == article).order_by(verdict.c.rule)
        return [dict(row._mapping) for row in self._do(query)]

    def with_verdict(self, reason: str, since: datetime) -> set[tuple[str, str]]:
        """Rules and articles that were decided about so."""
        query = sa.select(verdict.c.rule, verdict.c.article).where(
            verdict.c.at >= since, verdict.c.reason == reason
        )
        return {(row.rule, row.article) for row in self._do(query)}

    def decided(self, rule: str, since: datetime, without: Collection[str]) -> list[datetime]:
        """When articles of a rule were decided about, told or not, but for some reasons; ascending."""
        query = _decided(rule, without).where(verdict.c.at >= since)
        return list(self._do(query.order_by(verdict.c.at)).scalars())

    def last_decided(self, rule: str, without: Collection[str]) -> datetime | None:
        query = _decided(rule, without).order_by(verdict.c.at.desc()).limit(1)
        return self._do(query).scalars().first()

    def last_of(self, rule: str, kind: AlertKind) -> datetime | None:
        """When the rule last raised such an alert."""
        query = sa.select(sa.func.max(alert.c.at)).where(alert.c.rule == rule, alert.c.kind == kind)
        return self._do(query).scalar()

    # dispatches

    def add_dispatches(self, dispatches: Iterable[Dispatch]) -> None:
        self._add_dispatches(dispatches, None)

    def add_muted(self, dispatches: Iterable[Dispatch]) -> None:
        """Those that a silence keeps back: never due, but counted in the receiver's next digest."""
        self._add_dispatches(dispatches, MUTED)

    def _add_dispatches(self, dispatches: Iterable[Dispatch], notification: str | None) -> None:
        rows = [
            {
                "alert": d.alert,
                "receiver": d.receiver,
                "send_at": d.send_at,
                "slot": str(d.slot),
                "reason": d.reason,
                "notification": notification,
            }
            for d in dispatches
        ]
        upsert(self._connection, dispatch, rows, replace=False)

    def muted(self, receiver: str) -> list[str]:
        """Reasons of those no digest of the receiver has counted yet, oldest first."""
        query = sa.select(dispatch.c.reason).where(_uncounted(receiver))
        return list(self._do(query.order_by(dispatch.c.send_at, dispatch.c.alert)).scalars())

    def count_muted(self, receiver: str, notification: str) -> None:
        """That message says how many they are."""
        told = f"{MUTED}, counted in {notification}"
        self._do(sa.update(dispatch).where(_uncounted(receiver)).values(notification=told))

    def due_dispatches(self, now: datetime) -> list[Dispatch]:
        """Not yet composed and due, oldest first."""
        query = _waiting().where(dispatch.c.send_at <= now)
        return [_dispatch(row) for row in self._do(query)]

    def waiting(self) -> list[Dispatch]:
        """Not yet composed, due or not, oldest first."""
        return [_dispatch(row) for row in self._do(_waiting())]

    def dispatches_of(self, alert_id: str) -> list[tuple[Dispatch, str | None]]:
        """Where an alert goes or went, with the key of the message; first due first."""
        query = sa.select(*_DISPATCH, dispatch.c.notification).where(dispatch.c.alert == alert_id)
        rows = self._do(query.order_by(dispatch.c.send_at, dispatch.c.receiver)).all()
        return [(_dispatch(row), row.notification) for row in rows]

    def postpone(self, dispatches: Iterable[Dispatch]) -> None:
        """Give waiting dispatches another time, slot and reason."""
        for d in dispatches:
            self._do(
                sa.update(dispatch)
                .where(dispatch.c.alert == d.alert, dispatch.c.receiver == d.receiver)
                .values(send_at=d.send_at, slot=str(d.slot), reason=d.reason)
            )

    def composed(self, pairs: Iterable[tuple[str, str]], notification: str) -> None:
        """Mark (alert, receiver) pairs as frozen into that message."""
        for alert_id, receiver in pairs:
            self._do(
                sa.update(dispatch)
                .where(dispatch.c.alert == alert_id, dispatch.c.receiver == receiver)
                .values(notification=notification)
            )


def _decided(rule: str, without: Collection[str]) -> sa.Select[Any]:
    return sa.select(verdict.c.at).where(
        verdict.c.rule == rule,
        # What a rule told of itself is decided of no article, and has no story.
        verdict.c.story.is_not(None),
        verdict.c.reason.not_in([str(reason) for reason in without]),
    )


def _uncounted(receiver: str) -> sa.ColumnElement[bool]:
    return sa.and_(dispatch.c.notification == MUTED, dispatch.c.receiver == receiver)


def _waiting() -> sa.Select[Any]:
    return (
        sa.select(*_DISPATCH)
        .where(dispatch.c.notification.is_(None))
        .order_by(dispatch.c.send_at, dispatch.c.alert, dispatch.c.receiver)
    )


def _dispatch(row: Any) -> Dispatch:
    return Dispatch(row.alert, row.receiver, row.send_at, Slot.parse(row.slot), row.reason)


def _alert(row: Any) -> Alert:
    return Alert(
        **{
            **row._mapping,
            "kind": AlertKind(row.kind),
            "severity": Severity(row.severity),
            "articles": tuple(row.articles),
            "tags": tuple(row.tags),
            "new": tuple(row.new),
        }
    )
