"""Slack as a bot against a small workspace on loopback: threads, edits in place, what each error does."""

import asyncio
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError
from slack_sdk.models.blocks import Block

from watcher.clock import SystemClock
from watcher.deliver import Deliverer, Target
from watcher.errors import DeliveryError, PermanentDeliveryError, TemporaryDeliveryError
from watcher.faults import Faults
from watcher.fetch.door import GuardedDoor
from watcher.model import AlertKind, Digest, DigestKind, Notification, NotificationState
from watcher.notices import Notices, freeze
from watcher.notify.settings import Tools
from watcher.notify.slack import Receiver, Settings
from watcher.render.sample import sample_digest
from watcher.render.templates import TemplateRenderer
from watcher.store.engine import open_store
from watcher.writer import Writer

TEMPLATES = Path(__file__).parents[2] / "templates"
NOW = datetime(2026, 5, 30, tzinfo=UTC)
TOKEN = "xoxb-s3cr3t-token"


@dataclass
class Workspace:
    """One channel; `faults` are answers for the next calls of a method, before it works again."""

    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    faults: dict[str, list[str | int]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)

    async def take(self, request: web.Request) -> web.Response:
        method, body = request.match_info["method"], await request.json()
        self.calls.append((method, body))
        self.tokens.add(request.headers["Authorization"])
        if waiting := self.faults.get(method):
            fault = waiting.pop(0)
            if isinstance(fault, int):
                return web.Response(status=fault, headers={"Retry-After": "30"})
            return web.json_response({"ok": False, "error": fault})
        for block in Block.parse_all(body.get("blocks", [])):
            block.validate_json()
        if method == "chat.update":
            self.messages[body["ts"]] |= body
            return web.json_response({"ok": True, "ts": body["ts"]})
        stamp = f"1780000000.{len(self.messages):06}"
        self.messages[stamp] = body
        return web.json_response({"ok": True, "ts": stamp, "channel": body["channel"]})

    @property
    def roots(self) -> list[dict[str, Any]]:
        return [m for m in self.messages.values() if "thread_ts" not in m]

    @property
    def answers(self) -> list[dict[str, Any]]:
        return [m for m in self.messages.values() if "thread_ts" in m]


def settings(**keys: Any) -> Settings:
    given = {
        "id": "desk",
        "type": "slack",
        "token": TOKEN,
        "channel": "C0123",
        "min_interval": "0s",
    }
    return Settings.model_validate({**given, **keys})


def with_bot(workspace: Workspace, work: Callable[[Receiver], Any], **keys: Any) -> None:
    async def scenario() -> None:
        app = web.Application()
        app.router.add_post("/api/{method}", workspace.take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        try:
            async with GuardedDoor(user_agent="test", allow=[f"127.0.0.1:{port}"]) as door:
                tools = Tools(door, TemplateRenderer([TEMPLATES]), Path(), io.StringIO())
                api = f"http://127.0.0.1:{port}/api"
                await work(Receiver(settings(api=api, **keys), tools))
        finally:
            await runner.cleanup()

    asyncio.run(scenario())


def alert(n: int, kind: AlertKind = AlertKind.NEW_STORY, story: str = "s-1") -> Digest:
    plain = sample_digest(receiver="desk", kind=DigestKind.ALERT)
    view = replace(plain.stories[0], alert=f"t{n}", story=story, kind=kind, title=f"Title {n}")
    return replace(plain, key=f"alert:t{n}:desk", title=f"Title {n}", stories=(view,))


def deliver(workspace: Workspace, digests: Sequence[Digest], folder: Path) -> list[Notification]:
    """Through a real outbox, one after the other."""
    store = open_store(Path(":memory:"))

    async def work(bot: Receiver) -> None:
        writer = Writer(folder, reserve_bytes=0)
        clock = SystemClock()
        deliverer = Deliverer(
            store, writer, clock=clock, notices=Notices(clock), rng=Random(1), faults=Faults()
        )
        deliverer.use({"desk": Target(bot, timedelta(milliseconds=1))})
        with store.begin() as tx:
            for digest in digests:
                for notification in freeze(replace(digest, at=clock.now()), bot, ()):
                    tx.outbox.enqueue(notification)
        await deliverer.finish()
        await deliverer.stop(timedelta(seconds=1))
        writer.close()

    with_bot(workspace, work)
    with store.begin() as tx:
        found = tx.outbox.recent()
    store.close()
    return found


def attempt(workspace: Workspace, **payload: Any) -> object:
    """The outcome of one attempt."""
    outcome: list[object] = []

    async def work(bot: Receiver) -> None:
        (note,) = freeze(alert(1), bot, ())
        note = replace(note, payload={**note.payload, **payload})
        try:
            outcome.append(await bot.send(note, at=NOW))
        except DeliveryError as error:
            outcome.append(error)

    with_bot(workspace, work)
    return outcome[0]


def test_a_story_is_one_thread_and_its_first_message_shows_the_latest(tmp_path: Path) -> None:
    workspace = Workspace()

    sent = deliver(workspace, [alert(1), alert(2, AlertKind.FOLLOW_UP)], tmp_path)

    (root,), (answer,) = workspace.roots, workspace.answers
    assert {n.state for n in sent} == {NotificationState.SENT}
    assert answer["thread_ts"] == next(iter(workspace.messages))
    assert "Title 2" in json.dumps(root["blocks"])
    assert [method for method, _ in workspace.calls] == [
        "chat.postMessage",
        "chat.update",
        "chat.postMessage",
    ]
    assert workspace.tokens == {f"Bearer {TOKEN}"}


def test_other_stories_and_digests_are_messages_of_their_own(tmp_path: Path) -> None:
    workspace = Workspace()

    deliver(workspace, [alert(1), alert(2, story="s-2"), sample_digest(receiver="desk")], tmp_path)

    assert len(workspace.roots) == 3
    assert not workspace.answers


def test_a_thread_that_is_gone_begins_anew() -> None:
    workspace = Workspace(
        faults={"chat.update": ["message_not_found"], "chat.postMessage": ["thread_not_found"]}
    )

    receipt: Any = attempt(workspace, reply_to="1.0")

    assert receipt.handle == next(iter(workspace.messages))


def test_a_message_that_may_not_be_changed_is_answered_all_the_same() -> None:
    workspace = Workspace(faults={"chat.update": ["cant_update_message"]})

    receipt: Any = attempt(workspace, reply_to="1.0")

    assert (len(workspace.answers), receipt.handle) == (1, "")


def test_refused_blocks_of_a_bot_go_once_more_as_text() -> None:
    workspace = Workspace(faults={"chat.postMessage": ["invalid_blocks"]})

    attempt(workspace)

    (message,) = workspace.roots
    assert "blocks" not in message
    assert "Title 1" in message["text"]


@pytest.mark.parametrize(
    "word", ["invalid_auth", "channel_not_found", "is_archived", "not_in_channel"]
)
def test_a_bot_or_channel_that_is_gone_parks(word: str) -> None:
    error = attempt(Workspace(faults={"chat.postMessage": [word]}))

    assert isinstance(error, PermanentDeliveryError)
    assert error.park
    assert TOKEN not in str(error)


@pytest.mark.parametrize("word", ["internal_error", "fatal_error", "a_word_of_tomorrow"])
def test_what_slack_may_get_over_is_temporary(word: str) -> None:
    assert isinstance(
        attempt(Workspace(faults={"chat.postMessage": [word]})), TemporaryDeliveryError
    )


def test_a_bot_waits_as_long_as_slack_asks() -> None:
    error = attempt(Workspace(faults={"chat.postMessage": [429]}))

    assert isinstance(error, TemporaryDeliveryError)
    assert error.retry_after == timedelta(seconds=30)


def test_buttons_open_the_story_and_others_who_report_it() -> None:
    workspace = Workspace()

    async def work(bot: Receiver) -> None:
        (note,) = freeze(alert(1), bot, ())
        await bot.send(note, at=NOW)

    with_bot(workspace, work, buttons=True)

    (actions,) = [b for b in workspace.roots[0]["blocks"] if b["type"] == "actions"]
    assert [button["text"]["text"] for button in actions["elements"]] == [
        "Open the story",
        "Amur Telegraph",
        "Harbor Wire",
    ]
    assert all(button["url"].startswith("https://") for button in actions["elements"])


@pytest.mark.parametrize(
    "keys",
    [
        {"token": None, "channel": None},
        {"url": "https://hooks.example.org/x"},
        {"channel": None},
    ],
)
def test_a_receiver_is_a_webhook_or_a_bot(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**keys)
