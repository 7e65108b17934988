"""Dispatches that are due become digests, digests become notifications in the outbox."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from watcher.alerts.dispatches import in_next_slot
from watcher.alerts.due import MERGE_ABOVE, Batch, message_key, plan_due
from watcher.alerts.routes import ReceiverClock, RouteSettings, Schedules, schedules_of
from watcher.alerts.silences import say_muted
from watcher.errors import WatcherError
from watcher.faults import Faults
from watcher.intake.feed_words import feed_words
from watcher.links import StoryLinks
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
from watcher.slots import WaitsFor
from watcher.store.engine import Transaction
from watcher.text import truncate
from watcher.tokens import fold_tokens
from watcher.views import merge_views, story_view

log = structlog.get_logger()

LATE_AFTER = timedelta(minutes=15)
# What a receiver's readers may do about an alert in a message of that time.
LinksOf = Callable[[StoryView, str, datetime], StoryLinks | None]
#: Stands for the message of an escalation that was not needed.
ACKNOWLEDGED = "acknowledged"


class Composer:
    """Freezes messages; idempotent, since every digest's key follows from what it holds."""

    def __init__(self, notices: Notices, faults: Faults) -> None:
        self._notices = notices
        self._faults = faults
        self._rules: Mapping[str, Rule] = {}
        self._receivers: Mapping[str, Receiver] = {}
        self._clocks: Mapping[str, ReceiverClock] = {}
        self._schedules: Schedules = {}
        self._links_of: LinksOf | None = None

    def use(
        self,
        rules: Iterable[Rule],
        receivers: Mapping[str, Receiver],
        clocks: Mapping[str, ReceiverClock],
        routes: Sequence[RouteSettings] = (),
        links_of: LinksOf | None = None,
    ) -> None:
        """Take a (re)loaded configuration."""
        self._links_of = links_of
        self._schedules = schedules_of(routes)
        self._rules = {rule.id: rule for rule in rules}
        self._receivers = dict(receivers)
        self._clocks = clocks

    def compose_due(self, tx: Transaction, now: datetime) -> int:
        """Compose everything due at `now`; returns how many notifications were added.

        A receiver whose message can't be composed keeps its dispatches and is reported once.
        """
        due = [d for d in tx.alerts.due_dispatches(now) if d.receiver in self._receivers]
        alerts = tx.alerts.by_id({d.alert for d in due})
        plan = plan_due(
            due,
            raised={alert.id: alert.at for alert in alerts.values()},
            acknowledged=tx.alerts.acknowledged(
                [d.alert for d in due if d.slot.waits_for is WaitsFor.ANSWER]
            ),
            schedules=self._schedules,
            clocks=self._clocks,
            now=now,
        )
        tx.alerts.postpone(plan.later)
        tx.alerts.composed([(d.alert, d.receiver) for d in plan.needless], ACKNOWLEDGED)
        return sum(
            self._compose_all(tx, receiver, batches, alerts, now)
            for receiver, batches in plan.messages.items()
        )

    def _compose_all(
        self,
        tx: Transaction,
        receiver: str,
        batches: Sequence[Batch],
        alerts: Mapping[str, Alert],
        now: datetime,
    ) -> int:
        added = 0
        for batch in batches:
            told = [alerts[d.alert] for d in batch if d.alert in alerts]
            try:
                added += self._compose(tx, receiver, batch, told, now)
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
        self._mark(tx, digest, [(alert, receiver) for alert in since])
        log.info("backlog_merged", receiver=receiver, key=digest.key, alerts=len(since))

    def preview(self, tx: Transaction, receiver: str, now: datetime) -> Digest | None:
        """The digest that would go out if everything waiting for the receiver were due now.

        Not what it gets only when nobody acknowledges.
        """
        waiting = [
            d
            for d in tx.alerts.waiting()
            if d.receiver == receiver
            and (d.slot.waits_for is not WaitsFor.ANSWER or d.slot.instead)
        ]
        known = tx.alerts.by_id({d.alert for d in waiting})
        alerts = [known[d.alert] for d in waiting if d.alert in known]
        if not alerts:
            return None
        return self._digest(tx, receiver, waiting, alerts, now)

    def _compose(
        self,
        tx: Transaction,
        receiver: str,
        batch: Batch,
        alerts: list[Alert],
        now: datetime,
    ) -> int:
        digest = self._digest(tx, receiver, batch, alerts, now)
        if tx.outbox.holds(digest.key):
            # The clock was put back, or a digest's zone changed: its minute has had its message.
            schedule = self._schedules.get((receiver, batch[0].slot.route))
            if schedule is not None:
                clock = self._clocks[receiver]
                tx.alerts.postpone(in_next_slot(d, schedule, clock, d.send_at) for d in batch)
                return 0
            digest = replace(digest, key=f"{digest.key}:{batch[-1].alert}")
        notifications = freeze(digest, self._receivers[receiver], tuple(a.id for a in alerts))
        self._faults.hit("mid_compose")
        added = sum(tx.outbox.enqueue(notification) for notification in notifications)
        self._mark(tx, digest, [(d.alert, d.receiver) for d in batch])
        log.info(
            "composed",
            receiver=receiver,
            key=digest.key,
            alerts=len(alerts),
            late=bool(digest.late_since),
        )
        return added

    @staticmethod
    def _mark(tx: Transaction, digest: Digest, pairs: Sequence[tuple[str, str]]) -> None:
        tx.alerts.composed(pairs, digest.key)
        if digest.silenced:
            tx.alerts.count_muted(digest.receiver, digest.key)

    def _digest(
        self,
        tx: Transaction,
        receiver: str,
        batch: Batch,
        alerts: list[Alert],
        now: datetime,
    ) -> Digest:
        single, slot = len(batch) == 1 and batch[0].slot.alone, batch[0].slot
        views = [v for v in (self._view(tx, alert) for alert in alerts) if v is not None]
        views = merge_views(views)
        if (links_of := self._links_of) is not None:
            views = [replace(view, links=links_of(view, receiver, now)) for view in views]
        first_due = min(d.send_at for d in batch)
        late = not single and now - first_due > LATE_AFTER
        return Digest(
            key=message_key(receiver, batch),
            receiver=receiver,
            kind=DigestKind.ALERT if single else DigestKind.DIGEST,
            title=_title(views, batch[0]) if single and views else digest_title(views),
            at=now,
            zone=self._clocks[receiver].zone,
            stories=tuple(views),
            silent_rules=() if single else self._silent(tx, now),
            silenced="" if single else say_muted(tx.alerts.muted(receiver)),
            feeds_in_trouble=()
            if single or receiver != self._notices.operator
            else self._troubled(tx, now),
            late_since=first_due if late else None,
            held=batch[0].reason if slot.waits_for is WaitsFor.QUIET_END else "",
            merged=len(batch) if not single and slot.alone else 0,
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

    def _troubled(self, tx: Transaction, now: datetime) -> tuple[str, ...]:
        """Feeds that don't deliver, as the operator reads them."""
        held = tx.held.counts()
        states = (
            (state, feed_words(state, now, held.get(state.feed, 0))) for state in tx.feeds.all()
        )
        return tuple(
            f"{state.feed}: {words.status}" + (f", {state.last_error}" if state.last_error else "")
            for state, words in states
            if state.status not in {FeedStatus.NEW, FeedStatus.OK} or state.feed in held
        )


def _title(views: Sequence[StoryView], dispatch: Dispatch) -> str:
    """Who is told because nobody else answered must see that first."""
    title = alert_title(views[0])
    if dispatch.slot.waits_for is WaitsFor.ANSWER:
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
