"""A small world for the top floor: a store in memory, receivers that record, a clock turned by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from watcher.alerts.routes import ReceiverClock, RouteSettings
from watcher.clock import ManualClock
from watcher.compose import Composer
from watcher.errors import DeliveryError
from watcher.faults import Faults
from watcher.model import Article, Digest, Draft, Notification, Receipt
from watcher.notices import Notices
from watcher.pipeline import Pipeline, Plan
from watcher.rules.compile import Rule, compile_rule
from watcher.rules.policy import AlertPolicy
from watcher.rules.schema import RuleSpec
from watcher.store.engine import Store, open_store

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)


def rule(name: str = "launch", when: Any = "rocket", **fields: Any) -> Rule:
    policy = AlertPolicy.model_validate(fields.pop("alert", {}))
    made, issues = compile_rule(
        RuleSpec(id=name, title=name.title(), when=when, alert=policy, **fields), {}
    )
    assert made is not None, issues
    return made


def article(
    n: int,
    title: str = "North Korea fires rocket",
    text: str = "",
    at: datetime = NOW,
    publisher: str = "",
) -> Article:
    name = publisher or f"Sample {n}"
    return Article(
        f"a{n}",
        "f",
        f"https://sample{n}.example/{n}",
        title,
        text,
        at,
        published=at,
        publisher=name,
        family=name.casefold(),
        lang="en",
    )


@dataclass
class Recorder:
    """A receiver that keeps what it composes and sends; `trouble` is raised on sending."""

    digests: list[Digest] = field(default_factory=list)
    sent: list[Notification] = field(default_factory=list)
    trouble: list[DeliveryError] = field(default_factory=list)
    broken: Exception | None = None

    def compose(self, digest: Digest) -> list[Draft]:
        if self.broken is not None:
            raise self.broken
        self.digests.append(digest)
        return [Draft({"title": digest.title, "stories": [view.title for view in digest.stories]})]

    async def send(self, notification: Notification, *, at: datetime) -> Receipt:
        if self.trouble:
            raise self.trouble.pop(0)
        self.sent.append(notification)
        return Receipt("ok")


class World:
    """A pipeline, a composer and a store that belong together."""

    def __init__(
        self, rules: Sequence[Rule], routes: Sequence[dict[str, Any]], **clocks: ReceiverClock
    ) -> None:
        self.clock = ManualClock(NOW)
        self.receivers = {name: Recorder() for name in clocks}
        self.plan = Plan(
            tuple(rules), tuple(RouteSettings.model_validate(r) for r in routes), clocks
        )
        self.pipeline = Pipeline(self.plan)
        self.store: Store = open_store(Path(":memory:"))
        zones = {name: clock.zone for name, clock in clocks.items()}
        self.notices = Notices(self.clock)
        self.notices.use(next(iter(clocks), None), self.receivers, zones)
        self.composer = Composer(self.notices, Faults())
        self.composer.use(rules, self.receivers, clocks, self.plan.routes)
        self.rng = Random(1)

    def take(self, *articles: Article) -> None:
        """What ingest does with new articles, in one transaction."""
        from watcher.intake.outcomes import store_outcome

        with self.store.begin() as tx:
            for one in articles:
                now = self.clock.now()
                tx.articles.add(one, one.id)
                store_outcome(tx, self.pipeline.process(one, now), now)

    def compose(self) -> int:
        with self.store.begin() as tx:
            return self.composer.compose_due(tx, self.clock.now())

    def turn_to(self, moment: datetime) -> None:
        self.clock.turn_to(moment)
