"""Outbox to receivers: lease, send, mark. One drain per receiver, so none waits for another."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

import structlog

from watcher.errors import (
    DeliveryError,
    PermanentDeliveryError,
    StoreError,
    TemporaryDeliveryError,
)
from watcher.faults import Faults
from watcher.model import Notification, Receipt
from watcher.notices import Notices
from watcher.ports import Clock, Keeping, Receiver
from watcher.retry import LONGEST_RETRY_AFTER, TELL_AFTER, Action, plan_retry, rest_until
from watcher.store.engine import Store, Transaction
from watcher.tasks import end
from watcher.writer import Batches, Writer

log = structlog.get_logger()

# Longer than the slowest honest answer (SMTP gives the final dot ten minutes, RFC 5321 §4.5.3.2.6).
LEASE = timedelta(minutes=15)
SEND_DEADLINE = timedelta(minutes=13)
# Claimed at once; in the lease of one they all fit, for a receiver that hangs is left alone.
BATCH = 100
MergeBacklog = Callable[[Transaction, str, datetime], None]


@dataclass(frozen=True, slots=True)
class Target:
    """A live receiver; `min_interval` is the pause between two messages to it."""

    receiver: Receiver
    min_interval: timedelta = timedelta(0)


class Deliverer:
    """Sends what is due; at any moment at most one message per receiver is accepted and not marked."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        *,
        clock: Clock,
        notices: Notices,
        rng: Random,
        faults: Faults,
        merge_backlog: MergeBacklog | None = None,
    ) -> None:
        self._store = store
        self._writer = writer
        self._clock = clock
        self._notices = notices
        self._rng = rng
        self._faults = faults
        self._merge_backlog = merge_backlog
        self._targets: Mapping[str, Target] = {}
        self._drains: dict[str, asyncio.Task[None]] = {}
        # The mark of the message a receiver took last, while it is being stored.
        self._marking: dict[str, asyncio.Task[None]] = {}
        self._last_sent: dict[str, float] = {}
        self._stopping = False
        # Temporary failures in a row, by receiver; touched by the writer's thread only.
        self._failures: dict[str, int] = {}
        # Marks that come together are one commit, whatever receivers they are of.
        self._marks = Batches(writer, self._mark_sent, limit=BATCH)

    def use(self, targets: Mapping[str, Target]) -> None:
        """Take the receivers of a (re)loaded configuration; running sends end with the old ones."""
        self._targets = dict(targets)

    async def tick(self) -> None:
        """Start a drain for every receiver that has something due and none running."""
        if self._stopping:
            return
        self._writer.require_room()
        due = await self._writer(self._due_receivers)
        for name in due:
            task = self._drains.get(name)
            if name in self._targets and (task is None or task.done()):
                self._drains[name] = asyncio.create_task(self._drain(name), name=f"drain {name}")

    async def stop(self, grace: timedelta) -> None:
        """Take no more work, let the message under way end; cancel what outlasts the grace."""
        self._stopping = True
        await end(self._drains.values(), grace)

    async def finish(self) -> None:
        """Wait until nothing more is due now; for `run --once`."""
        while True:
            await self.tick()
            running = [task for task in self._drains.values() if not task.done()]
            if not running:
                return
            await asyncio.gather(*running)

    def _due_receivers(self) -> list[str]:
        with self._store.read() as tx:
            return tx.outbox.due_receivers(self._clock.now())

    async def _drain(self, name: str) -> None:
        receiver = self._targets[name].receiver
        kept: AbstractAsyncContextManager[None] = nullcontext()
        if overlap := isinstance(receiver, Keeping):
            kept = receiver.kept(lambda: self._settled(name))
        try:
            async with kept:
                while batch := await self._writer(self._claim, name):
                    if not await self._deliver_batch(name, batch, overlap=overlap):
                        return
        except StoreError as error:
            log.warning("delivery_paused", receiver=name, error=str(error))

    async def _deliver_batch(self, name: str, batch: list[Notification], *, overlap: bool) -> bool:
        """In order; what is not tried goes back untouched. False ends this drain.

        With `overlap` a message is begun while the one before it is being marked; the receiver
        doesn't finish it before that is done, see `ports.Keeping`.
        """
        go_on = True
        for notification in batch:
            if self._stopping or not go_on:
                await self._writer(self._release, notification)
                continue
            await self._pace(name)
            outcome = await self._attempt(name, notification)
            await self._settled(name)
            if isinstance(outcome, Receipt):
                mark = self._marks.add((notification, outcome))
                self._marking[name] = asyncio.create_task(mark)
                if not overlap:
                    await self._settled(name)
            else:
                go_on = outcome is not None and await self._writer(
                    self._failed, notification, outcome
                )
        await self._settled(name)
        return go_on and not self._stopping

    async def _settled(self, name: str) -> None:
        """What the receiver took before is marked; a cancelled asker leaves the mark alone."""
        if (marking := self._marking.get(name)) is None:
            return
        try:
            await asyncio.shield(marking)
        finally:
            if marking.done():
                del self._marking[name]

    def _claim(self, name: str) -> list[Notification]:
        self._writer.require_room()
        target, now = self._targets.get(name), self._clock.now()
        failing = name in self._failures
        limit = 1 if failing or (target and target.min_interval) else BATCH
        with self._store.begin() as tx:
            if self._merge_backlog is not None and not failing:
                self._merge_backlog(tx, name, now)
            claimed = tx.outbox.claim_due(now, LEASE, limit, receivers=[name])
            return [_answering(tx, notification) for notification in claimed]

    def _release(self, notification: Notification) -> None:
        with self._store.begin() as tx:
            tx.outbox.release(notification.key, notification.attempt)

    async def _pace(self, name: str) -> None:
        target = self._targets.get(name)
        if target is None:
            return
        last = self._last_sent.get(name)
        if last is not None:
            wait = last + target.min_interval.total_seconds() - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
        self._last_sent[name] = time.monotonic()

    async def _attempt(
        self, name: str, notification: Notification
    ) -> Receipt | DeliveryError | None:
        """One attempt; None when the receiver is gone, and the message has been given back."""
        target = self._targets.get(name)
        if target is None:
            await self._writer(self._release, notification)
            return None
        self._faults.hit("before_send")
        try:
            receipt = await self._send(target.receiver, notification)
        except DeliveryError as error:
            return error
        self._faults.hit("after_send_before_mark")
        return receipt

    async def _send(self, receiver: Receiver, notification: Notification) -> Receipt:
        try:
            async with asyncio.timeout(SEND_DEADLINE.total_seconds()):
                return await receiver.send(notification, at=self._clock.now())
        except (DeliveryError, StoreError):
            raise
        except TimeoutError as error:
            raise TemporaryDeliveryError("no answer in time", code="timeout") from error
        except Exception as error:
            # A receiver promises delivery errors only; a bug in one must not lose the message.
            log.exception("receiver_bug", receiver=notification.receiver, key=notification.key)
            raise TemporaryDeliveryError(type(error).__name__, code="internal") from error

    def _mark_sent(self, sent: Sequence[tuple[Notification, Receipt]]) -> list[None]:
        now = self._clock.now()
        with self._store.begin() as tx:
            marked = [
                tx.outbox.sent(notification.key, notification.attempt, now, receipt.detail)
                for notification, receipt in sent
            ]
            for notification, receipt in sent:
                if receipt.handle and (thread := _thread(notification)):
                    tx.meta.set(thread, receipt.handle)
            for name in {notification.receiver for notification, _ in sent}:
                self._works_again(tx, name)
            self._faults.hit("mid_mark")
        for (notification, _), in_time in zip(sent, marked, strict=True):
            log.info(
                "delivered" if in_time else "delivered_late",
                receiver=notification.receiver,
                key=notification.key,
                attempt=notification.attempt,
                subject=notification.subject,
            )
        return [None] * len(sent)

    def _failed(self, notification: Notification, error: DeliveryError) -> bool:
        """Mark it and see who rests; False when the receiver is left alone for now."""
        now, name = self._clock.now(), notification.receiver
        refused = isinstance(error, PermanentDeliveryError)
        park = isinstance(error, PermanentDeliveryError) and error.park
        retry_after = getattr(error, "retry_after", None)
        plan = plan_retry(
            attempt=notification.attempt,
            created_at=notification.created_at,
            now=now,
            temporary=not refused or park,
            retry_after=retry_after,
            rng=self._rng,
        )
        dead = plan.action is Action.DEAD
        failures = 0 if refused else self._failures.get(name, 0) + 1
        rest = rest_until(failures, now, self._rng)
        if retry_after is not None and not dead:
            rest = max(rest or now, now + min(retry_after, LONGEST_RETRY_AFTER))
        # While the receiver rests its oldest message stays first: it asks whether the peer is back.
        due_at = plan.due_at if rest is None else notification.due_at
        with self._store.begin() as tx:
            if dead:
                tx.outbox.dead(notification.key, notification.attempt, str(error), now)
            else:
                tx.outbox.retry(notification.key, notification.attempt, due_at, str(error), now)
            if park or rest is not None:
                tx.outbox.park(name, None if park else rest, str(error), now)
            self._tell_operator(tx, notification, error, dead=dead, park=park, failures=failures)
        if failures:
            self._failures[name] = failures
        log.warning(
            "delivery_failed",
            receiver=name,
            key=notification.key,
            attempt=notification.attempt,
            error=str(error),
            action=plan.action.value,
            reason=plan.reason,
            parked=park,
            failures=failures,
        )
        return not park and rest is None

    def _works_again(self, tx: Transaction, name: str) -> None:
        if self._failures.pop(name, 0) >= TELL_AFTER:
            self._notices.add(
                tx,
                f"receiver:{name}:works:{self._clock.now():%Y%m%dT%H%M}",
                f"receiver {name} works again. What waited for it is on its way",
                avoid=name,
            )

    def _tell_operator(
        self,
        tx: Transaction,
        notification: Notification,
        error: DeliveryError,
        *,
        dead: bool,
        park: bool,
        failures: int,
    ) -> None:
        name, day = notification.receiver, f"{self._clock.now():%Y%m%d}"
        if park:
            key = f"receiver:{name}:parked:{day}"
            text = (
                f"receiver {name} is parked: {error}. Its queue is kept; mend it, "
                f"then run: watcher outbox retry --receiver {name}"
            )
        elif dead:
            key = f"dead:{notification.key}"
            text = (
                f"a message to {name} was given up: {error}. "
                f"See it with: watcher outbox show {notification.key}"
            )
        elif failures >= TELL_AFTER:
            key = f"receiver:{name}:failing:{day}"
            text = (
                f"receiver {name} fails for a while now: {error}. Its queue is kept and tried "
                "every ten minutes; nothing has to be done unless it stays so"
            )
        else:
            return
        self._notices.add(tx, key, text, avoid=name)


def _thread(notification: Notification) -> str:
    """Where the handle of a thread's first message is kept; empty when there is no thread."""
    thread = notification.payload.get("thread")
    return f"thread:{notification.receiver}:{thread}" if thread else ""


def _answering(tx: Transaction, notification: Notification) -> Notification:
    thread = _thread(notification)
    handle = tx.meta.get(thread) if thread else None
    if handle is None:
        return notification
    return replace(notification, payload={**notification.payload, "reply_to": handle})
