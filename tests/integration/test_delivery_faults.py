"""RELIABILITY §3 F through the outbox: real sinks with faults, a clock turned by hand.

What a single attempt does is in test_notify_email.py (F1, F3 to F6), test_notify_http.py (F7 to F11) and
test_notify_slack_bot.py; here is what comes of it over time.
"""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError
from test_notify_email import Mailbox, mail_server, scripted
from test_notify_http import NEW, Sink, listening

from watcher.clock import ManualClock
from watcher.deliver import Deliverer, Target
from watcher.errors import FetchError
from watcher.faults import Faults
from watcher.fetch.door import GuardedDoor
from watcher.model import (
    Digest,
    DigestKind,
    Draft,
    HttpRequest,
    HttpResponse,
    Notification,
    Receipt,
)
from watcher.notices import Notices, freeze
from watcher.notify import load
from watcher.notify.settings import Tools
from watcher.ports import Door, Receiver
from watcher.render.sample import sample_digest
from watcher.render.templates import TemplateRenderer
from watcher.store.engine import open_store
from watcher.writer import Writer

TEMPLATES = Path(__file__).parents[2] / "templates"
NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class Printer:
    """A receiver that works: the one that carries notices."""

    told: list[str] = field(default_factory=list)

    def compose(self, digest: Digest) -> list[Draft]:
        return [Draft({"text": digest.notice or digest.title})]

    async def send(self, notification: Notification, *, at: datetime) -> Receipt:
        self.told.append(str(notification.payload["text"]))
        return Receipt("ok")


class Scene:
    """An outbox with one alert for the receiver under test, `desk`."""

    def __init__(self, desk: Receiver, writer: Writer) -> None:
        self.clock, self.printer = ManualClock(NOW), Printer()
        self.store = open_store(Path(":memory:"))
        receivers: dict[str, Receiver] = {"desk": desk, "printer": self.printer}
        notices = Notices(self.clock)
        notices.use("printer", receivers, {})
        self._deliverer = Deliverer(
            self.store, writer, clock=self.clock, notices=notices, rng=Random(1), faults=Faults()
        )
        self._deliverer.use({name: Target(receiver) for name, receiver in receivers.items()})
        with self.store.begin() as tx:
            digest = replace(sample_digest(receiver="desk", kind=DigestKind.ALERT), at=NOW)
            for note in freeze(digest, desk, ()):
                tx.outbox.enqueue(note)

    async def after(self, span: timedelta, step: timedelta = MINUTE) -> None:
        """Deliver what becomes due within the span, tick by tick."""
        end = self.clock.now() + span
        while True:
            await self._deliverer.finish()
            if self.clock.now() >= end:
                return
            self.clock.turn_to(min(self.clock.now() + step, end))

    def states(self) -> list[str]:
        with self.store.begin() as tx:
            return sorted(n.state.value for n in tx.outbox.recent(receiver="desk"))

    def replay_all(self) -> None:
        with self.store.begin() as tx:
            for note in tx.outbox.recent(receiver="desk"):
                tx.outbox.replay(note.key, self.clock.now())

    async def close(self) -> None:
        await self._deliverer.stop(timedelta(seconds=1))
        self.store.close()


def play(work: Callable[[Callable[[Receiver], Scene]], Any], folder: Path) -> None:
    """Run `work`, which is given a maker of scenes."""

    async def scenario() -> None:
        writer = Writer(folder, reserve_bytes=0)
        made: list[Scene] = []

        def make(desk: Receiver) -> Scene:
            made.append(Scene(desk, writer))
            return made[-1]

        try:
            await work(make)
        finally:
            for scene in made:
                await scene.close()
            writer.close()

    asyncio.run(scenario())


def receiver(kind: str, door: Door | None = None, **keys: Any) -> Receiver:
    module = load(kind)
    some: Any = door
    tools = Tools(some, TemplateRenderer([TEMPLATES]), Path(), io.StringIO())
    settings = module.Settings.model_validate({"id": "desk", "type": kind, **keys})
    made: Receiver = module.Receiver(settings, tools)
    return made


def mail(port: int, *to: str) -> Receiver:
    return receiver(
        "email", host="127.0.0.1", port=port, tls="none", to=list(to), **{"from": "w@news.example"}
    )


@asynccontextmanager
async def webhook(sink: Sink) -> AsyncIterator[Receiver]:
    async with (
        listening(sink) as (url, port),
        GuardedDoor(user_agent="test", allow=[f"127.0.0.1:{port}"]) as door,
    ):
        yield receiver("webhook", door, url=url, secret=NEW)


# ── mail ─────────────────────────────────────────────────────────────────────


def test_f1_a_server_that_closes_gets_the_same_mail_again(tmp_path: Path) -> None:
    async def work(make: Callable[[Receiver], Scene]) -> None:
        script = {"DOT": "421 closing"}
        async with scripted(script) as (port, sink):
            scene = make(mail(port, "a@example.org"))
            await scene.after(timedelta(seconds=1))
            script.clear()
            await scene.after(5 * MINUTE)

        assert scene.states() == ["sent"]
        assert len(sink.accepted) == 1

    play(work, tmp_path)


def test_f2_a_greylisted_mail_comes_once(tmp_path: Path) -> None:
    async def work(make: Callable[[Receiver], Scene]) -> None:
        script = {"RCPT": "450 greylisted for ten minutes"}
        async with scripted(script) as (port, sink):
            scene = make(mail(port, "a@example.org"))
            await scene.after(10 * MINUTE)
            assert not sink.accepted
            script.clear()
            await scene.after(60 * MINUTE)

        assert len(sink.accepted) == 1

    play(work, tmp_path)


@dataclass
class Choosy(Mailbox):
    """Knows everybody but `refused`."""

    refused: str = ""

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address == self.refused:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 ok"


def test_f3_one_of_three_recipients_is_refused_and_the_others_get_one_mail(tmp_path: Path) -> None:
    async def work(make: Callable[[Receiver], Scene]) -> None:
        box = Choosy(refused="b@example.org")
        async with mail_server(box) as port:
            scene = make(mail(port, "a@example.org", "b@example.org", "c@example.org"))
            await scene.after(60 * MINUTE)

        assert sorted(to for tos, _ in box.mails for to in tos) == [
            "a@example.org",
            "c@example.org",
        ]
        assert scene.states() == ["dead", "sent", "sent"]
        assert any("given up" in text for text in scene.printer.told)

    play(work, tmp_path)


def test_f4_a_lost_answer_to_the_dot_is_one_more_copy_with_the_same_id(tmp_path: Path) -> None:
    async def work(make: Callable[[Receiver], Scene]) -> None:
        script = {"DOT": "DROP after"}
        async with scripted(script) as (port, sink):
            scene = make(mail(port, "a@example.org"))
            await scene.after(timedelta(seconds=1))
            script.clear()
            await scene.after(60 * MINUTE)

        assert len(sink.accepted) == 2
        assert sink.accepted[0] == sink.accepted[1]

    play(work, tmp_path)


def test_f5_a_server_that_never_answers_holds_up_nobody_else(tmp_path: Path) -> None:
    async def work(make: Callable[[Receiver], Scene]) -> None:
        async with scripted({"BANNER": "HANG"}) as (port, _):
            scene = make(mail(port, "a@example.org"))
            with scene.store.begin() as tx:
                (note,) = freeze(sample_digest(receiver="printer"), scene.printer, ())
                tx.outbox.enqueue(note)
            await scene._deliverer.tick()
            async with asyncio.timeout(5):
                while not scene.printer.told:
                    await asyncio.sleep(0.01)
            await scene._deliverer.stop(timedelta(0))

        assert scene.states() == ["leased"]

    play(work, tmp_path)


def test_f6_a_server_without_8bitmime_or_smtputf8_gets_plain_ascii(tmp_path: Path) -> None:
    async def work(make: Callable[[Receiver], Scene]) -> None:
        async with scripted({"EHLO": "250 sink"}) as (port, sink):
            scene = make(mail(port, "Ünal <a@bücher.example>"))
            await scene.after(timedelta(seconds=1))

        assert sink.accepted[0].isascii()
        assert all(line.isascii() for line in sink.seen)
        assert not any("SMTPUTF8" in line for line in sink.seen)

    play(work, tmp_path)


# ── http ─────────────────────────────────────────────────────────────────────


def test_f9_nine_failures_then_success_are_one_id_and_ten_times(tmp_path: Path) -> None:
    async def work(make: Callable[[Receiver], Scene]) -> None:
        sink = Sink([*[(503, "busy", {})] * 9, (200, "", {})])
        async with webhook(sink) as hook:
            scene = make(hook)
            await scene.after(timedelta(hours=40), 10 * MINUTE)

        assert scene.states() == ["sent"]
        assert len({headers["webhook-id"] for headers, _ in sink.got}) == 1
        assert len({headers["webhook-timestamp"] for headers, _ in sink.got}) == 10
        assert len({body for _, body in sink.got}) == 1

    play(work, tmp_path)


@pytest.mark.parametrize("status", [301, 302, 307])
def test_f9_a_redirect_is_a_failure_that_may_pass(status: int, tmp_path: Path) -> None:
    async def work(make: Callable[[Receiver], Scene]) -> None:
        sink = Sink([(status, "", {"Location": "http://127.0.0.1:1/"}), (200, "", {})])
        async with webhook(sink) as hook:
            scene = make(hook)
            await scene.after(5 * MINUTE)

        assert (scene.states(), len(sink.got)) == (["sent"], 2)

    play(work, tmp_path)


@dataclass
class Slow:
    """Takes a webhook, does its work, and answers the first time only after nobody listens."""

    ids: list[str] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            named = dict(line.split(": ", 1) for line in head.split("\r\n") if ": " in line)
            await reader.readexactly(int(named["content-length"]))
            self.ids.append(named["webhook-id"])
            if len(self.ids) == 1:
                await reader.read()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError):
            pass  # no request, but a TLS greeting or a line that was dropped
        finally:
            writer.close()


@asynccontextmanager
async def slow(sink: Slow, scheme: str, **keys: Any) -> AsyncIterator[Receiver]:
    server = await asyncio.start_server(sink.talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with GuardedDoor(user_agent="test", allow=[f"127.0.0.1:{port}"]) as door:
        yield receiver("webhook", door, url=f"{scheme}://127.0.0.1:{port}/", **keys)
    server.close()
    await server.wait_closed()


def test_f9_a_webhook_that_was_taken_but_not_answered_comes_again_with_its_id(
    tmp_path: Path,
) -> None:
    async def work(make: Callable[[Receiver], Scene]) -> None:
        sink = Slow()
        async with slow(sink, "http", timeout="1s") as hook:
            scene = make(hook)
            await scene.after(2 * MINUTE)

        assert (scene.states(), len(sink.ids), len(set(sink.ids))) == (["sent"], 2, 1)

    play(work, tmp_path)


def test_f10_a_webhook_without_tls_behind_https_is_tried_again_and_told_nothing(
    tmp_path: Path,
) -> None:
    async def work(make: Callable[[Receiver], Scene]) -> None:
        sink = Slow()
        async with slow(sink, "https", timeout="1s") as hook:
            scene = make(hook)
            await scene.after(MINUTE)

        assert (scene.states(), sink.ids) == (["pending"], [])

    play(work, tmp_path)


def test_f10_a_410_parks_keeps_the_queue_and_is_told(tmp_path: Path) -> None:
    async def work(make: Callable[[Receiver], Scene]) -> None:
        sink = Sink([(410, "gone", {})])
        async with webhook(sink) as hook:
            scene = make(hook)
            await scene.after(timedelta(days=2), timedelta(hours=1))

        assert (scene.states(), len(sink.got)) == (["pending"], 1)
        assert any("is parked" in text for text in scene.printer.told)

    play(work, tmp_path)


def test_f10_a_204_is_success(tmp_path: Path) -> None:
    async def work(make: Callable[[Receiver], Scene]) -> None:
        async with webhook(Sink([(204, "", {})])) as hook:
            scene = make(hook)
            await scene.after(timedelta(seconds=1))

        assert scene.states() == ["sent"]

    play(work, tmp_path)


class BrokenLine:
    """Refuses every connection until mended."""

    def __init__(self) -> None:
        self.mended, self.asked = False, []

    async def request(self, request: HttpRequest) -> HttpResponse:
        self.asked.append(request.headers["webhook-id"])
        if not self.mended:
            raise FetchError("connect", "sink.example: connection refused")
        return HttpResponse(200, request.url, {})


def test_f10_five_days_of_refusals_are_a_dead_letter_that_can_be_sent_again(tmp_path: Path) -> None:
    async def work(make: Callable[[Receiver], Scene]) -> None:
        door = BrokenLine()
        scene = make(receiver("webhook", door, url="https://sink.example/in"))
        await scene.after(timedelta(days=4, hours=12), timedelta(hours=1))
        before = scene.states()
        await scene.after(timedelta(days=1), timedelta(hours=1))
        after = scene.states()
        door.mended = True
        scene.replay_all()
        await scene.after(60 * MINUTE)

        assert (before, after, scene.states()) == (["pending"], ["dead"], ["sent"])
        assert len(set(door.asked)) == 1
        assert any("fails for a while" in text for text in scene.printer.told)
        assert any("given up" in text for text in scene.printer.told)

    play(work, tmp_path)


def test_f11_an_old_timestamp_does_not_verify(tmp_path: Path) -> None:
    """A recorded request can't be played back: the scene's clock is long past."""

    async def work(make: Callable[[Receiver], Scene]) -> None:
        sink = Sink([(200, "", {})])
        async with webhook(sink) as hook:
            await make(hook).after(timedelta(seconds=1))
        headers: Mapping[str, str] = sink.got[0][0]

        with pytest.raises(WebhookVerificationError, match="timestamp"):
            Webhook(NEW).verify(sink.got[0][1], dict(headers))
        assert json.loads(sink.got[0][1])["id"] == headers["webhook-id"]

    play(work, tmp_path)
