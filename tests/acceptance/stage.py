"""A stage for the real daemon: a news origin, an SMTP server, Slack and webhook sinks, all on loopback."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape
from zlib import crc32

import yaml
from aiohttp import web
from aiosmtpd.controller import Controller

RULES = """
rules:
  - id: launch
    title: Satellite launch
    severity: high
    when: {all: [[north korea, pyongyang], {near: {within: 12, terms: [[satellite, rocket], [launch*, fire*]]}}]}
    tests: {match: ["North Korea launches a satellite"], no_match: ["North Korea plants trees"]}
""".replace("[[north korea, pyongyang],", "[{any: [north korea, pyongyang]},")

NEWS = (
    "North Korea launches satellite from west coast",
    "A rocket with a satellite was fired at noon, the sample military said.",
)


# Time runs faster for the daemon, so that waits between polls and retries are short. It goes on
# over restarts; a test that is about the clock passes its own WATCHER_CLOCK.
SPEED = 10


def rss(*items: tuple[str, str], title: str = "Sample feed") -> bytes:
    """Items as (title, text); the title names the item for ever."""
    body = "".join(
        f"<item><title>{escape(t)}</title><guid isPermaLink='false'>{escape(t)}</guid>"
        f"<link>https://sample.example/{crc32(t.encode())}</link>"
        f"<description>{escape(text)}</description></item>"
        for t, text in items
    )
    return f"<rss version='2.0'><channel><title>{title}</title>{body}</channel></rss>".encode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class _Mailbox:
    messages: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 kept"


class Stage:
    """Servers in their own threads; the test changes what they serve and reads what they got."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.feeds: dict[str, bytes | Callable[[web.Request], Any]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.hooks: list[tuple[str, dict[str, str], Any]] = []
        self.answers: dict[str, int] = {}
        self.raw: dict[str, bytes] = {}
        self.mailbox = _Mailbox()
        self._began = datetime.now(UTC)
        self._started: list[subprocess.Popen[bytes]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Stage":
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10)
        self.base = f"http://127.0.0.1:{self.port}"
        self.smtp_port = free_port()
        self._smtp = Controller(self.mailbox, hostname="127.0.0.1", port=self.smtp_port)
        self._smtp.start()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._started:
            # The whole group: a daemon that was killed can't end its own children.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        self._smtp.stop()
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self) -> int:
        app = web.Application(client_max_size=2**24)
        app.router.add_get("/{name}", self._get)
        app.router.add_post("/{name}", self._post)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return int(self._runner.addresses[0][1])

    async def _get(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        self.requests.append((name, dict(request.headers)))
        served = self.feeds.get(name)
        if served is None:
            raise web.HTTPNotFound
        if callable(served):
            answer: web.StreamResponse = await served(request)
            return answer
        etag = f'"{crc32(served)}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(
            body=served, headers={"ETag": etag, "Content-Type": "application/rss+xml"}
        )

    async def _post(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.raw[name] = await request.read()
        self.hooks.append((name, dict(request.headers), json.loads(self.raw[name])))
        return web.Response(status=self.answers.get(name, 200), text="ok")

    def clock(self) -> str:
        """What the daemon's clock shows now, and its speed."""
        passed = datetime.now(UTC) - self._began
        return f"{(self._began + passed * SPEED).isoformat()}*{SPEED}"

    # ── the configuration ──

    def configure(
        self,
        *,
        feeds: dict[str, str] | None = None,
        receivers: list[dict[str, Any]] | None = None,
        routes: list[dict[str, Any]] | None = None,
        rules: str = RULES,
        **settings: Any,
    ) -> Path:
        """A whole folder; by default one feed `news` and four receivers that get everything at once."""
        config = self.folder / "config"
        (config / "rules").mkdir(parents=True, exist_ok=True)
        (config / "rules" / "rules.yaml").write_text(rules, encoding="utf-8")
        named = feeds or {"news": f"{self.base}/news"}
        listed = [{"id": name, "url": url} for name, url in named.items()]
        self._dump(config / "feeds.yaml", {"feeds": listed})
        all_receivers = receivers if receivers is not None else self.receivers()
        root = {
            "data": "../data",
            "http": {"allow": [f"127.0.0.1:{self.port}"], "timeout": "3s"},
            "poll": {"every": "5s", "min": "5s", "host_spacing": "0s", "per_host": 50},
            "log": {"format": "json"},
            "operator": all_receivers[0]["id"] if all_receivers else None,
            "receivers": all_receivers,
            "routes": routes or [{"receivers": [r["id"] for r in all_receivers]}],
            **settings,
        }
        self._dump(config / "watcher.yaml", root)
        return config

    def receivers(self) -> list[dict[str, Any]]:
        return [
            {"id": "printer", "type": "stdout"},
            {
                "id": "mail",
                "type": "email",
                "host": "127.0.0.1",
                "port": self.smtp_port,
                "tls": "none",
                "from": "watcher@sample.example",
                "to": ["reader@sample.example"],
                "zone": "Asia/Seoul",
            },
            {"id": "slack", "type": "slack", "url": f"{self.base}/slack", "min_interval": "0s"},
            {
                "id": "hook",
                "type": "webhook",
                "url": f"{self.base}/hook",
                "secret": "whsec_c2VlZGVkLXNlY3JldC1zZWVkZWQ=",
            },
        ]

    @staticmethod
    def _dump(path: Path, data: Any) -> None:
        path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")

    # ── the daemon ──

    @contextmanager
    def daemon(self, **environ: str) -> Iterator["Daemon"]:
        """`watcher run` as a subprocess; ended with SIGTERM if the test has not done so."""
        running = self.start(**environ)
        try:
            yield running
        finally:
            running.stop()

    def start(self, **environ: str) -> "Daemon":
        clean = {k: v for k, v in os.environ.items() if not k.startswith("WATCHER_")}
        clean["WATCHER_CLOCK"] = self.clock()
        log = (self.folder / "daemon.log").open("ab")
        out = (self.folder / "daemon.out").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", "watcher", "--config", str(self.folder / "config"), "run"],
            stdout=out,
            stderr=log,
            env={**clean, **environ},
            start_new_session=True,
        )
        log.close()
        out.close()
        self._started.append(process)
        return Daemon(process, self.folder)

    def cli(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Any other command on the same configuration, run to its end."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("WATCHER_")}
        return subprocess.run(
            [sys.executable, "-m", "watcher", "--config", str(self.folder / "config"), *words],
            capture_output=True,
            text=True,
            timeout=60,
            env={**clean, **environ},
            check=False,
        )

    # ── what arrived ──

    def mails(self, token: str = "") -> list[EmailMessage]:
        return [m for m in self.mailbox.messages if token in str(m["Subject"]) + m.as_string()]

    def calls(self, name: str) -> list[tuple[dict[str, str], Any]]:
        return [(headers, body) for path, headers, body in list(self.hooks) if path == name]


@dataclass
class Daemon:
    """A running `watcher run`."""

    process: subprocess.Popen[bytes]
    folder: Path

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(10)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Log lines with this event; lines that are no JSON are a bug."""
        # What follows the last line end is a line that is still being written.
        lines = (self.folder / "daemon.log").read_text("utf-8").split("\n")[:-1]
        return [event for line in lines if (event := json.loads(line))["event"] == name]


def until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Wait for something to become true and return it; fail the test otherwise."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"did not happen within {seconds:g} seconds")


def settled(seconds: float = 1.2) -> None:
    """Time for a second copy to arrive, if there is one."""
    time.sleep(seconds)
