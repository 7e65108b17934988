"""`watcher demo`: serve the news day, let the real daemon watch it, and show what arrives."""

import asyncio
import json
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import yaml

from watcher.cli.output import complain, progress, say
from watcher.clock import ScaledClock
from watcher.demo.newsday import items, outlets
from watcher.demo.server import NewsServer
from watcher.demo.sinks import HookSink, MailSink
from watcher.resources import bundled

DAY = datetime(2026, 5, 30, tzinfo=UTC)
START = DAY - timedelta(minutes=30)
END = DAY + timedelta(hours=24, minutes=45)
SPEED = 1200.0
FIRST_DIGEST_WITHIN_S = 60.0


@dataclass(slots=True)
class World:
    """Everything around the daemon."""

    folder: Path
    clock: ScaledClock
    news: NewsServer
    mail: MailSink
    hooks: HookSink


def run_demo(out: Path | None = None) -> int:
    """Run the whole day; 0 when a digest arrived by mail, else 1. Messages are left in `out`."""
    target = out or Path(tempfile.mkdtemp(prefix="watcher-demo-"))
    target.mkdir(parents=True, exist_ok=True)
    return asyncio.run(_run(target))


@asynccontextmanager
async def _world(folder: Path) -> AsyncIterator[World]:
    clock = ScaledClock(START, SPEED)
    world = World(folder, clock, NewsServer(outlets(), items(DAY), clock), MailSink(), HookSink())
    servers = (world.news, world.mail, world.hooks)
    for server in servers:
        await server.start()
    try:
        yield world
    finally:
        for server in servers:
            await server.stop()


async def _run(target: Path) -> int:
    with tempfile.TemporaryDirectory(prefix="watcher-demo-run-") as name:
        async with _world(Path(name)) as world:
            _write_config(world)
            say(
                f"{len(outlets())} invented outlets, {len(items(DAY))} articles, one day in "
                f"{(END - START).total_seconds() / SPEED:.0f} seconds, all on this machine"
            )
            log = target / "daemon.log"
            with log.open("wb") as errors:
                daemon = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "watcher", "--config", name, "run",
                    stdout=errors, stderr=errors, env=_environment(),
                )  # fmt: skip
                try:
                    first = await _watch(world, daemon)
                finally:
                    code = await _stop(daemon)
            return _report(world, target, log, first, code)


def _environment() -> dict[str, str]:
    """The user's own settings must not leak into the demo."""
    return {name: value for name, value in os.environ.items() if not name.startswith("WATCHER_")}


async def _watch(world: World, daemon: asyncio.subprocess.Process) -> float | None:
    """Wait for the day to end; returns when the first digest arrived, in seconds."""
    began, first = time.monotonic(), None
    minutes = int((END - START).total_seconds() // 60)
    with progress("one news day", minutes) as step:
        shown = 0
        while world.clock.now() < END and daemon.returncode is None:
            await asyncio.sleep(0.2)
            if first is None and any(_is_digest(mail) for mail in world.mail.messages):
                first = time.monotonic() - began
            passed = int((world.clock.now() - START).total_seconds() // 60)
            for _ in range(shown, min(passed, minutes)):
                step()
            shown = passed
    return first


async def _stop(daemon: asyncio.subprocess.Process) -> int:
    if daemon.returncode is None:
        daemon.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(40):
            return await daemon.wait()
    except TimeoutError:
        daemon.kill()
        return await daemon.wait()


def _is_digest(mail: EmailMessage) -> bool:
    return mail.get("X-Watcher-Kind") == "digest"


def _report(world: World, target: Path, log: Path, first: float | None, code: int) -> int:
    paths = _keep(world, target)
    digests = [mail for mail in world.mail.messages if _is_digest(mail)]
    say(f"\n{world.news.polls} polls, {world.news.unchanged} of them answered 304")
    say(f"{len(digests)} digests and {len(world.mail.messages) - len(digests)} other mails, "
        f"{len(world.hooks.calls)} webhook calls")  # fmt: skip
    for path in paths:
        say(f"  {path}")
    say(f"  {log}")
    if code != 0:
        complain(f"the daemon ended with {code}: see {log}")
        return 1
    if first is None or first > FIRST_DIGEST_WITHIN_S:
        complain(f"no digest within {FIRST_DIGEST_WITHIN_S:.0f} seconds: see {log}")
        return 1
    say(f"first digest after {first:.0f} seconds")
    return 0


def _keep(world: World, target: Path) -> list[Path]:
    """Mails as .eml and as the page in them, webhook bodies as JSON."""
    paths = []
    for n, mail in enumerate(world.mail.messages, 1):
        stem = f"{n:02}-{_slug(str(mail['Subject']))}"
        (target / f"{stem}.eml").write_bytes(mail.as_bytes())
        page = mail.get_body(preferencelist=("html",))
        if page is not None:
            path = target / f"{stem}.html"
            path.write_text(page.get_content(), encoding="utf-8")
            paths.append(path)
    for kind in ("slack", "webhook"):
        bodies = [body for path, _, body in world.hooks.calls if path == f"/{kind}"]
        path = target / f"{kind}.json"
        path.write_text(json.dumps(bodies, ensure_ascii=False, indent=1), encoding="utf-8")
        paths.append(path)
    return paths


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "mail"


def _write_config(world: World) -> None:
    """The shipped rules and names; feeds and receivers of this machine."""
    for name in ("concepts.yaml", "publishers.yaml"):
        source = bundled("config") / name
        if source.is_file():
            (world.folder / name).write_bytes(source.read_bytes())
    (world.folder / "rules").mkdir()
    for source in sorted((bundled("config") / "rules").glob("*.yaml")):
        (world.folder / "rules" / source.name).write_bytes(source.read_bytes())
    _dump(world.folder / "feeds.yaml", {"feeds": [
        {"id": o.id, "url": f"{world.news.base}/{o.id}/feed", "title": o.name,
         "publisher": o.name, "lang": o.lang} for o in outlets()
    ]})  # fmt: skip
    _dump(world.folder / "watcher.yaml", _settings(world))


def _settings(world: World) -> dict[str, object]:
    speed = f"{SPEED:g}"
    return {
        "data": "data",
        "clock": f"{world.clock.now().isoformat()}*{speed}",
        "http": {"allow": [url.removeprefix("http://") for url in (world.news.base, world.hooks.base)]},
        "poll": {"every": "30m", "min": "10m", "per_host": 20, "host_spacing": "0s"},
        "log": {"format": "json"},
        "operator": "mail",
        "receivers": [
            {"id": "mail", "type": "email", "host": "127.0.0.1", "port": world.mail.port, "tls": "none",
             "from": "Watcher demo <watcher@sample.example>", "to": ["reader@sample.example"],
             "zone": "Asia/Seoul"},
            {"id": "slack", "type": "slack", "url": f"{world.hooks.base}/slack", "zone": "Asia/Seoul"},
            {"id": "webhook", "type": "webhook", "url": f"{world.hooks.base}/webhook",
             "secret": "whsec_ZGVtby1zZWNyZXQtZGVtby1zZWNyZXQtMDE="},
        ],
        "routes": [
            {"match": {"min_severity": "high"}, "receivers": ["slack", "webhook"], "send": "immediate",
             "continue": True},
            {"receivers": ["mail"], "send": {"digest": "0 */6 * * *"}},
        ],
    }  # fmt: skip


def _dump(path: Path, data: object) -> None:
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
