"""Dispatches that are due become digests, digests become notifications in the outbox."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

import structlog

from watcher.alerts.routes import (
    ESCALATION,
    HELD,
    DigestSchedule,
    RouteSettings,
    goes_alone,
    postpone,
    route_of,
    schedule_name,
    schedules_of,
    settled,
)
from watcher.errors import WatcherError
from watcher.faults import Faults
from watcher.model import (
    Alert,
    Digest,
    DigestKind,
    Dispatch,
    FeedStatus,
    StoryView,
)
from watcher.notices import Notices, freeze
from watcher.ports import Receiver
from watcher.rules.compile import Rule
from watcher.store.engine import Transaction
from watcher.text import truncate
from watcher.tokens import fold_tokens
from watcher.views import merge_views, story_view

log = structlog.get_logger()

# More single alerts than this waiting for one receiver are one digest: a backlog is not a flood.
MERGE_ABOVE = 20
LATE_AFTER = timedelta(minutes=15)
#: Stands for the message of an escalation that was not needed.
ACKNOWLEDGED = "acknowledged"


class Composer:
    """Freezes messages; idempotent, since every digest's key follows from what it holds."""

    def __init__(self, notices: Notices, faults: Faults) -> None:
        self._notices = notices
        self._faults = faults
        self._rules: Mapping[str, Rule] = {}
        self._receivers: Mapping[str, Receiver] = {}
        self._zones: Mapping[str, str] = {}
        self._schedules: Mapping[str, DigestSchedule] = {}

    def use(
        self,
        rules: Iterable[Rule],
        receivers: Mapping[str, Receiver],
        zones: Mapping[str, str],
        routes: Sequence[RouteSettings] = (),
    ) -> None:
        """Take a (re)loaded configuration."""
        self._schedules = schedules_of(routes)
        self._rules = {rule.id: rule for rule in rules}
        self._receivers = dict(receivers)
        self._zones = dict(zones)

    def compose_due(self, tx: Transaction, now: datetime) -> int:
        """Compose everything due at `now`; returns how many notifications were added.

        A receiver whose message can't be composed keeps its dispatches and is reported once.
        """
        added = 0
        due = self._without_acknowledged(tx, tx.alerts.due_dispatches(now))
        by_receiver = sorted(due, key=lambda d: d.receiver)
        for receiver, dispatches in groupby(by_receiver, key=lambda d: d.receiver):
            if receiver not in self._receivers:
                continue
            for batch in plan_messages(list(dispatches)):
                try:
                    added += self._compose(tx, receiver, batch, now)
                except WatcherError as error:
                    self._notices.add(
                        tx,
                        f"compose:{receiver}:{now:%Y%m%d}",
                        f"messages for {receiver} can't be composed: {error}. "
                        "They wait and are tried again",
                        avoid=receiver,
                    )
                    break
        return added

    @staticmethod
    def _without_acknowledged(tx: Transaction, due: Sequence[Dispatch]) -> list[Dispatch]:
        """An escalation that somebody was quicker than needs no message."""
        escalated = [d.alert for d in due if d.slot.startswith(ESCALATION)]
        known = tx.alerts.acknowledged(escalated) if escalated else {}
        left = []
        for dispatch in due:
            if not (dispatch.slot.startswith(ESCALATION) and dispatch.alert in known):
                left.append(dispatch)
            elif (usual := settled(dispatch)) is not None:
                tx.alerts.postpone([usual])
            else:
                tx.alerts.composed([(dispatch.alert, dispatch.receiver)], ACKNOWLEDGED)
        return left

    def merge_backlog(self, tx: Transaction, receiver: str, now: datetime) -> None:
        """Single alerts that lay in the outbox, untried, while a receiver was away: one digest.

        Nothing happens below `MERGE_ABOVE`, or when the digest can't be composed: then they go alone.
        """
        if receiver not in self._receivers:
            return
        waiting = tx.outbox.untried_alerts(receiver, now - LATE_AFTER)
        since = {alert: n.created_at for n in reversed(waiting) for alert in n.alerts}
        if len(since) <= MERGE_ABOVE:
            return
        batch = [Dispatch(alert, receiver, at) for alert, at in since.items()]
        alerts = [a for a in (tx.alerts.get(alert) for alert in since) if a is not None]
        try:
            digest = self._digest(tx, receiver, batch, alerts, now)
            digest = replace(digest, key=f"merged:{waiting[-1].key}")
            notifications = freeze(digest, self._receivers[receiver], tuple(since))
        except WatcherError as error:
            log.error("backlog_not_merged", receiver=receiver, error=str(error))
            return
        for notification in notifications:
            tx.outbox.enqueue(notification)
        tx.outbox.merged([n.key for n in waiting], digest.key, now)
        tx.alerts.composed([(alert, receiver) for alert in since], digest.key)
        log.info("backlog_merged", receiver=receiver, key=digest.key, alerts=len(since))

    def preview(self, tx: Transaction, receiver: str, now: datetime) -> Digest | None:
        """The digest that would go out if everything waiting for the receiver were due now."""
        waiting = [d for d in tx.alerts.waiting() if d.receiver == receiver]
        alerts = [a for a in (tx.alerts.get(d.alert) for d in waiting) if a is not None]
        if not alerts:
            return None
        return self._digest(tx, receiver, waiting, alerts, now)

    def _compose(self, tx: Transaction, receiver: str, batch: list[Dispatch], now: datetime) -> int:
        alerts = [a for a in (tx.alerts.get(d.alert) for d in batch) if a is not None]
        schedule = self._schedules.get(route_of(batch[0].slot)) if batch[0].slot else None
        if schedule is not None and alerts:
            later = postpone(batch, alerts, schedule, self._zones.get(receiver, "UTC"), now)
            if later:
                tx.alerts.postpone(later)
                return 0
        digest = self._digest(tx, receiver, batch, alerts, now)
        notifications = freeze(digest, self._receivers[receiver], tuple(a.id for a in alerts))
        self._faults.hit("mid_compose")
        added = sum(tx.outbox.enqueue(notification) for notification in notifications)
        tx.alerts.composed([(d.alert, d.receiver) for d in batch], digest.key)
        log.info(
            "composed",
            receiver=receiver,
            key=digest.key,
            alerts=len(alerts),
            late=bool(digest.late_since),
        )
        return added

    def _digest(
        self,
        tx: Transaction,
        receiver: str,
        batch: list[Dispatch],
        alerts: list[Alert],
        now: datetime,
    ) -> Digest:
        single = len(batch) == 1 and goes_alone(batch[0].slot)
        views = [v for v in (self._view(tx, alert) for alert in alerts) if v is not None]
        views = merge_views(views)
        first_due = min(d.send_at for d in batch)
        late = not single and now - first_due > LATE_AFTER
        return Digest(
            key=message_key(receiver, batch),
            receiver=receiver,
            kind=DigestKind.ALERT if single else DigestKind.DIGEST,
            title=_title(views, batch[0]) if single and views else digest_title(views),
            at=now,
            zone=self._zones.get(receiver, "UTC"),
            stories=tuple(views),
            silent_rules=() if single else self._silent(tx, now),
            feeds_in_trouble=()
            if single or receiver != self._notices.operator
            else self._troubled(tx),
            late_since=first_due if late else None,
            held=batch[0].reason if batch[0].slot.startswith(HELD) else "",
            merged=len(batch) if not single and not batch[0].slot else 0,
        )

    def _view(self, tx: Transaction, alert: Alert) -> StoryView | None:
        rule = self._rules.get(alert.rule)
        return story_view(
            alert,
            rule_title=rule.title if rule else alert.rule,
            note=rule.note if rule else "",
            reports=tx.stories.articles_of(alert.story) if alert.story else [],
            story=tx.stories.get(alert.story) if alert.story else None,
            matches={a: tx.matches.of_article(a) for a in alert.articles},
        )

    def _silent(self, tx: Transaction, now: datetime) -> tuple[str, ...]:
        heard = tx.matches.counts(now - timedelta(days=1))
        return tuple(rule.title for rule in self._rules.values() if not heard.get(rule.id))

    def _troubled(self, tx: Transaction) -> tuple[str, ...]:
        """Feeds that don't deliver, as the operator reads them."""
        states = sorted(tx.feeds.all(), key=lambda state: state.feed)
        return tuple(
            f"{state.feed}: {state.status.value}"
            + (f", {state.last_error}" if state.last_error else "")
            for state in states
            if state.status not in {FeedStatus.NEW, FeedStatus.OK}
        )


def plan_messages(dispatches: list[Dispatch]) -> list[list[Dispatch]]:
    """Which dispatches of one receiver share a message, oldest first.

    Immediate ones go out alone unless a backlog built up; those held by quiet hours go together;
    all due slots of one digest schedule go together, so that downtime ends in one late digest.
    """
    immediate = [d for d in dispatches if not d.slot]
    escalated = [[d] for d in dispatches if d.slot and goes_alone(d.slot)]
    groups: dict[str, list[Dispatch]] = {}
    for dispatch in dispatches:
        if not goes_alone(dispatch.slot):
            groups.setdefault(schedule_name(dispatch.slot), []).append(dispatch)
    singles = [immediate] if len(immediate) > MERGE_ABOVE else [[d] for d in immediate]
    messages = [*singles, *escalated, *groups.values()]
    return sorted(messages, key=lambda batch: (batch[0].send_at, batch[0].alert))


def message_key(receiver: str, batch: list[Dispatch]) -> str:
    """The same dispatches always give the same key; a digest is named by its newest slot."""
    newest = max(batch, key=lambda d: (d.send_at, d.alert))
    if not goes_alone(newest.slot):
        return f"{newest.slot}:{receiver}"
    if len(batch) == 1:
        return f"alert:{newest.alert}:{receiver}"
    return f"backlog:{newest.alert}:{receiver}"


def _title(views: Sequence[StoryView], dispatch: Dispatch) -> str:
    """Who is told because nobody else answered must see that first."""
    title = alert_title(views[0])
    if dispatch.slot.startswith(ESCALATION):
        return truncate(f"{dispatch.reason.capitalize()}: {title}", 150)
    return title


def alert_title(view: StoryView) -> str:
    title = view.title
    # A headline that speaks as we do to the operator is shown as somebody else's words.
    if fold_tokens(title)[:1] == ["watcher"]:
        title = f"“{title}”"
    return truncate(f"{view.opening}{title}", 150)


def digest_title(views: list[StoryView]) -> str:
    stories = f"{len(views)} {'story' if len(views) == 1 else 'stories'}"
    updates = sum(view.is_follow_up for view in views)
    tail = f", {updates} with news" if updates else ""
    lead = f": {views[0].title}" if views else ""
    return truncate(f"{stories}{tail}{lead}", 150)


def notice_of_test(receiver: str, zone: str, now: datetime) -> Digest:
    """What `watcher send-test` sends."""
    return Digest(
        key=f"test:{receiver}:{now:%Y%m%dT%H%M%S%f}",
        receiver=receiver,
        kind=DigestKind.TEST,
        title="watcher test message",
        at=now,
        zone=zone,
        notice="This is a test from watcher: the receiver works.",
    )
