"""Slack and the webhook against real HTTP sinks on loopback."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from slack_sdk.models.blocks import Block
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from watcher.errors import DeliveryError, PermanentDeliveryError, TemporaryDeliveryError
from watcher.fetch.door import GuardedDoor
from watcher.model import Digest, Notification
from watcher.notify import load
from watcher.notify.settings import Tools
from watcher.render.sample import sample_digest
from watcher.render.templates import TemplateRenderer

TEMPLATES = Path(__file__).parents[2] / "templates"
OLD = "whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk"
NEW = "whsec_bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3"


def guarded(allow: Sequence[str] = ()) -> GuardedDoor:
    return GuardedDoor(user_agent="watcher/test", allow=allow)


@dataclass
class Sink:
    """Answers in turn, the last answer for ever; keeps what came."""

    answers: list[tuple[int, str, dict[str, str]]]
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(
            ({name.lower(): value for name, value in request.headers.items()}, await request.read())
        )
        status, text, headers = self.answers[min(len(self.got), len(self.answers)) - 1]
        return web.Response(status=status, text=text, headers=headers)


@asynccontextmanager
async def listening(sink: Sink) -> AsyncIterator[tuple[str, int]]:
    app = web.Application(client_max_size=10 * 1024 * 1024)
    app.router.add_post("/in", sink.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}/in", port
    finally:
        await runner.cleanup()


def send(
    kind: str,
    *answers: tuple[int, str],
    digest: Digest | None = None,
    headers: dict[str, str] | None = None,
    times: int = 1,
    **keys: Any,
) -> tuple[list[object], Sink]:
    """The outcomes of `times` attempts of the first notification, and what the sink got."""
    sink = Sink([(status, text, headers or {}) for status, text in answers])
    shown = digest or sample_digest()

    async def scenario() -> list[object]:
        outcomes: list[object] = []
        async with listening(sink) as (url, port), guarded(allow=[f"127.0.0.1:{port}"]) as door:
            module = load(kind)
            settings = {"id": "desk", "type": kind, "url": url, **keys}
            tools = Tools(door, TemplateRenderer([TEMPLATES]), Path(), io.StringIO())
            receiver = module.Receiver(module.Settings.model_validate(settings), tools)
            note = frozen(shown, receiver.compose(shown)[0].payload)
            for n in range(times):
                at = datetime.now(UTC) + timedelta(seconds=n)
                try:
                    outcomes.append(await receiver.send(note, at=at))
                except DeliveryError as error:
                    outcomes.append(error)
        return outcomes

    return asyncio.run(scenario()), sink


def frozen(digest: Digest, payload: Any) -> Notification:
    return Notification(
        key=digest.key,
        receiver=digest.receiver,
        kind=digest.kind,
        subject=digest.title,
        payload=json.loads(json.dumps(payload)),
        created_at=digest.at,
        due_at=digest.at,
    )


# ── webhook ──────────────────────────────────────────────────────────────────


def test_the_reference_library_accepts_our_signature() -> None:
    (receipt,), sink = send("webhook", (204, ""), secret=NEW)
    headers, body = sink.got[0]
    event = Webhook(NEW).verify(body, headers)

    assert not isinstance(receipt, Exception)
    assert event["id"] == headers["webhook-id"]
    assert event["data"]["stories"][0]["title"] == sample_digest().stories[0].title


def test_both_keys_verify_while_they_are_rotated() -> None:
    _, sink = send("webhook", (200, ""), secret=NEW, previous_secret=OLD)
    headers, body = sink.got[0]

    assert Webhook(NEW).verify(body, headers)
    assert Webhook(OLD).verify(body, headers)


def test_a_changed_body_does_not_verify() -> None:
    _, sink = send("webhook", (200, ""), secret=NEW)
    headers, body = sink.got[0]

    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body.replace(b"North", b"South"), headers)


def test_every_attempt_has_the_same_id_and_body_and_its_own_time() -> None:
    outcomes, sink = send("webhook", (503, ""), (302, ""), (200, ""), secret=NEW, times=3)
    stamps = [headers["webhook-timestamp"] for headers, _ in sink.got]

    assert [type(o).__name__ for o in outcomes] == [
        "TemporaryDeliveryError",
        "TemporaryDeliveryError",
        "Receipt",
    ]
    assert len({headers["webhook-id"] for headers, _ in sink.got}) == 1
    assert len({body for _, body in sink.got}) == 1
    assert stamps == sorted(set(stamps))


def test_an_endless_reply_to_a_webhook_is_not_read_and_is_success() -> None:
    (receipt,), _ = send("webhook", (200, "x" * 1_000_000))

    assert not isinstance(receipt, Exception)


def test_private_addresses_need_an_allow_entry() -> None:
    digest = sample_digest()

    async def scenario() -> None:
        async with guarded() as door:
            module = load("webhook")
            settings = {"id": "desk", "type": "webhook", "url": "http://127.0.0.1:9/s3cr3t"}
            tools = Tools(door, TemplateRenderer([TEMPLATES]), Path(), io.StringIO())
            receiver = module.Receiver(module.Settings.model_validate(settings), tools)
            await receiver.send(frozen(digest, receiver.compose(digest)[0].payload), at=digest.at)

    with pytest.raises(PermanentDeliveryError, match=r"http\.allow") as caught:
        asyncio.run(scenario())
    assert caught.value.park
    assert "s3cr3t" not in str(caught.value)


def test_without_a_secret_nothing_is_signed() -> None:
    _, sink = send("webhook", (200, ""))

    assert "webhook-signature" not in sink.got[0][0]
    assert "webhook-id" in sink.got[0][0]


# ── slack ────────────────────────────────────────────────────────────────────


def posted(sink: Sink, n: int = 0) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(sink.got[n][1])
    return body


def many(count: int) -> Digest:
    digest = sample_digest()
    stories = tuple(
        replace(digest.stories[n % 7], alert=f"t{n}", title=f"Story number {n}. " + "위성 " * 30)
        for n in range(count)
    )
    return replace(digest, stories=stories)


def test_slack_gets_blocks_its_own_library_accepts() -> None:
    (receipt,), sink = send("slack", (200, "ok"))
    body = posted(sink)
    blocks = Block.parse_all(body["blocks"])
    for block in blocks:
        block.validate_json()

    assert not isinstance(receipt, Exception)
    assert blocks[0].type == "header"
    assert "(id " in body["text"]


@pytest.mark.parametrize("count", [0, 1, 17, 60, 400])
def test_slack_messages_stay_within_the_limits(count: int) -> None:
    _, sink = send("slack", (200, "ok"), digest=many(count))
    blocks = posted(sink)["blocks"]
    sections = [block["text"]["text"] for block in blocks if block["type"] == "section"]

    assert len(blocks) <= 50
    assert all(len(text) <= 3000 for text in sections)
    assert len(json.dumps(blocks, ensure_ascii=False)) <= 13_000
    assert len(blocks[0]["text"]["text"]) <= 150


def test_what_does_not_fit_slack_is_a_headline_then_a_count() -> None:
    module = load("slack")
    tools = Tools(guarded(), TemplateRenderer([TEMPLATES]), Path(), io.StringIO())
    settings = {"id": "desk", "type": "slack", "url": "https://h.example/x"}
    drafts = module.Receiver(module.Settings.model_validate(settings), tools).compose(many(2000))
    said = json.dumps([draft.payload["message"] for draft in drafts])
    shown = sum(f"Story number {n}." in said for n in range(2000))

    assert len(drafts) == 10
    assert f"and {2000 - shown} more" in said


def test_429_tells_how_long_to_wait() -> None:
    """alertmanager#2111, elastalert#1345: neither fatal nor tried again blindly."""
    (error,), sink = send("slack", (429, "rate_limited"), headers={"Retry-After": "30"})

    assert isinstance(error, TemporaryDeliveryError)
    assert error.retry_after == timedelta(seconds=30)
    assert len(sink.got) == 1


def test_refused_blocks_go_once_more_as_text() -> None:
    (receipt,), sink = send("slack", (400, "invalid_blocks"), (200, "ok"))

    assert not isinstance(receipt, Exception)
    assert "blocks" not in posted(sink, 1)
    assert "North Korea tells Japan" in posted(sink, 1)["text"]


def test_refused_twice_is_permanent() -> None:
    (error,), sink = send("slack", (400, "invalid_payload"))

    assert isinstance(error, PermanentDeliveryError)
    assert len(sink.got) == 2


@pytest.mark.parametrize(
    ("status", "text"),
    [(403, "action_prohibited"), (404, "channel_not_found"), (410, "channel_is_archived")],
)
def test_a_channel_that_is_gone_parks(status: int, text: str) -> None:
    """F8, with the three tests around it."""
    (error,), _ = send("slack", (status, text))

    assert isinstance(error, PermanentDeliveryError)
    assert error.park
    assert text in str(error)


@pytest.mark.parametrize("text", ["", "no_text", "<html>login</html>"])
def test_200_without_ok_is_a_failure(text: str) -> None:
    (error,), _ = send("slack", (200, text))

    assert isinstance(error, TemporaryDeliveryError)


def test_500_is_temporary() -> None:
    (error,), _ = send("slack", (500, "rollup_error"))

    assert isinstance(error, TemporaryDeliveryError)
