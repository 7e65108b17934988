"""The way to Apprise, with a stand-in for the optional package."""

import asyncio
import contextlib
import io
import socket
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from watcher.errors import PermanentDeliveryError, TemporaryDeliveryError
from watcher.fetch.door import GuardedDoor
from watcher.model import Notification, Receipt
from watcher.notify.apprise import Receiver, Settings
from watcher.notify.settings import Tools
from watcher.render.sample import sample_digest
from watcher.render.templates import TemplateRenderer

TEMPLATES = Path(__file__).parents[3] / "templates"
DIGEST = sample_digest()


@dataclass
class StandIn:
    """Answers like `apprise.Apprise`: True, False, or a plugin's own exception."""

    answer: bool | Exception = True
    knows: bool = True
    dials: tuple[str, int] | None = None
    sent: list[dict[str, Any]] = field(default_factory=list)

    def add(self, url: str) -> bool:
        return self.knows

    def notify(self, body: str, title: str, **message: Any) -> bool:
        self.sent.append({"body": body, "title": title, **message})
        if self.dials is not None:
            with contextlib.suppress(OSError):  # as plugins do
                socket.create_connection(self.dials, timeout=1).close()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def receiver(**keys: Any) -> Receiver:
    door = GuardedDoor(user_agent="t")
    tools = Tools(door, TemplateRenderer([TEMPLATES]), Path(), io.StringIO())
    settings = {"id": "x", "type": "apprise", "url": "ntfy://t0k3n@h.example/x", **keys}
    return Receiver(Settings.model_validate(settings), tools)


def attempt(monkeypatch: pytest.MonkeyPatch, stand_in: StandIn | None) -> Receipt:
    module = ModuleType("apprise")
    module.Apprise = lambda: stand_in  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "apprise", module if stand_in else None)
    made = receiver()
    note = Notification(
        key=DIGEST.key,
        receiver="x",
        kind=DIGEST.kind,
        subject=DIGEST.title,
        payload=made.compose(DIGEST)[0].payload,
        created_at=DIGEST.at,
        due_at=DIGEST.at,
    )
    return asyncio.run(made.send(note, at=DIGEST.at))


def test_title_and_text_are_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = StandIn()
    attempt(monkeypatch, stand_in)

    assert stand_in.sent[0]["title"].startswith("7 stories")
    assert stand_in.sent[0]["body_format"] == "text"


@pytest.mark.parametrize("answer", [False, RuntimeError("https://h.example/t0k3n")])
def test_every_failure_is_temporary_and_keeps_the_secret(
    monkeypatch: pytest.MonkeyPatch, answer: bool | Exception
) -> None:
    with pytest.raises(TemporaryDeliveryError) as caught:
        attempt(monkeypatch, StandIn(answer))

    assert "t0k3n" not in str(caught.value)


@pytest.mark.parametrize("stand_in", [None, StandIn(knows=False)])
def test_what_only_the_operator_can_mend_parks(
    monkeypatch: pytest.MonkeyPatch, stand_in: StandIn | None
) -> None:
    with pytest.raises(PermanentDeliveryError) as caught:
        attempt(monkeypatch, stand_in)

    assert caught.value.park


def test_a_plugin_reaches_no_private_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """RELIABILITY I5: a library that dials by itself is held to the door's rules."""
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0.2)
        with pytest.raises(PermanentDeliveryError) as caught:
            attempt(monkeypatch, StandIn(answer=False, dials=canary.getsockname()))
        with pytest.raises(TimeoutError):
            canary.accept()

    assert (caught.value.code, caught.value.park) == ("blocked", True)


def test_messages_keep_to_the_length_a_service_takes() -> None:
    many = replace(DIGEST, stories=DIGEST.stories * 8)
    drafts = receiver(max_length=1024).compose(many)

    assert len(drafts) > 1
    assert all(len(draft.payload["body"]) <= 1024 for draft in drafts)
    assert all("(id " in draft.payload["body"] for draft in drafts)
