"""The long-running service: ticks, signals, reload, and an orderly end.

APScheduler gives the ticks; what is due lives in the database, so a restart,
a clock step or a compressed demo clock can neither skip nor repeat work.
"""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path
from random import Random

import structlog
import watchfiles
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from watcher.app import App
from watcher.config.load import Config, load_config
from watcher.errors import ConfigError, StoreError
from watcher.intake.polled import PollReport
from watcher.tasks import end
from watcher.web.listener import listening

log = structlog.get_logger()

TICK = timedelta(seconds=1)
# How soon room that polls left is filled again.
_REFILL = 0.05
HOUSEKEEPING = timedelta(hours=1)
# How long SIGTERM waits for polls and messages under way (RELIABILITY I1).
GRACE = timedelta(seconds=25)


class Daemon:
    """Runs an App until told to stop."""

    def __init__(self, app: App, environ: Mapping[str, str], *, tick: timedelta = TICK) -> None:
        self._app = app
        self._environ = environ
        self._tick = tick
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()
        self._polls: set[asyncio.Task[PollReport]] = set()
        self._paused = ""

    async def run(self) -> None:
        """Return after SIGTERM or SIGINT, when everything under way has ended."""
        self._listen()
        scheduler = AsyncIOScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        every = self._tick.total_seconds()
        scheduler.add_job(self._guarded, "interval", seconds=every, args=[self._poll_due])
        scheduler.add_job(self._guarded, "interval", seconds=every, args=[self._app.notice_rules])
        scheduler.add_job(self._guarded, "interval", seconds=every, args=[self._app.let_through])
        scheduler.add_job(self._guarded, "interval", seconds=every, args=[self._app.compose_due])
        scheduler.add_job(self._guarded, "interval", seconds=every, args=[self._app.deliverer.tick])
        scheduler.add_job(self._guarded, "interval", seconds=every, args=[self._app.ask_hubs])
        scheduler.add_job(
            self._guarded,
            "interval",
            seconds=HOUSEKEEPING.total_seconds(),
            args=[self._app.housekeeping],
        )
        scheduler.start()
        watching = asyncio.create_task(self._watch_files())
        reloading = asyncio.create_task(self._reload_when_asked())
        log.info("started", **self._app.summary())
        try:
            await self._stop.wait()
        finally:
            log.info("stopping", polls=len(self._polls))
            scheduler.shutdown(wait=False)
            await end((watching, reloading))
            await self._finish()
        log.info("stopped")

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._asked_to_stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)

    def _asked_to_stop(self) -> None:
        if self._stop.is_set():
            # The second signal means now; what is under way is safe to lose, it is leased.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.raise_signal(signal.SIGTERM)
        self._stop.set()

    async def _finish(self) -> None:
        await self._app.stop_asking()
        await self._app.deliverer.stop(GRACE)
        await end(self._polls, GRACE)

    async def _guarded(self, work: Callable[[], Awaitable[object]]) -> None:
        """A tick never dies: trouble with the store pauses the work and says so once."""
        try:
            await work()
        except asyncio.CancelledError:
            if not self._stop.is_set():
                raise
            # The scheduler ends a tick that waits for the store; the store's work goes on to its end.
        except StoreError as error:
            if self._paused != str(error):
                log.error("paused", error=str(error))
            self._paused = str(error)
        except Exception:
            log.exception("tick_failed", work=getattr(work, "__name__", repr(work)))
        else:
            if self._paused:
                log.info("resumed")
            self._paused = ""

    async def _poll_due(self) -> None:
        """Start what is due; while more is due than has room, again and again until the next tick."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._tick.total_seconds() - 2 * _REFILL
        while await self._start_polls():
            if loop.time() > until:
                return
            await asyncio.sleep(_REFILL)

    async def _start_polls(self) -> bool:
        """Whether more may be due."""
        room = self._app.config.settings.poll.concurrency - len(self._polls)
        if self._stop.is_set():
            return False
        if room <= 0:
            return True
        running = {task.get_name() for task in self._polls}
        states = await self._app.claim_due(room)
        for state in states:
            name = f"poll {state.feed}"
            if name in running:
                self._app.skip(state)  # it waits at its host's gate for longer than a lease
                continue
            task = asyncio.create_task(self._app.poll(state), name=name)
            self._polls.add(task)
            task.add_done_callback(self._polled)
        return len(states) == room

    def _polled(self, task: asyncio.Task[PollReport]) -> None:
        self._polls.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("poll_failed", poll=task.get_name(), error=repr(error))

    async def _watch_files(self) -> None:
        folder = self._app.config.folder
        with suppress(asyncio.CancelledError):
            async for _ in watchfiles.awatch(
                folder, watch_filter=_is_yaml, debounce=300, step=100, recursive=True
            ):
                self._reload.set()

    async def _reload_when_asked(self) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            await self._reload_now()

    async def _reload_now(self) -> None:
        """Parse, validate, build, then swap; a broken file leaves the old configuration in force."""
        old = self._app.config
        try:
            new = await asyncio.to_thread(load_config, old.folder, self._environ)
        except ConfigError as error:
            log.error("reload_refused", problems=[str(p) for p in error.problems])
            await self._app.notice_reload_refused(error)
            return
        if new.fingerprint == old.fingerprint:
            log.info("reload_unchanged")
            return
        await self._guarded(lambda: self._app.use(new))
        log.info("reloaded", **self._app.summary())


def _is_yaml(_change: watchfiles.Change, path: str) -> bool:
    return Path(path).suffix in {".yaml", ".yml"}


def collect_rarely() -> None:
    """For this process: entries and rows come and go by thousands, and make no cycles."""
    gc.set_threshold(10_000, 10, 10)


async def run_daemon(config: Config, environ: Mapping[str, str]) -> None:
    """Open everything, run, close everything in reverse order."""
    async with AsyncExitStack() as stack:
        app = await App.open(stack, config, Random())
        if config.settings.web.listen:
            await stack.enter_async_context(listening(config.settings.web.listen, app.routes))
        await Daemon(app, environ, tick=app.tick).run()


async def run_once(config: Config, *, dry_run: bool) -> list[PollReport]:
    """Poll every feed once, compose and deliver what is due, and end.

    With `dry_run` the store is a throw-away copy and every receiver prints instead of sending.
    """
    async with AsyncExitStack() as stack:
        app = await App.open(stack, config, Random(), dry_run=dry_run)
        states = await app.claim_all()
        gate = asyncio.Semaphore(config.settings.poll.concurrency)

        async def poll(state: object) -> PollReport:
            async with gate:
                return await app.poll(state)  # type: ignore[arg-type]

        reports = await asyncio.gather(*(poll(state) for state in states))
        await app.let_through()
        await app.compose_due()
        await app.deliverer.finish()
        return reports
