"""Asks hubs for subscriptions, renewals and their end; each answer goes back to `Hubs`."""

import asyncio
from datetime import timedelta

import structlog

from watcher.errors import FetchError
from watcher.fetch.hub import ask_hub
from watcher.intake.hubs import Hubs, said
from watcher.ports import Clock, Door
from watcher.store.engine import Store
from watcher.tasks import end
from watcher.websub.subscription import LEASE, Action, Step, Subscription
from watcher.writer import Writer

log = structlog.get_logger()

# A thousand feeds often share one hub: it is asked for a few a second.
AT_ONCE = 4
PATH = "/websub/"


class Subscriber:
    """Works in the daemon's loop; what it was doing at a kill is asked again after a while."""

    def __init__(
        self, hubs: Hubs, store: Store, writer: Writer, *, door: Door, clock: Clock
    ) -> None:
        self._hubs = hubs
        self._store = store
        self._writer = writer
        self._door = door
        self._clock = clock
        self._asking: set[asyncio.Task[None]] = set()

    async def tick(self) -> None:
        """Begin what is due, a few at a time."""
        room = AT_ONCE - len(self._asking)
        if room <= 0 or not self._hubs.has_due(self._clock.now()):
            return
        self._writer.require_room()
        for step in await self._writer(self._claim, room):
            task = asyncio.create_task(self._ask(step), name=f"hub of {step.subscription.feed}")
            self._asking.add(task)
            task.add_done_callback(self._asked)

    async def stop(self) -> None:
        """A request under way is dropped: the hub may have it, and verify it after the restart."""
        await end(self._asking)

    def _claim(self, limit: int) -> list[Step]:
        with self._hubs.changing(self._store) as tx:
            return self._hubs.claim(tx, self._clock.now(), limit)

    def _asked(self, task: asyncio.Task[None]) -> None:
        self._asking.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("hub_request_failed", task=task.get_name(), error=repr(error))

    async def _ask(self, step: Step) -> None:
        asked = step.subscription
        try:
            await ask_hub(
                self._door, asked.address, form_of(asked, step.action), now=self._clock.now()
            )
        except FetchError as error:
            await self._writer(self._failed, asked, error)
        else:
            log.info("hub_asked", mode=step.action.value, why=step.reason.value, **said(asked))

    def _failed(self, asked: Subscription, error: FetchError) -> None:
        with self._hubs.changing(self._store) as tx:
            self._hubs.turned_down(tx, asked, error, self._clock.now())


def form_of(one: Subscription, action: Action) -> dict[str, str]:
    """WebSub §5.1. The secret goes to hubs only, and only where nobody listens."""
    form = {
        "hub.callback": f"{one.base}{PATH}{one.token}",
        "hub.mode": action.value,
        "hub.topic": one.topic,
    }
    if action is Action.SUBSCRIBE:
        form["hub.lease_seconds"] = str(int(LEASE / timedelta(seconds=1)))
        if one.secret:
            form["hub.secret"] = one.secret
    return form
