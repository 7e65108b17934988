"""A watcher of feeds on a loopback server whose every answer a test writes down beforehand.

The real door, parser, store and recorder; only the clock is turned by hand.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from raw_origin import Origin, opened, reply

from watcher.alerts.routes import ReceiverClock, RouteSettings
from watcher.clock import ManualClock
from watcher.compose import Composer
from watcher.faults import Faults
from watcher.fetch.door import GuardedDoor
from watcher.intake.full_text import ALL_PAGES, FullText
from watcher.intake.ingest import Ingest
from watcher.intake.polled import PollLimits, PollReport
from watcher.intake.record import Recorder
from watcher.model import Digest, Draft, FeedState, Notification, ParsedFeed, Receipt
from watcher.notices import Notices
from watcher.pipeline import Pipeline, Plan
from watcher.polling import PollBounds
from watcher.ports import FeedParser, Result, Work
from watcher.rules.compile import compile_rules
from watcher.rules.schema import RuleSpec
from watcher.sources.parse import parse_feed
from watcher.sources.settings import FeedSettings
from watcher.store.engine import Store, open_store
from watcher.stories.publishers import PublisherTable
from watcher.writer import Writer

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
RULES, _ = compile_rules([RuleSpec(id="launch", when="rocket")], {})


def rss(*titles: str, **more: str) -> bytes:
    items = "".join(
        f"<item><title>{t}</title><guid isPermaLink='false'>{more.get('guid', t)}</guid>"
        f"<link>https://sample.example/{t.replace(' ', '-')}</link></item>"
        for t in titles
    )
    return f"<rss version='2.0'><channel><title>Sample</title>{items}</channel></rss>".encode()


def feed(*titles: str, status: str = "200 OK", **headers: str) -> bytes:
    return reply(rss(*titles), status, **headers)


class Parser:
    """In this process: what a child guards against has its own tests."""

    async def parse(self, body: bytes, *, url: str, content_type: str | None) -> ParsedFeed:
        return parse_feed(body, url=url, content_type=content_type)

    async def ask(
        self, work: Work[Result], body: bytes, *, url: str, content_type: str | None = None
    ) -> Result:
        return work(body, url, content_type)


@dataclass
class Desk:
    """A receiver that keeps what it was told."""

    told: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def compose(self, digest: Digest) -> list[Draft]:
        (self.notices if digest.notice else self.told).append(digest.notice or digest.title)
        return [Draft({})]

    async def send(self, notification: Notification, *, at: datetime) -> Receipt:
        return Receipt()


@dataclass
class Station:
    """An origin whose next answers are written down beforehand, and a watcher of its feeds."""

    origin: Origin
    clock: ManualClock
    store: Store
    writer: Writer
    ingest: Ingest
    desk: Desk
    ops: Desk
    answers: list[bytes] = field(default_factory=list)

    def state(self, name: str = "f") -> FeedState:
        with self.store.begin() as tx:
            found = tx.feeds.get(name)
        assert found is not None
        return found

    async def poll(self, answer: bytes, *, after: timedelta = timedelta(hours=1)) -> PollReport:
        """One poll that gets this answer, some time after the last one."""
        self.clock.turn_to(self.clock.now() + after)
        self.answers[:] = [answer]
        return await self.ingest.poll(self.state())

    async def run_until(self, end: datetime, answer: Callable[[datetime], bytes]) -> None:
        """Poll every feed whenever it is due."""
        while True:
            with self.store.begin() as tx:
                state = min(tx.feeds.all(), key=lambda one: one.next_poll_at)
            if state.next_poll_at > end:
                self.clock.turn_to(end)
                return
            self.clock.turn_to(state.next_poll_at)
            self.answers[:] = [answer(self.clock.now())]
            await self.ingest.poll(state)


def watching(folder: Path, script: Callable[[Station], Awaitable[object]], feeds: int = 1) -> Any:
    async def run() -> Any:
        made: list[Station] = []

        async def answer(_reader: Any, writer: asyncio.StreamWriter, _head: bytes) -> None:
            station = made[0]
            writer.write(station.answers.pop(0) if len(station.answers) > 1 else station.answers[0])
            writer.close()

        async with Origin(answer) as origin, opened(origin.port) as door:
            station = build(folder, origin, door, feeds)
            made.append(station)
            try:
                return await script(station)
            finally:
                station.writer.close()
                station.store.close()

    return asyncio.run(run())


def build(
    folder: Path,
    origin: Origin,
    door: GuardedDoor,
    feeds: int = 1,
    *,
    reader: FeedParser | None = None,
    page_time: timedelta = ALL_PAGES,
    **more: Any,
) -> Station:
    """With a `reader`, the pages that entries link to are read; `more` are settings of each feed."""
    clock, desk, ops = ManualClock(NOW), Desk(), Desk()
    store, notices = open_store(folder / "store.db"), Notices(clock)
    notices.use("ops", {"desk": desk, "ops": ops}, {})
    composer = Composer(notices, Faults())
    composer.use(RULES, {"desk": desk}, {"desk": ReceiverClock()})
    plan = Plan(tuple(RULES), (RouteSettings(receivers=("desk",)),), {"desk": ReceiverClock()})
    recorder = Recorder(
        store, Pipeline(plan), composer, notices=notices, clock=clock, rng=Random(1), faults=Faults()
    )  # fmt: skip
    writer = Writer(folder, reserve_bytes=0)
    texts = FullText(door, reader, writer, recorder.unread, deadline=page_time) if reader else None
    ingest = Ingest(
        recorder, writer, door=door, parser=Parser(), clock=clock, faults=Faults(), full_text=texts
    )
    names = ["f", *(f"f{n}" for n in range(1, feeds))]
    settings = [
        FeedSettings(id=name, url=f"http://127.0.0.1:{origin.port}/{name}", **more)
        for name in names
    ]
    limits = PollLimits(PollBounds(timedelta(minutes=15)), timedelta(seconds=5), 100_000)
    ingest.use(settings, PublisherTable(), limits)
    with store.begin() as tx:
        tx.feeds.sync([(one.id, one.url) for one in settings], NOW, timedelta(0))
    return Station(origin, clock, store, writer, ingest, desk, ops)
