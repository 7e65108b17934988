"""Once an hour: stories close, and what is older than its retention goes, in steps others write between."""

import asyncio
from datetime import datetime

import structlog

from watcher.config.settings import RetentionSettings
from watcher.pipeline import Pipeline
from watcher.ports import Clock
from watcher.store.engine import Store
from watcher.writer import Writer

log = structlog.get_logger()

#: Rows of a kind that one transaction takes: some ten milliseconds.
STEP = 500
#: Seconds between two steps: a backlog of a year is gone within minutes, and nobody waits for it.
PAUSE = 0.05


class Housekeeping:
    """Idempotent; an end in the middle is taken up at the next hour."""

    def __init__(self, store: Store, writer: Writer, pipeline: Pipeline, clock: Clock) -> None:
        self._store = store
        self._writer = writer
        self._pipeline = pipeline
        self._clock = clock

    async def run(self, retention: RetentionSettings) -> int:
        """How many rows went or were emptied."""
        now = self._clock.now()
        await self._writer(self._close_stories, now)
        purged = 0
        while step := await self._writer(self._purge, retention, now):
            purged += step
            await asyncio.sleep(PAUSE)
        await self._writer(self._store.tidy)
        if purged:
            log.info("purged", rows=purged)
        return purged

    def _close_stories(self, now: datetime) -> None:
        with self._store.begin() as tx:
            for story in self._pipeline.memory.expire(now):
                tx.stories.save(story)

    def _purge(self, retention: RetentionSettings, now: datetime) -> int:
        text, history = now - retention.text, now - retention.history
        with self._store.begin() as tx:
            return (
                tx.articles.purge_text(text, STEP)
                + tx.held.purge(text)
                + tx.outbox.purge_payloads(text, STEP)
                + tx.purge.history(history, STEP)
            )
