"""`watcher demo`: the news day over real HTTP, the real daemon, real mail; what arrives is kept."""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from watcher.cli.output import complain, progress, say
from watcher.clock import ScaledClock
from watcher.demo.folder import Ports, secrets, write_folder
from watcher.demo.newsday import DAY, NewsDay, news_day
from watcher.demo.server import DayServer, serving
from watcher.demo.sinks import HookSinks, MailSink
from watcher.place import STORE_NAME
from watcher.store.engine import open_store

SPEED = 1350.0
# The hours before midnight are for the daemon to start and to take every feed's baseline.
START, END = DAY - timedelta(hours=2), DAY + timedelta(hours=24)
STOP_WITHIN_S = 40.0
STEP_S = 0.25


class DemoError(Exception):
    """The daemon ended early or never started."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the day is, and how fast it goes."""

    until: datetime
    speed: float

    @property
    def seconds(self) -> float:
        return (self.until - START).total_seconds() / self.speed


@dataclass(slots=True)
class World:
    """Everything around the daemon, on loopback."""

    day: NewsDay
    pace: Pace
    folder: Path
    log: Path
    ports: Ports
    news: DayServer
    mail: MailSink
    hooks: HookSinks
    first_digest: float | None = None
    stories: dict[str, int] = field(default_factory=dict)

    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(m.content, policy=policy.default) for m in self.mail.mails]


def run_demo(out: Path | None = None, *, until: datetime = END, speed: float = SPEED) -> int:
    """Run the day `speed` times faster (75 seconds in all); 0 when digests arrived.

    Messages are left in `out`, or in a new folder for temporary files.
    """
    target = out or Path(tempfile.mkdtemp(prefix="watcher-demo-"))
    target.mkdir(parents=True, exist_ok=True)
    try:
        return asyncio.run(_run(target.resolve(), Pace(until, speed)))
    except DemoError as error:
        complain(f"{error}: see {target / 'daemon.log'}")
        return 1
    except KeyboardInterrupt:
        return 130


async def _run(target: Path, pace: Pace) -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="watcher-demo-run-") as name:
        async with _world(pace, Path(name), target / "daemon.log") as world:
            say(
                f"{len(world.day.outlets)} invented outlets with {len(world.day.pieces)} articles on "
                f"loopback: the day takes {pace.seconds:.0f} seconds"
            )
            daemon = await _start(world)
            try:
                await _started(world, daemon)
                await _watch(world, daemon, began)
            finally:
                code = await _stop(daemon)
            _count(world)
            paths = _keep(world, target)
    _report(world, paths)
    if code != 0 or world.first_digest is None:
        complain(f"the daemon ended with {code}, or no digest came: see {target / 'daemon.log'}")
        return 1
    return 0


@asynccontextmanager
async def _world(pace: Pace, folder: Path, log: Path) -> AsyncIterator[World]:
    day = news_day()
    news, mail, hooks = DayServer(day, ScaledClock(START, 0.0)), MailSink(), HookSinks()
    async with (
        serving(news.routes()) as news_port,
        serving(hooks.routes()) as hooks_port,
        mail.serving() as mail_port,
    ):
        ports = Ports(news_port, hooks_port, mail_port)
        write_folder(folder, day, ports, start=START, speed=pace.speed)
        yield World(day, pace, folder, log, ports, news, mail, hooks)


async def _start(world: World) -> asyncio.subprocess.Process:
    # The user's own settings must not leak into the demo.
    environ = {k: v for k, v in os.environ.items() if not k.startswith("WATCHER_")}
    with world.log.open("wb") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "watcher", "--config", str(world.folder), "run",
            stdout=log, stderr=log, env=environ | secrets(world.ports),
        )  # fmt: skip


async def _started(world: World, daemon: asyncio.subprocess.Process) -> None:
    """Wait until the daemon says so, then let the day begin; before, the outlets' clock stands."""
    while b'"started"' not in world.log.read_bytes():
        if daemon.returncode is not None:
            raise DemoError(f"the daemon did not start (exit {daemon.returncode})")
        await asyncio.sleep(STEP_S / 5)
    world.news.clock = ScaledClock(START, world.pace.speed)


async def _watch(world: World, daemon: asyncio.subprocess.Process, began: float) -> None:
    minutes = int((world.pace.until - START).total_seconds() // 60)
    shown = 0
    with progress("one news day", minutes) as step:
        while (now := world.news.clock.now()) < world.pace.until:
            if daemon.returncode is not None:
                raise DemoError(f"the daemon ended early (exit {daemon.returncode})")
            if world.first_digest is None and any(map(_is_digest, world.mails())):
                world.first_digest = time.monotonic() - began
                say(f"first digest after {world.first_digest:.0f} seconds")
            passed = int((now - START).total_seconds() // 60)
            for _ in range(shown, passed):
                step()
            shown = passed
            await asyncio.sleep(STEP_S)


def _is_digest(mail: EmailMessage) -> bool:
    return mail.get("X-Watcher-Kind") == "digest"


async def _stop(daemon: asyncio.subprocess.Process) -> int:
    if daemon.returncode is None:
        daemon.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            return await daemon.wait()
    except TimeoutError:
        daemon.kill()
        return await daemon.wait()


def _count(world: World) -> None:
    """What the store holds at the end of the day."""
    store = open_store(world.folder / "data" / STORE_NAME)
    try:
        with store.read() as tx:
            since: datetime = START - timedelta(days=1)
            sent = sum(n for (_, state), n in tx.outbox.counts().items() if state == "sent")
            world.stories = {
                "articles": tx.articles.count(),
                "matches": sum(tx.matches.counts(since).values()),
                "stories": len(tx.stories.recent(10_000)),
                "alerts": len(tx.alerts.since(since)),
                "messages delivered": sent,
            }
    finally:
        store.close()


def _keep(world: World, target: Path) -> list[Path]:
    """Each mail as .eml and as the page and text in it, the webhooks as JSON, the digest files."""
    paths = []
    for n, mail in enumerate(world.mails(), 1):
        stem = target / f"{n:02}-{_slug(str(mail['Subject']))}"
        stem.with_suffix(".eml").write_bytes(world.mail.mails[n - 1].content)
        for kind, suffix in (("html", ".html"), ("plain", ".txt")):
            body = mail.get_body((kind,))
            if body is not None:
                path = stem.with_suffix(suffix)
                path.write_text(body.get_content(), encoding="utf-8")
                paths.append(path)
    for name, posts in (("slack", world.hooks.slack), ("webhook", world.hooks.hooks)):
        path = target / f"{name}.json"
        bodies = [post.body for post in posts]
        path.write_text(json.dumps(bodies, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        paths.append(path)
    pages = world.folder / "data" / "digests"
    if pages.is_dir():
        shutil.copytree(pages, target / "pages", dirs_exist_ok=True)
        paths.append(target / "pages")
    return paths


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:48] or "mail"


def _report(world: World, paths: list[Path]) -> None:
    digests = sum(map(_is_digest, world.mails()))
    say(
        f"\n{world.news.requests} polls, {world.news.unchanged} of them answered 304\n"
        + ", ".join(f"{count} {name}" for name, count in world.stories.items())
        + f"\n{digests} digests among {len(world.mail.mails)} mails, {len(world.hooks.slack)} Slack "
        f"messages, {len(world.hooks.hooks)} webhook calls\n"
    )
    for path in [*paths, world.log]:
        say(f"  {path}")
