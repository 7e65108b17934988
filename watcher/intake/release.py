"""What the operator lets out of quarantine is decided as at first sight; by the writer's thread."""

from collections.abc import Sequence
from datetime import datetime

import structlog

from watcher.alerts.policy import Reason
from watcher.compose import Composer
from watcher.intake.outcomes import store_outcome
from watcher.intake.record import Recorder
from watcher.pipeline import Pipeline
from watcher.ports import Clock
from watcher.store.engine import Store, Transaction

log = structlog.get_logger()

# As many as fit into a transaction that keeps no poll waiting.
STEP = 200


class Releases:
    """The command marks, in whatever process; only the service knows the stories, so it decides."""

    def __init__(
        self, store: Store, recorder: Recorder, pipeline: Pipeline, composer: Composer, clock: Clock
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._pipeline = pipeline
        self._composer = composer
        self._clock = clock

    def step(self) -> int:
        """Let the next few through; how many are left. Deciding and unmarking commit together."""
        with self._store.read() as tx:
            waiting = tx.held.released()
        if not waiting:
            return 0
        now, step = self._clock.now(), waiting[:STEP]
        with self._recorder.remembering(now) as tx:
            # An article that was never told must not make itself, or those after it, old news.
            self._pipeline.memory.unsee(frozenset(waiting))
            alerts = sum(self._decide(tx, name, now) for name in step)
            tx.held.done(step)
            if alerts:
                self._composer.compose_due(tx, now)
        log.info("released", articles=len(step), alerts=alerts)
        return len(waiting) - len(step)

    def _decide(self, tx: Transaction, name: str, now: datetime) -> int:
        article = tx.articles.get(name)
        if article is None:
            return 0
        # A revision may have been told meanwhile, and a decision once made stands.
        already = _decided(tx.alerts.verdicts_of(name))
        outcome = self._pipeline.process(article, now, already=already)
        store_outcome(tx, outcome, now)
        return len(outcome.alerts)


def _decided(verdicts: Sequence[dict[str, object]]) -> frozenset[str]:
    return frozenset(
        str(verdict["rule"]) for verdict in verdicts if verdict["reason"] != Reason.QUARANTINED
    )
