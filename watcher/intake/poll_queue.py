"""Which feeds are polled now: those that are due and whose host has a turn, by a clock that may be set."""

from datetime import datetime, timedelta

import structlog

from watcher.clock import StepWatch
from watcher.model import FeedState
from watcher.ports import Clock
from watcher.store import clock_step
from watcher.store.engine import Store, Transaction
from watcher.turns import HostTurns
from watcher.writer import Writer

log = structlog.get_logger()

# A claimed feed returns to the queue if the daemon dies under it.
POLL_LEASE = timedelta(minutes=5)


class PollQueue:
    """Due times are the store's; what can't go yet is due again when its host has a turn."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        clock: Clock,
        turns: HostTurns,
        *,
        watch: StepWatch | None = None,
    ) -> None:
        self.turns = turns
        self._store = store
        self._writer = writer
        self._clock = clock
        self._watch = watch or StepWatch(clock)

    def begin(self, tx: Transaction, least: timedelta) -> None:
        """For a daemon that starts: the clock may have been set meanwhile, or a long time passed.

        Nothing becomes due early, and what is overdue is spread over `least`.
        """
        now = self._clock.now()
        last = clock_step.last_seen(tx.connection)
        if last is not None and last > now + timedelta(minutes=1):
            log.warning("clock_set_back", seconds=round((last - now).total_seconds()))
            clock_step.shift(tx.connection, now - last, now)
        clock_step.spread(tx.connection, now, least)

    async def claim(self, limit: int) -> list[FeedState]:
        """As many as may go now, oldest due first; each must come back to `done`."""
        if step := self._watch.step():
            await self._writer(self._shift, step)
        going: list[FeedState] = []
        while (room := limit - len(going)) > 0:
            claimed = await self._writer(self._claim, room)
            now = self._clock.now()
            turns = [(state, self.turns.take(state.url, now)) for state in claimed]
            going += [state for state, at in turns if at is None]
            later = [(state, at) for state, at in turns if at is not None]
            if later:
                await self._writer(self._put_back, later)
            if len(claimed) < room:
                break
        return going

    def done(self, state: FeedState) -> None:
        self.turns.done(state.url)

    def _claim(self, limit: int) -> list[FeedState]:
        with self._store.begin() as tx:
            return tx.feeds.claim_due(self._clock.now(), POLL_LEASE, limit)

    def _put_back(self, later: list[tuple[FeedState, datetime]]) -> None:
        with self._store.begin() as tx:
            for state, at in later:
                tx.feeds.release(state.feed, at)

    def _shift(self, step: timedelta) -> None:
        log.warning("clock_set", seconds=round(step.total_seconds()))
        self.turns.shift(step)
        with self._store.begin() as tx:
            clock_step.shift(tx.connection, step, self._clock.now())
