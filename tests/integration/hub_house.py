"""A news site and its hub on loopback, and a small service with a real listener that subscribes there.

The hub does nothing by itself: a test makes it verify, push and lie.
"""

import asyncio
import hashlib
import hmac
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from xml.sax.saxutils import escape

from aiohttp import ClientResponse, ClientSession, web

from watcher.alerts.routes import ReceiverClock, RouteSettings
from watcher.clock import ManualClock
from watcher.compose import Composer
from watcher.faults import Faults
from watcher.fetch.door import GuardedDoor
from watcher.intake.hubs import Hubs
from watcher.intake.ingest import Ingest
from watcher.intake.polled import PollLimits, PollReport
from watcher.intake.pushed import Callbacks
from watcher.intake.record import Recorder
from watcher.intake.subscriber import Subscriber
from watcher.model import Digest, Draft, FeedState, Notification, ParsedFeed, Receipt
from watcher.notices import Notices
from watcher.pipeline import Pipeline, Plan
from watcher.polling import PollBounds
from watcher.rules.compile import compile_rules
from watcher.rules.schema import RuleSpec
from watcher.sources.parse import parse_feed
from watcher.sources.settings import FeedSettings
from watcher.store.engine import open_store
from watcher.stories.publishers import PublisherTable
from watcher.web.listener import listening
from watcher.web.websub import websub_routes
from watcher.websub.subscription import Subscription
from watcher.writer import Writer

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULES, _ = compile_rules([RuleSpec(id="launch", when="rocket")], {})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def document(*titles: str, hub: str = "", topic: str = "", text: str = "") -> bytes:
    """Each title is an item's name; `text` is the text of all."""
    links = f"<a:link rel='hub' href='{hub}'/><a:link rel='self' href='{topic}'/>" if hub else ""
    items = "".join(
        f"<item><title>{escape(t)}</title><guid isPermaLink='false'>{escape(t)}</guid>"
        f"<link>https://sample.example/{t.replace(' ', '-')}</link><description>{text}</description></item>"
        for t in titles
    )
    head = "<rss version='2.0' xmlns:a='http://www.w3.org/2005/Atom'><channel><title>Sample</title>"
    return f"{head}{links}{items}</channel></rss>".encode()


@cache
def _blank() -> bytes:
    """An empty store: to make one takes longer than most of these tests."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "blank.db"
        open_store(path).close()
        return path.read_bytes()


@dataclass
class Net:
    """The site's and the hub's server."""

    feed: bytes = b""
    polls: list[dict[str, str]] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    answer: Callable[[web.Request], Awaitable[web.Response]] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    port: int = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def hub(self) -> str:
        return f"{self.base}/hub"

    @property
    def topic(self) -> str:
        return f"{self.base}/feed"

    def serve(self, *titles: str, hub: str | None = None, text: str = "") -> bytes:
        hub = self.hub if hub is None else hub
        self.feed = document(*titles, hub=hub, topic=self.topic, text=text)
        return self.feed

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Net"]:
        app = web.Application()
        app.router.add_get("/feed", self._feed)
        app.router.add_post("/{hub}", self._hub)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _feed(self, request: web.Request) -> web.Response:
        self.polls.append(dict(request.headers))
        tag = f'"{hashlib.sha1(self.feed).hexdigest()}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag})
        return web.Response(body=self.feed, headers={"ETag": tag, **self.headers})

    async def _hub(self, request: web.Request) -> web.Response:
        self.forms.append({k: str(v) for k, v in (await request.post()).items()})
        if self.answer is not None:
            return await self.answer(request)
        return web.Response(status=202)


@dataclass
class Desk:
    digests: list[Digest] = field(default_factory=list)

    def compose(self, digest: Digest) -> list[Draft]:
        self.digests.append(digest)
        return [Draft({"title": digest.title})]

    async def send(self, notification: Notification, *, at: datetime) -> Receipt:
        return Receipt()


@dataclass
class Reader:
    """The parser without its child process; `slow` keeps it busy."""

    slow: asyncio.Event | None = None

    async def parse(self, body: bytes, *, url: str, content_type: str | None) -> ParsedFeed:
        if self.slow is not None:
            await self.slow.wait()
        return parse_feed(body, url=url, content_type=content_type)


class House:
    """The service; `folder` holds its store, so that a second one is a restart."""

    def __init__(self, folder: Path, net: Net, port: int, now: datetime = NOW, **feed: Any) -> None:
        self.net, self.desk, self.reader, self.clock = net, Desk(), Reader(), ManualClock(now)
        self.listen, self.base = f"127.0.0.1:{port}", f"http://127.0.0.1:{port}"
        folder.mkdir(exist_ok=True)
        path = folder / "store.db"
        if not path.exists():
            path.write_bytes(_blank())
        self.store, self.writer = open_store(path), Writer(folder, reserve_bytes=0)
        self.settings = FeedSettings(id="news", url=net.topic, **feed)
        self.hubs = Hubs(self.base, keeps_secrets=lambda hub: "127.0.0.1" in hub, rng=Random(1))

    @asynccontextmanager
    async def open(self) -> AsyncIterator["House"]:
        allow = [f"127.0.0.1:{self.net.port}", self.listen]
        async with (
            GuardedDoor(
                user_agent="t", allow=allow, own=[self.listen], host_spacing=timedelta(0)
            ) as door,
            ClientSession() as self.session,
        ):
            self._build(door)
            await self.writer(self.use, self.settings)
            async with listening(self.listen, websub_routes(self.callbacks)):
                yield self
            await self.subscriber.stop()
        self.writer.close()
        self.store.close()

    def _build(self, door: GuardedDoor) -> None:
        plan = Plan(tuple(RULES), (RouteSettings(receivers=("desk",)),), {"desk": ReceiverClock()})
        notices = Notices(self.clock)
        notices.use("desk", {"desk": self.desk}, {})
        composer = Composer(notices, Faults())
        composer.use(RULES, {"desk": self.desk}, plan.receivers)
        self.recorder = Recorder(
            self.store, Pipeline(plan), composer, notices=notices, clock=self.clock,
            rng=Random(1), faults=Faults(), hubs=self.hubs,
        )  # fmt: skip
        self.ingest = Ingest(
            self.recorder, self.writer, door=door, parser=self.reader, clock=self.clock,
            faults=Faults(), hubs=self.hubs,
        )  # fmt: skip
        self.callbacks = Callbacks(
            self.hubs, self.store, self.writer, self.ingest, clock=self.clock, max_body=100_000
        )
        self.subscriber = Subscriber(
            self.hubs, self.store, self.writer, door=door, clock=self.clock
        )

    def use(self, *feeds: FeedSettings) -> None:
        limits = PollLimits(PollBounds(15 * MINUTE))
        with self.store.begin() as tx:
            tx.feeds.sync([(f.id, f.url) for f in feeds], self.clock.now(), timedelta(0))
            self.hubs.use(tx, [f.id for f in feeds if f.websub], self.clock.now())
        self.ingest.use(feeds, PublisherTable(), limits)

    # ── what time brings ──

    def wait(self, span: timedelta) -> None:
        self.clock.turn_to(self.clock.now() + span)

    async def poll(self, after: timedelta = 20 * MINUTE) -> PollReport:
        self.wait(after)
        return await self.ingest.poll(self.state)

    async def tick(self, after: timedelta = timedelta(0)) -> list[dict[str, str]]:
        """What the hub was asked, once it has answered."""
        self.wait(after)
        before = len(self.net.forms)
        await self.subscriber.tick()
        await asyncio.gather(*self.subscriber._asking)
        return self.net.forms[before:]

    # ── what the hub does ──

    async def verify(
        self, form: dict[str, str] | None = None, *, method: str = "GET", **said: str
    ) -> tuple[int, str, dict[str, str]]:
        """By default the honest verification of the last request."""
        form = form or self.net.forms[-1]
        query = {
            "hub.mode": form["hub.mode"],
            "hub.topic": form["hub.topic"],
            "hub.challenge": "challenge",
            "hub.lease_seconds": form.get("hub.lease_seconds", ""),
        } | {f"hub.{name}": value for name, value in said.items()}
        async with self.session.request(method, form["hub.callback"], params=query) as answer:
            headers = {k.lower(): v for k, v in answer.headers.items()}
            return answer.status, await answer.text(), headers

    async def push(self, body: Any, *, secret: str | None = None, **headers: str) -> ClientResponse:
        """Signed as asked for, unless the test has another secret or header."""
        form = next(f for f in reversed(self.net.forms) if f["hub.mode"] == "subscribe")
        key = form.get("hub.secret", "") if secret is None else secret
        signed = {k.replace("_", "-"): v for k, v in headers.items()}
        if key and isinstance(body, bytes) and "X-Hub-Signature" not in signed:
            digest = hmac.new(key.encode(), body, "sha256").hexdigest()
            signed["X-Hub-Signature"] = f"sha256={digest}"
        async with self.session.post(form["hub.callback"], data=body, headers=signed) as answer:
            await answer.read()
            return answer

    async def subscribed(self, *titles: str, lease: str = "864000") -> None:
        """Polled once, asked for and verified."""
        self.net.serve(*titles)
        await self.poll()
        await self.tick()
        assert (await self.verify(lease_seconds=lease))[0] == 200

    # ── what there is ──

    @property
    def state(self) -> FeedState:
        with self.store.read() as tx:
            found = tx.feeds.get("news")
        assert found is not None
        return found

    @property
    def subscription(self) -> Subscription:
        found = self.hubs.of("news")
        assert found is not None
        return found

    @property
    def stored(self) -> list[Subscription]:
        with self.store.read() as tx:
            return tx.subscriptions.all()

    @property
    def articles(self) -> int:
        with self.store.read() as tx:
            return tx.articles.count()

    @property
    def told(self) -> list[str]:
        return [d.title for d in self.desk.digests if not d.notice]


def played(folder: Path, scenario: Callable[[House], Awaitable[Any]], **options: Any) -> Any:
    """What the scenario returns, between a fresh site and a service in `folder`."""

    async def run() -> Any:
        async with Net().open() as net, House(folder, net, free_port(), **options).open() as house:
            return await scenario(house)

    return asyncio.run(run())
