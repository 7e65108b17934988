"""Wiring: one configuration, one store, the parts between them. No decision is made here."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import reduce
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import structlog
from starlette.routing import BaseRoute

from watcher import __version__
from watcher.compose import Composer
from watcher.config.load import Config
from watcher.deliver import Deliverer, Target
from watcher.errors import ConfigError
from watcher.faults import Faults
from watcher.housekeeping import Housekeeping
from watcher.intake.full_text import FullText
from watcher.intake.hubs import Hubs
from watcher.intake.ingest import Ingest
from watcher.intake.poll_queue import POLL_LEASE, PollQueue
from watcher.intake.polled import PollLimits, PollReport
from watcher.intake.pushed import Callbacks
from watcher.intake.record import Recorder
from watcher.intake.release import Releases
from watcher.intake.subscriber import Subscriber
from watcher.model import FeedState
from watcher.notices import Notices
from watcher.parts import (
    build_receivers,
    hubs_of,
    links_of,
    open_door,
    plan_of,
    signer_of,
    zones_of,
)
from watcher.pipeline import Pipeline, Plan
from watcher.place import STORE_NAME, clock_of, store_path
from watcher.polling import PollBounds
from watcher.ports import Clock, Door, Receiver
from watcher.preview import renderer_of
from watcher.restore import restore_heard, restore_memory
from watcher.sources.pool import ParserPool
from watcher.store.engine import Store, open_store
from watcher.turns import HostTurns
from watcher.web.feedback import Feedback
from watcher.web.links import Signer
from watcher.web.websub import websub_routes
from watcher.writer import Writer

log = structlog.get_logger()

# New feeds start within this span, not all at the same moment.
SPREAD = timedelta(seconds=10)
# How often bursts and silences are looked for.
NOTICE_EVERY = timedelta(minutes=1)


def _fixed_at_start(old: Config, new: Config) -> list[str]:
    """Which settings differ that a running service can't take over."""
    parts = {
        "data": ("data",),
        "clock": ("clock",),
        "web": ("web",),
        "http.contact": ("http", "contact"),
        "http.allow": ("http", "allow"),
        "poll.per_host": ("poll", "per_host"),
        "poll.host_spacing": ("poll", "host_spacing"),
        "poll.workers": ("poll", "workers"),
    }
    return [
        name
        for name, path in parts.items()
        if reduce(getattr, path, old.settings) != reduce(getattr, path, new.settings)
    ]


def copy_store(source: Path, target: Path) -> None:
    """A consistent copy, also while a daemon writes; nothing when there is no store yet."""
    if source.exists():
        store = open_store(source)
        try:
            store.backup(target)
        finally:
            store.close()


class App:
    """The parts of a running service; `use` swaps the configuration under them."""

    def __init__(
        self,
        config: Config,
        store: Store,
        writer: Writer,
        door: Door,
        recorder: Recorder,
        ingest: Ingest,
        composer: Composer,
        deliverer: Deliverer,
        notices: Notices,
        pipeline: Pipeline,
        clock: Clock,
        signer: Signer | None,
        hubs: Hubs | None,
        *,
        dry_run: bool,
    ) -> None:
        self.config = config
        self.store = store
        self.deliverer = deliverer
        self._writer = writer
        self._door = door
        self._recorder = recorder
        self._ingest = ingest
        self._composer = composer
        self._notices = notices
        self._pipeline = pipeline
        self._clock = clock
        self._releases = Releases(store, recorder, pipeline, composer, clock)
        self._house = Housekeeping(store, writer, pipeline, clock)
        poll = config.settings.poll
        self._queue = PollQueue(store, writer, clock, HostTurns(poll.per_host, poll.host_spacing))
        self._signer = signer
        self._feedback = Feedback(store, writer, clock=clock, signer=signer) if signer else None
        self._hubs = hubs
        self._callbacks = (
            Callbacks(
                hubs, store, writer, ingest, clock=clock, max_body=config.settings.http.max_body
            )
            if hubs is not None
            else None
        )
        self._subscriber = (
            Subscriber(hubs, store, writer, door=door, clock=clock) if hubs is not None else None
        )
        self._dry_run = dry_run
        self._noticed_at: datetime | None = None

    @classmethod
    async def open(
        cls, stack: AsyncExitStack, config: Config, rng: Random, *, dry_run: bool = False
    ) -> "App":
        """Open everything on the stack, which closes it in reverse order.

        Raises `StoreLockedError` when a daemon runs on this store; a dry run works on a
        throw-away copy instead.
        """
        folder = config.data
        if dry_run:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="watcher-dry-run-")))
            copy_store(store_path(config), folder / STORE_NAME)
        store = open_store(folder / STORE_NAME)
        stack.callback(store.close)
        store.lock()
        writer = Writer(folder)
        stack.callback(writer.close)
        door = await stack.enter_async_context(open_door(config))
        parser = await stack.enter_async_context(ParserPool(config.settings.poll.workers))
        clock, faults = clock_of(config), Faults(config.settings.fault)
        notices = Notices(clock)
        composer = Composer(notices, faults)
        pipeline = Pipeline(plan_of(config))
        hubs = None if dry_run else hubs_of(config, rng)
        recorder = Recorder(
            store, pipeline, composer, notices=notices, clock=clock, rng=rng, faults=faults,
            hubs=hubs,
        )  # fmt: skip
        # A child of its own: no feed waits for pages.
        reader = await stack.enter_async_context(ParserPool(deadline=timedelta(seconds=10)))
        ingest = Ingest(
            recorder, writer, door=door, parser=parser, clock=clock, faults=faults, hubs=hubs,
            full_text=FullText(door, reader, writer, recorder.unread),
        )  # fmt: skip
        deliverer = Deliverer(
            store, writer, clock=clock, notices=notices, rng=rng, faults=faults,
            merge_backlog=composer.merge_backlog,
        )  # fmt: skip
        app = cls(
            config, store, writer, door, recorder, ingest, composer, deliverer, notices, pipeline,
            clock, await writer(signer_of, config, store), hubs, dry_run=dry_run,
        )  # fmt: skip
        await app.use(config)
        await writer(app._remember)
        return app

    async def use(self, config: Config) -> None:
        """Build everything of the new configuration first, then swap; an error changes nothing."""
        if changed := _fixed_at_start(self.config, config):
            log.warning("restart_needed", settings=changed)
        receivers = build_receivers(config, self._door, dry_run=self._dry_run)
        plan = plan_of(config)
        await self._writer(self._swap, config, plan, receivers)
        if self._pipeline.matcher.segments > 1:  # live already; made one beside what goes on
            self._pipeline.matcher = await asyncio.to_thread(self._pipeline.matcher.merged)

    def _swap(self, config: Config, plan: Plan, receivers: Mapping[str, Receiver]) -> None:
        enabled = [feed for feed in config.feeds if feed.enabled]
        with self.store.begin() as tx:
            tx.feeds.sync([(f.id, f.url) for f in enabled], self._clock.now(), SPREAD)
            if self._hubs is not None:
                self._hubs.use(tx, [f.id for f in enabled if f.websub], self._clock.now())
        zones = zones_of(config)
        poll, http = config.settings.poll, config.settings.http
        limits = PollLimits(PollBounds(poll.every, poll.min, poll.max), http.timeout, http.max_body)
        if self._callbacks is not None:
            self._callbacks.max_body = http.max_body
        self._pipeline.use(plan)
        with self.store.begin() as tx:
            restore_heard(self._pipeline, tx, self._clock.now())
        self._notices.use(config.settings.operator, receivers, zones)
        self._composer.use(
            config.rules, receivers, plan.receivers, config.routes, links_of(config, self._signer)
        )
        if self._feedback is not None:
            titles = {rule.id: rule.title for rule in config.rules}
            self._feedback.use(renderer_of(config).page, titles)
        self._ingest.use(enabled, config.publishers, limits)
        self.deliverer.use(
            {
                name: Target(receiver, config.receivers[name].min_interval)
                for name, receiver in receivers.items()
            }
        )
        self.config = config

    def _remember(self) -> None:
        with self.store.begin() as tx:
            self._queue.begin(tx, self.config.settings.poll.min)
            tx.feeds.end_leases()
            tx.outbox.end_leases()
            restore_memory(self._pipeline, tx, self._clock.now())

    # ── the work of a tick ──

    async def claim_due(self, limit: int) -> list[FeedState]:
        """Each is to be polled, or given back by `skip`."""
        self._writer.require_room()
        return await self._queue.claim(limit)

    async def claim_all(self) -> list[FeedState]:
        """Every feed, due or not; for `run --once`."""
        return await self._writer(self._claim_all)

    def _claim_all(self) -> list[FeedState]:
        with self.store.begin() as tx:
            return tx.feeds.claim_all(self._clock.now(), POLL_LEASE)

    async def poll(self, state: FeedState) -> PollReport:
        try:
            report = await self._ingest.poll(state)
        finally:
            self._queue.done(state)
        if report.rest is not None:
            self._queue.turns.rest(state.url, self._clock.now() + report.rest)
        return report

    def skip(self, state: FeedState) -> None:
        """It was claimed and won't be polled."""
        self._queue.done(state)

    async def compose_due(self) -> int:
        """Digests whose slot has come and alerts whose quiet hours are over."""
        self._writer.require_room()
        return await self._writer(self._compose_due)

    def _compose_due(self) -> int:
        with self.store.begin() as tx:
            return self._composer.compose_due(tx, self._clock.now())

    async def notice_rules(self) -> None:
        """Bursts and silences that the clock brings about; looked for once a minute."""
        now = self._clock.now()
        if self._noticed_at is None or abs(now - self._noticed_at) >= NOTICE_EVERY:
            self._noticed_at = now
            await self._writer(self._recorder.notice_rules)

    async def let_through(self) -> None:
        """What `watcher feeds release` let out of quarantine."""
        self._writer.require_room()
        while await self._writer(self._releases.step):
            pass

    async def ask_hubs(self) -> None:
        """Subscriptions that are to be made, renewed or ended."""
        if self._subscriber is not None:
            await self._subscriber.tick()

    async def stop_asking(self) -> None:
        """Hubs that are being asked are left to answer nobody."""
        if self._subscriber is not None:
            await self._subscriber.stop()

    async def housekeeping(self) -> None:
        """Close old stories, delete old texts and the bodies of old messages."""
        await self._house.run(self.config.settings.retention)

    async def notice_reload_refused(self, error: ConfigError) -> None:
        await self._writer(self._notice_reload_refused, error)

    def _notice_reload_refused(self, error: ConfigError) -> None:
        with self.store.begin() as tx:
            self._notices.add(
                tx,
                f"reload:{self._clock.now():%Y%m%dT%H%M%S}",
                "the changed configuration was refused and the old one stays in force. "
                + "; ".join(str(problem) for problem in error.problems[:10]),
            )

    @property
    def routes(self) -> list[BaseRoute]:
        """What the listener serves when there is one."""
        return [
            *(self._feedback.routes if self._feedback is not None else ()),
            *(websub_routes(self._callbacks) if self._callbacks is not None else ()),
        ]

    @property
    def tick(self) -> timedelta:
        """Shorter under a compressed clock, so that a simulated minute is not missed."""
        return timedelta(seconds=0.2 if self.config.settings.clock else 1.0)

    def summary(self) -> dict[str, Any]:
        """For the log: what is in force."""
        return {
            "version": __version__,
            "config": str(self.config.folder),
            "store": str(store_path(self.config).resolve()),
            "feeds": sum(feed.enabled for feed in self.config.feeds),
            "rules": len(self.config.rules),
            "receivers": sum(s.enabled for s in self.config.receivers.values()),
        }
