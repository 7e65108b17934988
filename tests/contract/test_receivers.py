"""What every receiver promises, held against every module in watcher/notify.

A new receiver needs one line in CASES; without it the first test says so.
"""

import asyncio
import io
import json
import pkgutil
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import ValidationError

import watcher.notify
from watcher.errors import (
    BlockedError,
    DeliveryError,
    FetchError,
    PermanentDeliveryError,
    TemporaryDeliveryError,
)
from watcher.model import (
    AlertKind,
    Digest,
    DigestKind,
    Draft,
    HttpRequest,
    HttpResponse,
    Notification,
    Passage,
    Receipt,
)
from watcher.notify import load
from watcher.notify.settings import ReceiverSettings, Tools
from watcher.render.sample import sample_digest
from watcher.render.templates import TemplateRenderer

TEMPLATES = Path(__file__).parents[2] / "templates"
NOW = datetime(2026, 5, 29, 22, 0, tzinfo=UTC)
KEY = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass(frozen=True)
class Case:
    """How to build a receiver: its own keys, the secrets among them, and whether it speaks HTTP.

    `broken` and `hanging` are keys that make it fail or wait for ever where a dead network
    and a full folder don't; `needs` names what a delivery needs that this file can't give.
    """

    keys: Mapping[str, Any]
    secrets: tuple[str, ...] = ()
    http: bool = False
    broken: Mapping[str, Any] = field(default_factory=dict)
    hanging: Mapping[str, Any] | None = None
    needs: str = ""


CASES = {
    "email": Case(
        {
            "host": "127.0.0.1",
            "port": free_port(),
            "tls": "none",
            "insecure_auth": True,
            "username": "watcher",
            "password": "pa55-w0rd-of-mail",
            "from": "Watcher <watcher@example.org>",
            "to": ["one@example.org", "two@example.org"],
        },
        secrets=("pa55-w0rd-of-mail",),
        hanging={},
        needs="a mail server: tests/integration/test_notify_email.py",
    ),
    "slack": Case(
        {"url": "https://hooks.example.org/services/T0/B0/s3cr3t-path"},
        secrets=("s3cr3t-path",),
        http=True,
        hanging={},
    ),
    "webhook": Case(
        {
            "url": "https://sink.example.org/in?token=s3cr3t-query",
            "secret": f"whsec_{KEY}",
            "authorization": "Bearer s3cr3t-bearer",
        },
        secrets=("s3cr3t-query", KEY, "s3cr3t-bearer"),
        http=True,
        hanging={},
    ),
    "file": Case({"folder": "out", "formats": ["html", "txt", "json"]}),
    "stdout": Case({}),
    "feed": Case({"folder": "feed", "home": "https://watch.example.org/"}),
    "exec": Case(
        {"command": ["/bin/sh", "-c", "cat > got.json"]},
        broken={"command": ["/no/such/program"]},
        hanging={"command": ["/bin/sleep", "30"]},
    ),
    "apprise": Case(
        {"url": "json://user:s3cr3t-word@127.0.0.1:1/path"},
        secrets=("s3cr3t-word",),
        needs="the optional package: tests/unit/notify/test_notify_apprise.py",
    ),
}


def channels() -> list[str]:
    names = [module.name for module in pkgutil.iter_modules(watcher.notify.__path__)]
    return [name for name in names if not name.startswith("_") and name != "settings"]


@dataclass
class ScriptedDoor:
    """Answers as told and keeps what was asked."""

    answer: Callable[[HttpRequest], HttpResponse]
    asked: list[HttpRequest] = field(default_factory=list)

    async def request(self, request: HttpRequest) -> HttpResponse:
        self.asked.append(request)
        return self.answer(request)


class DeafDoor:
    """Never answers."""

    async def request(self, request: HttpRequest) -> HttpResponse:
        await asyncio.Event().wait()
        raise AssertionError


def status(code: int, body: bytes = b"ok", **headers: str) -> Callable[[HttpRequest], HttpResponse]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: HttpResponse(code, request.url, named, body)


def failing(error: Exception) -> Callable[[HttpRequest], HttpResponse]:
    def answer(request: HttpRequest) -> HttpResponse:
        raise error

    return answer


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that takes connections and never speaks."""
    await reader.read()
    writer.close()


def tools(root: Path, door: Any = None) -> Tools:
    return Tools(
        door=door or ScriptedDoor(status(200)),
        render=TemplateRenderer([TEMPLATES]),
        root=root,
        stdout=io.StringIO(),
    )


def settings_of(name: str, **other: Any) -> ReceiverSettings:
    keys = {"id": "desk", "type": name, "zone": "Asia/Seoul", **CASES[name].keys, **other}
    settings: ReceiverSettings = load(name).Settings.model_validate(keys)
    return settings


def receiver_of(name: str, given: Tools) -> Any:
    return load(name).Receiver(settings_of(name), given)


def frozen(digest: Digest, draft: Draft, key: str = "") -> Notification:
    """As the outbox gives it back: through JSON."""
    return Notification(
        key=key or f"{digest.key}#{draft.part}",
        receiver=digest.receiver,
        kind=digest.kind,
        subject=digest.title,
        payload=json.loads(json.dumps(draft.payload)),
        created_at=NOW,
        due_at=NOW,
        attempt=1,
    )


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from strings(key)
            yield from strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from strings(inner)


HOSTILE = [
    "{{7*7}} {% include '/etc/passwd' %} ${x} {0.__class__} %(x)s",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "first line\r\nBcc: evil@example.net\r\n\r\nbody",
    "=?utf-8?q?a=0D=0ABcc=3A_evil@example.net?=",
    "<!channel> <@U1> <http://evil.example|bank.example> *x* _y_ `z`",
    "\x1b[31mred\x1b]8;;http://evil.example\x07link\x1b[0m\x00\x08",
    "right \u202eto left\u202c \u2066isolate\u2069 zero\u200bwidth \U000e0041tag",
    "&lt;script&gt;alert(2)&lt;/script&gt;",
    "line\u2028sep\u0085nel \ud800surrogate",
    "</td></tr></table><iframe srcdoc='x'>",
]


# What Slack would obey; links to articles are ours.
MENTION = re.compile(r"<[!@#][^>]*>|<http://evil")


def hostile_digest(text: str) -> Digest:
    digest = sample_digest()
    story = digest.stories[0]
    nasty = replace(
        story,
        title=text,
        rule_title=text,
        publisher=text,
        reason=text,
        new=(text,),
        tags=(text,),
        note=text,
        url="javascript:alert(1)",
        passages=(Passage("title", text, ((0, 3),)), Passage("body", text, ((2, 5), (4, 900)))),
        reports=tuple(
            replace(r, title=text, publisher=text, family=text, url='http://x.example/"><script>')
            for r in story.reports
        ),
    )
    return replace(
        digest, title=text, stories=(nasty, *digest.stories[1:]), silent_rules=(text,), held=text
    )


def test_every_receiver_has_a_case_here() -> None:
    missing = set(channels()) - set(CASES)

    assert not missing, f"add how to build it to CASES in {__file__}: {sorted(missing)}"


@pytest.fixture(params=channels())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def module(name: str) -> ModuleType:
    return load(name)


def test_its_docstring_is_a_manual_page(module: ModuleType, name: str) -> None:
    text = module.__doc__ or ""

    assert f"type: {name}" in text
    assert text.splitlines()[0].endswith(".")


def test_unknown_keys_are_refused(name: str) -> None:
    keys = {"id": "desk", "type": name, "urll": "x", **CASES[name].keys}

    with pytest.raises(ValidationError, match="urll"):
        load(name).Settings.model_validate(keys)


def test_secrets_show_in_no_repr(name: str, tmp_path: Path) -> None:
    settings = settings_of(name)
    shown = (
        f"{settings!r} {settings} {receiver_of(name, tools(tmp_path))!r} {settings.model_dump()}"
    )

    assert not [secret for secret in CASES[name].secrets if secret in shown]


def test_secrets_show_in_no_validation_error(name: str) -> None:
    keys = {"id": "desk", "type": name, **CASES[name].keys}
    for key, value in keys.items():
        if isinstance(value, str) and any(secret in value for secret in CASES[name].secrets):
            keys[key] = f"\x00broken {value}"
    try:
        shown = repr(load(name).Settings.model_validate(keys))
    except ValidationError as error:
        shown = str(error)

    assert not [secret for secret in CASES[name].secrets if secret in shown]


def test_composing_is_pure(name: str, tmp_path: Path) -> None:
    digest = sample_digest()
    one = receiver_of(name, tools(tmp_path)).compose(digest)
    two = receiver_of(name, tools(tmp_path)).compose(digest)

    assert one
    assert one == two
    assert not list(tmp_path.iterdir())


def test_parts_are_unique(name: str, tmp_path: Path) -> None:
    digest = sample_digest()
    many = replace(digest, stories=digest.stories * 60)
    parts = [draft.part for draft in receiver_of(name, tools(tmp_path)).compose(many)]

    assert len(parts) == len(set(parts))


def test_payloads_survive_json(name: str, tmp_path: Path) -> None:
    receiver, digest = receiver_of(name, tools(tmp_path)), sample_digest()

    assert all(json.dumps(draft.payload) for draft in receiver.compose(digest))


def test_secrets_are_in_no_payload(name: str, tmp_path: Path) -> None:
    """CVE-2023-22481: nothing in the store can leak what only the settings know."""
    drafts = receiver_of(name, tools(tmp_path)).compose(sample_digest())
    shown = json.dumps([draft.payload for draft in drafts])

    assert not [secret for secret in CASES[name].secrets if secret in shown]


@pytest.mark.parametrize("kind", list(DigestKind))
def test_every_kind_of_digest_composes(name: str, kind: DigestKind, tmp_path: Path) -> None:
    digest = replace(sample_digest(kind=kind), notice="The feed 'x' is broken.\nSince noon.")
    if kind in {DigestKind.NOTICE, DigestKind.TEST}:
        digest = replace(digest, stories=(), silent_rules=(), late_since=None)
    drafts = receiver_of(name, tools(tmp_path)).compose(digest)

    assert "Since noon." in json.dumps([draft.payload for draft in drafts])


@pytest.mark.parametrize("kind", [AlertKind.BURST, AlertKind.NOTHING_HEARD])
def test_what_a_rule_tells_of_itself_composes(name: str, kind: AlertKind, tmp_path: Path) -> None:
    """It has no article, so no link and no publisher."""
    sample = sample_digest(kind=DigestKind.ALERT)
    figures = "9 matches in 2 hours, usually 1.5"
    story = replace(
        sample.stories[0], kind=kind, story=None, title=figures, url="", publisher="", new=(),
        passages=(), reports=(),
    )  # fmt: skip
    drafts = receiver_of(name, tools(tmp_path)).compose(replace(sample, stories=(story,)))

    assert figures in json.dumps([draft.payload for draft in drafts])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert(name: str, text: str, tmp_path: Path) -> None:
    """RELIABILITY cases 1, 19, 21, 22, 24, 25, 28 and H1 to H8, for every channel alike."""
    drafts = receiver_of(name, tools(tmp_path)).compose(hostile_digest(text))
    said = list(strings([json.loads(json.dumps(draft.payload)) for draft in drafts]))
    whole = "\n".join(said)

    assert not [c for c in whole if (c < " " and c != "\n") or c in "\x7f\u202e\u200b\u2028\u0085"]
    assert "49" not in [part.strip() for part in whole.split()]
    assert name != "slack" or not {"<!channel>", "<@U1>", "<http://evil"} & set(
        MENTION.findall(whole)
    )
    for markup in (part for part in said if part.lstrip().lower().startswith("<!doctype html")):
        assert "<script" not in markup
        assert name != "file" or 'href="http://x.example/%22%3E%3Cscript%3E"' in markup
        assert "<iframe" not in markup
        assert not re.search(r'<img (?!src="(cid:[0-9a-f]+@|data:image/png;base64,))', markup)
        assert "javascript:" not in markup


def test_a_title_of_a_megabyte_is_cut(name: str, tmp_path: Path) -> None:
    """H5."""
    digest = hostile_digest("위성 발사 " * 200_000)
    drafts = receiver_of(name, tools(tmp_path)).compose(digest)

    assert all(len(json.dumps(draft.payload)) < 600_000 for draft in drafts)


def test_a_working_receiver_gives_a_receipt(name: str, tmp_path: Path) -> None:
    if CASES[name].needs:
        pytest.skip(f"needs {CASES[name].needs}")
    receiver, digest = receiver_of(name, tools(tmp_path)), sample_digest()
    receipt = asyncio.run(receiver.send(frozen(digest, receiver.compose(digest)[0]), at=NOW))

    assert isinstance(receipt, Receipt)
    assert receipt.detail


def test_a_broken_world_gives_delivery_errors_only(name: str, tmp_path: Path) -> None:
    """A dead network, a folder that is a file, a closed stdout: never another kind of error."""
    root = tmp_path / "file"
    root.write_text("not a folder")
    given = tools(root, ScriptedDoor(failing(FetchError("connect", "refused"))))
    given.stdout.close()
    settings = settings_of(name, **CASES[name].broken)
    receiver, digest = load(name).Receiver(settings, given), sample_digest()
    note = frozen(digest, receiver.compose(digest)[0])

    with pytest.raises(DeliveryError) as caught:
        asyncio.run(receiver.send(note, at=NOW))
    assert not [secret for secret in CASES[name].secrets if secret in str(caught.value)]


def test_cancelling_ends_at_once(name: str, tmp_path: Path) -> None:
    hanging = CASES[name].hanging
    if hanging is None:
        pytest.skip("never waits for anybody")

    async def scenario() -> str:
        silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        async with silent:
            given, settings = tools(tmp_path, DeafDoor()), settings_of(name, **hanging)
            if name == "email":
                port = silent.sockets[0].getsockname()[1]
                settings = settings.model_copy(update={"port": port})
            receiver, digest = load(name).Receiver(settings, given), sample_digest()
            note = frozen(digest, receiver.compose(digest)[0])
            task = asyncio.create_task(receiver.send(note, at=NOW))
            await asyncio.sleep(0.05)
            task.cancel()
            try:
                async with asyncio.timeout(2):
                    await task
                ended = "done"
            except asyncio.CancelledError:
                ended = "cancelled"
            await asyncio.sleep(0.05)  # the server's side closes
            return ended

    assert asyncio.run(scenario()) == "cancelled"


# ── receivers over HTTP ──────────────────────────────────────────────────────


@pytest.fixture(params=[name for name in channels() if name in CASES and CASES[name].http])
def web(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def outcome(web: str, answer: Callable[[HttpRequest], HttpResponse], root: Path) -> Any:
    """The receipt or the delivery error of one attempt."""
    receiver, digest = receiver_of(web, tools(root, ScriptedDoor(answer))), sample_digest()
    try:
        return asyncio.run(receiver.send(frozen(digest, receiver.compose(digest)[0]), at=NOW))
    except DeliveryError as error:
        shown = f"{error} {error!r}"
        assert not [secret for secret in CASES[web].secrets if secret in shown]
        return error


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_temporary(web: str, code: int, tmp_path: Path) -> None:
    assert isinstance(outcome(web, status(code, b"no"), tmp_path), TemporaryDeliveryError)


@pytest.mark.parametrize("code", [400, 413, 422])
def test_what_stays_wrong_is_permanent(web: str, code: int, tmp_path: Path) -> None:
    error = outcome(web, status(code, b"no"), tmp_path)

    assert isinstance(error, PermanentDeliveryError)
    assert not error.park


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_a_dead_address_parks_the_receiver(web: str, code: int, tmp_path: Path) -> None:
    error = outcome(web, status(code, b"no_service"), tmp_path)

    assert isinstance(error, PermanentDeliveryError)
    assert error.park
    assert error.code == str(code)


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_redirects_are_not_followed(web: str, code: int, tmp_path: Path) -> None:
    door = ScriptedDoor(status(code, location="http://127.0.0.1/admin?x=1"))
    receiver, digest = receiver_of(web, tools(tmp_path, door)), sample_digest()

    with pytest.raises(DeliveryError):
        asyncio.run(receiver.send(frozen(digest, receiver.compose(digest)[0]), at=NOW))
    assert [request.max_redirects for request in door.asked] == [0]


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("30", timedelta(seconds=30)),
        ("Fri, 29 May 2026 22:02:00 GMT", timedelta(minutes=2)),
        ("999999999", timedelta(days=7)),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_obeyed_up_to_a_week(
    web: str, value: str, wait: timedelta | None, tmp_path: Path
) -> None:
    error = outcome(web, status(429, b"slow", retry_after=value), tmp_path)

    assert error.retry_after == wait


def test_network_trouble_is_temporary(web: str, tmp_path: Path) -> None:
    error = outcome(web, failing(FetchError("timeout", "https://h/s3cr3t-path")), tmp_path)

    assert isinstance(error, TemporaryDeliveryError)


def test_a_refused_address_parks(web: str, tmp_path: Path) -> None:
    error = outcome(web, failing(BlockedError("private_address", "10.0.0.1")), tmp_path)

    assert isinstance(error, PermanentDeliveryError)
    assert error.park


def test_replies_are_read_up_to_64_kib(web: str, tmp_path: Path) -> None:
    door = ScriptedDoor(status(200))
    receiver, digest = receiver_of(web, tools(tmp_path, door)), sample_digest()
    asyncio.run(receiver.send(frozen(digest, receiver.compose(digest)[0]), at=NOW))

    assert [request.max_bytes for request in door.asked] == [65536]


# ── a newcomer's receiver ────────────────────────────────────────────────────

NEWCOMER = '''
"""Write subjects into a list.

    - id: list
      type: newcomers.pager
"""
from datetime import datetime
from watcher.model import Digest, Draft, Notification, Receipt
from watcher.notify.settings import ReceiverSettings, Tools

class Settings(ReceiverSettings):
    number: str

class Receiver:
    sent: list[str] = []

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._number = settings.number

    def compose(self, digest: Digest) -> list[Draft]:
        return [Draft({"text": digest.title})]

    async def send(self, notification: Notification, *, at: datetime) -> Receipt:
        self.sent.append(f"{self._number}: {notification.payload['text']}")
        return Receipt("paged")
'''


def test_a_new_channel_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "newcomers"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "pager.py").write_text(NEWCOMER)
    monkeypatch.syspath_prepend(str(tmp_path))

    module = load("newcomers.pager")
    keys = {"id": "list", "type": "newcomers.pager", "number": "7"}
    receiver = module.Receiver(module.Settings.model_validate(keys), tools(tmp_path))
    digest = sample_digest(kind=DigestKind.ALERT)
    asyncio.run(receiver.send(frozen(digest, receiver.compose(digest)[0]), at=NOW))

    assert module.Receiver.sent == [f"7: {digest.title}"]


@pytest.mark.parametrize("name", ["settings", "_kit", "nothing", "os.path", "../etc", "a b", ""])
def test_what_is_no_receiver_does_not_load(name: str) -> None:
    with pytest.raises(ImportError):
        load(name)
