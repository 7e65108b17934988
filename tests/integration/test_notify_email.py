"""Mail against real SMTP servers on loopback: aiosmtpd for what works, a scripted one for what doesn't."""

import asyncio
import io
import json
import re
import shutil
import ssl
import subprocess
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from watcher.errors import DeliveryError, PermanentDeliveryError, TemporaryDeliveryError
from watcher.model import Digest, DigestKind, Notification
from watcher.notify.email import Receiver, Settings
from watcher.notify.settings import Tools
from watcher.render.sample import sample_digest
from watcher.render.templates import TemplateRenderer

TEMPLATES = Path(__file__).parents[2] / "templates"
NOW = datetime(2026, 5, 29, 22, 0, tzinfo=UTC)


def receiver(port: int, root: Path = Path(), **keys: Any) -> Receiver:
    settings = {
        "id": "desk",
        "type": "email",
        "host": "127.0.0.1",
        "port": port,
        "tls": "none",
        "from": "Watcher <watcher@news.example.org>",
        "to": ["desk@example.org"],
        **keys,
    }
    door: Any = None
    tools = Tools(door, TemplateRenderer([TEMPLATES]), root, io.StringIO())
    return Receiver(Settings.model_validate(settings), tools)


async def at_once() -> None:
    """No message before is being marked."""


def notes(mail: Receiver, digest: Digest) -> list[Notification]:
    """As the outbox gives them back."""
    return [
        Notification(
            key=f"{digest.key}#{draft.part}",
            receiver=digest.receiver,
            kind=digest.kind,
            subject=digest.title,
            payload=json.loads(json.dumps(draft.payload)),
            created_at=NOW,
            due_at=NOW,
        )
        for draft in mail.compose(digest)
    ]


@dataclass
class Mailbox:
    """An aiosmtpd handler that keeps what arrived."""

    mails: list[tuple[list[str], bytes]] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.mails.append((envelope.rcpt_tos, envelope.content))
        return "250 2.0.0 queued as 4f2a"

    def parsed(self, n: int = 0) -> EmailMessage:
        found = message_from_bytes(self.mails[n][1], policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found


@asynccontextmanager
async def mail_server(handler: object, **options: Any) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, loop=loop, **options), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0.02)


DROP = "DROP"
HANG = "HANG"
DRIP = "DRIP"


@dataclass
class ScriptedServer:
    """Speaks SMTP; `script` replaces the answer to a verb, `BANNER` or `DOT`, or drops the line there.

    `AGAIN MAIL` is the answer to MAIL on a connection that has brought a mail before.
    """

    script: Mapping[str, str]
    seen: list[str] = field(default_factory=list)
    accepted: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        again = ""
        await self._say(writer, "BANNER", "220 sink")
        while line := (await reader.readline()).decode().strip():
            verb = line.split()[0].upper()
            self.seen.append(line)
            if verb == "DATA":
                await self._say(writer, verb, "354 go on")
                body = await reader.readuntil(b"\r\n.\r\n")
                if self.script.get("DOT", "250").startswith(("250", DROP + " after")):
                    self.accepted.append(body)
                await self._say(writer, "DOT", "250 ok")
                again = "AGAIN "
                continue
            usual = "250-sink\r\n250 8BITMIME" if verb == "EHLO" else "250 ok"
            usual = "221 bye" if verb == "QUIT" else usual
            await self._say(writer, verb, self.script.get(again + verb, usual))

    async def _say(self, writer: asyncio.StreamWriter, verb: str, usual: str) -> None:
        answer = self.script.get(verb, usual)
        if answer == HANG:
            await asyncio.sleep(30)
        if answer.startswith(DROP):
            raise ConnectionError
        while answer == DRIP:
            writer.write(b"2")
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.write(f"{answer}\r\n".encode())
        await writer.drain()


@asynccontextmanager
async def scripted(script: Mapping[str, str]) -> AsyncIterator[tuple[int, ScriptedServer]]:
    sink = ScriptedServer(script)
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], sink
    finally:
        server.close()
        await asyncio.sleep(0.02)


def attempt(script: Mapping[str, str], **keys: Any) -> tuple[object, ScriptedServer]:
    """The outcome of one attempt against a server with a fault."""

    async def scenario() -> tuple[object, ScriptedServer]:
        async with scripted(script) as (port, sink):
            mail = receiver(port, **keys)
            try:
                return await mail.send(notes(mail, sample_digest())[0], at=NOW), sink
            except DeliveryError as error:
                return error, sink

    return asyncio.run(scenario())


def deliver(digest: Digest, **keys: Any) -> Mailbox:
    """Everything a receiver makes of a digest, through a real server."""
    box = Mailbox()

    async def scenario() -> None:
        async with mail_server(box) as port:
            mail = receiver(port, **keys)
            for note in notes(mail, digest):
                await mail.send(note, at=NOW)

    asyncio.run(scenario())
    return box


# ── what arrives ─────────────────────────────────────────────────────────────


def test_text_and_html_arrive_with_every_story() -> None:
    digest = sample_digest()
    mail = deliver(digest).parsed()
    text = mail.get_body(("plain",))
    html = mail.get_body(("html",))

    assert mail.get_content_type() == "multipart/alternative"
    assert text is not None
    assert html is not None
    assert all(story.title in text.get_content() for story in digest.stories)
    assert all(story.url in html.get_content() for story in digest.stories)


def test_pictures_are_parts_of_the_mail_and_each_is_shown() -> None:
    mail = deliver(sample_digest()).parsed()
    html = mail.get_body(("html",))
    assert html is not None
    shown = re.findall(r'<img [^>]*src="([^"]*)"[^>]*>', html.get_content())
    parts = {str(p["Content-ID"]): p for p in mail.walk() if p.get_content_maintype() == "image"}

    assert {f"<{src.removeprefix('cid:')}>" for src in shown} == set(parts)
    assert len(parts) > 5
    assert all(p.get_content().startswith(b"\x89PNG") for p in parts.values())
    assert all(p.get_content_disposition() == "inline" for p in parts.values())
    assert all("alt=" in tag for tag in re.findall(r"<img [^>]*>", html.get_content()))
    assert [p.get_content_type() for p in mail.iter_parts()] == ["text/plain", "multipart/related"]


def test_pictures_can_be_left_out() -> None:
    mail = deliver(sample_digest(), pictures=False).parsed()

    assert [p.get_content_type() for p in mail.iter_parts()] == ["text/plain", "text/html"]


def test_headers_say_what_filters_and_threads_need() -> None:
    mail = deliver(
        sample_digest(),
        title="Korea desk",
        reply_to="chief@example.org",
        unsubscribe=["https://news.example.org/u/1", "mailto:watcher@news.example.org"],
    ).parsed()

    assert mail["Subject"].startswith("[Korea desk] 7 stories")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Precedence"] == "bulk"
    assert mail["List-Id"] == '"Korea desk" <desk.watcher.news.example.org>'
    assert mail["X-Watcher-Severity"] == "critical"
    assert mail["X-Watcher-Kind"] == "digest"
    assert "kim-jong-un-state-trip" in mail["X-Watcher-Rule"]
    assert "s-launch" in mail["X-Watcher-Story"]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Reply-To"] == "chief@example.org"
    assert mail["Date"].datetime == sample_digest().at


def test_alerts_about_one_story_are_one_thread() -> None:
    alert = sample_digest(kind=DigestKind.ALERT)
    later = replace(alert, key="alert:t-later:desk")
    one, two = deliver(alert).parsed(), deliver(later).parsed()

    assert one["References"] == two["References"] == "<story.s-trip.desk@news.example.org>"
    assert one["Message-ID"] != two["Message-ID"]


def test_every_attempt_sends_the_same_bytes() -> None:
    assert deliver(sample_digest()).mails == deliver(sample_digest()).mails


def test_each_recipient_gets_an_own_mail() -> None:
    box = deliver(
        sample_digest(), to=["one@example.org", "Two <two@example.org>", "ONE@example.org"]
    )

    assert [to for to, _ in box.mails] == [["one@example.org"], ["two@example.org"]]
    assert box.parsed(0)["Message-ID"] != box.parsed(1)["Message-ID"]


def test_a_digest_over_100_kb_goes_on_in_another_mail_and_drops_nothing() -> None:
    digest = sample_digest()
    many = replace(
        digest,
        stories=tuple(
            replace(digest.stories[n % 7], alert=f"t{n}", title=f"Story number {n}.", rule="r" * 60)
            for n in range(900)
        ),
    )
    box = deliver(many)
    pages = [box.parsed(n) for n in range(len(box.mails))]
    texts = "".join(str(p.get_body(("plain",)).get_content()) for p in pages)  # type: ignore[union-attr]
    htmls = [str(p.get_body(("html",)).get_content()) for p in pages]  # type: ignore[union-attr]

    assert 1 < len(pages) < 10
    assert all(f"Story number {n}." in texts for n in range(900))
    assert all(f"Story number {n}." in "".join(htmls) for n in range(900))
    assert all(len(html.encode()) <= 102_000 for html in htmls)
    assert f"(1/{len(pages)})" in pages[0]["Subject"]
    assert len({page["References"] for page in pages}) == 1


def test_lines_on_the_wire_are_short_and_dots_are_kept() -> None:
    """CVE-2023-51764 and H9: no bare line feed, no dot alone, parts as we made them."""
    digest = replace(
        sample_digest(), notice=".\r\n.hidden\nFrom nobody\n--boundary\n" + "위성" * 50_000
    )
    box = deliver(digest)
    raw = box.mails[0][1]
    body = box.parsed().get_body(("plain",))

    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert body is not None
    assert "\n.\n.hidden\nFrom nobody\n--boundary\n" in body.get_content().replace("\r\n", "\n")


@pytest.mark.parametrize(
    "title",
    [
        "=?utf-8?q?a=0D=0ABcc=3A_evil@example.net?=",
        "x =?utf-8?b?Ww0KQmNjOiBldmlsQGV4YW1wbGUubmV0?= y",
        "one\r\nBcc: evil@example.net",
        "one\nBcc: evil@example.net",
        "one\rBcc: evil@example.net",
        "one\u2028Bcc: evil@example.net\u0085Cc: x@example.net",
        "nul\x00 and \ud800 surrogate",
        "длинный " * 200,
        "a" * 5000,
        "",
    ],
)
def test_no_title_adds_a_header(title: str) -> None:
    """CVE-2024-6923, CVE-2017-7848, bugs.python.org/46462: exactly our headers arrive."""
    plain = sample_digest(kind=DigestKind.ALERT)
    story = replace(plain.stories[0], title=title, story=title or "x", rule=title or "x")
    hostile = replace(plain, title=title, stories=(story,))
    box = deliver(hostile)

    assert set(box.parsed().keys()) == set(deliver(plain).parsed().keys())
    assert "evil" not in str(box.parsed()["To"])
    assert box.mails[0][0] == ["desk@example.org"]


# ── what goes wrong (RELIABILITY F1–F6) ──────────────────────────────────────

PHASES = ["BANNER", "EHLO", "MAIL", "RCPT", "DATA", "DOT"]


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("reply", ["421 closing", "451 try later", "450 greylisted"])
def test_a_4xx_at_any_phase_is_temporary(phase: str, reply: str) -> None:
    script = {phase: reply, "HELO": reply} if phase == "EHLO" else {phase: reply}
    error, sink = attempt(script)

    assert isinstance(error, TemporaryDeliveryError)
    assert not sink.accepted


@pytest.mark.parametrize("phase", ["MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize("reply", ["550 no such user", "552 too big", "554 spam"])
def test_a_5xx_is_permanent_and_leaves_the_receiver_alone(phase: str, reply: str) -> None:
    error, _ = attempt({phase: reply})

    assert isinstance(error, PermanentDeliveryError)
    assert not error.park
    assert error.code == reply[:3]


def test_a_server_that_finds_the_mail_too_big_gets_its_text() -> None:
    box = Mailbox()

    async def scenario() -> None:
        async with mail_server(box, data_size_limit=12_000) as port:
            mail = receiver(port)
            await mail.send(notes(mail, sample_digest())[0], at=NOW)

    asyncio.run(scenario())

    assert box.parsed().get_content_type() == "text/plain"
    assert "North Korea tells Japan" in box.parsed().get_content()


@pytest.mark.parametrize("phase", PHASES)
def test_a_lost_connection_is_temporary(phase: str) -> None:
    error, sink = attempt({phase: DROP})

    assert isinstance(error, TemporaryDeliveryError)
    assert not sink.accepted


def test_a_connection_lost_after_the_dot_is_tried_again_with_the_same_id() -> None:
    error, sink = attempt({"DOT": f"{DROP} after"})
    _, again = attempt({})

    assert isinstance(error, TemporaryDeliveryError)
    assert sink.accepted == again.accepted


@pytest.mark.parametrize("reply", [DROP, "500 what", HANG])
def test_a_failing_quit_after_the_250_is_sent(reply: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """alertmanager#4006 the other way round: after the 250 the mail is the server's."""
    monkeypatch.setattr("watcher.notify._smtp.QUIT_TIMEOUT", 0.1)
    receipt, sink = attempt({"QUIT": reply})

    assert not isinstance(receipt, Exception)
    assert len(sink.accepted) == 1


@pytest.mark.parametrize(
    ("phase", "deadline"),
    [("BANNER", "connect_timeout"), ("MAIL", "command_timeout"), ("DOT", "data_timeout")],
)
def test_every_phase_has_its_own_deadline(phase: str, deadline: str) -> None:
    error, _ = attempt({phase: HANG}, **{deadline: "0.1s"})

    assert isinstance(error, TemporaryDeliveryError)
    assert error.code == "timeout"


def test_a_reply_that_drips_does_not_stretch_the_deadline() -> None:
    """F5: the deadline is for the whole reply, not for each byte."""
    error, _ = attempt({"DOT": DRIP}, data_timeout="0.2s")

    assert isinstance(error, TemporaryDeliveryError)
    assert error.code == "timeout"


def test_nobody_there_is_temporary() -> None:
    mail = receiver(1)

    with pytest.raises(TemporaryDeliveryError, match=r"127\.0\.0\.1"):
        asyncio.run(mail.send(notes(mail, sample_digest())[0], at=NOW))


def test_nothing_is_sent_in_clear_when_starttls_is_missing() -> None:
    error, sink = attempt({}, tls="starttls", username="u", password="p")

    assert isinstance(error, TemporaryDeliveryError)
    assert not [line for line in sink.seen if line.startswith(("AUTH", "MAIL", "DATA"))]


# ── TLS and credentials ──────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("openssl"):
        pytest.skip("needs the openssl command")
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 "
        "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:localhost"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder


def server_context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def check_password(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
) -> AuthResult:
    good = (data.login, data.password) == (b"watcher", b"right")
    return AuthResult(success=good, handled=good)


def over_tls(folder: Path, act: Callable[[int], Awaitable[Any]]) -> tuple[Any, Mailbox]:
    box = Mailbox()

    async def scenario() -> Any:
        options = {
            "tls_context": server_context(folder),
            "require_starttls": True,
            "authenticator": check_password,
            "auth_required": True,
        }
        async with mail_server(box, **options) as port:
            try:
                return await act(port)
            except DeliveryError as error:
                return error

    return asyncio.run(scenario()), box


def sending(folder: Path, **keys: Any) -> Callable[[int], Awaitable[Any]]:
    async def act(port: int) -> Any:
        mail = receiver(port, folder, tls="starttls", username="watcher", **keys)
        return await mail.send(notes(mail, sample_digest())[0], at=NOW)

    return act


def test_mail_goes_over_starttls_with_a_password(certificate: Path) -> None:
    receipt, box = over_tls(certificate, sending(certificate, password="right", ca_file="cert.pem"))

    assert receipt.detail.startswith("250")
    assert len(box.mails) == 1


def test_a_certificate_nobody_signed_is_refused(certificate: Path) -> None:
    error, box = over_tls(certificate, sending(certificate, password="right"))

    assert isinstance(error, TemporaryDeliveryError)
    assert error.code == "certificate"
    assert not box.mails


def test_a_wrong_password_parks_the_receiver_and_is_not_shown(certificate: Path) -> None:
    error, box = over_tls(
        certificate, sending(certificate, password="wr0ng-one", ca_file="cert.pem")
    )

    assert isinstance(error, PermanentDeliveryError)
    assert error.park
    assert "wr0ng-one" not in f"{error!r}"
    assert not box.mails


def test_a_token_goes_as_xoauth2() -> None:
    error, sink = attempt(
        {"EHLO": "250-sink\r\n250 AUTH XOAUTH2", "AUTH": "535 expired"},
        username="desk@example.org",
        token="t0k3n",
        insecure_auth=True,
    )

    assert isinstance(error, PermanentDeliveryError)
    assert error.park
    assert [line for line in sink.seen if line.startswith("AUTH XOAUTH2 ")]
    assert "t0k3n" not in str(error)


def test_a_token_that_another_program_renewed_is_used_for_the_next_mail(tmp_path: Path) -> None:
    """An expired one is a matter of minutes and parks nothing."""
    script = {"EHLO": "250-sink\r\n250 AUTH XOAUTH2", "AUTH": "535 expired"}
    file = tmp_path / "token"
    file.write_text("old-t0k3n\n")

    async def scenario() -> tuple[object, ScriptedServer]:
        async with scripted(script) as (port, sink):
            mail = receiver(
                port,
                tmp_path,
                username="desk@example.org",
                token="old-t0k3n",
                token_file="token",
                insecure_auth=True,
            )
            (note, *_) = notes(mail, sample_digest())
            try:
                await mail.send(note, at=NOW)
            except DeliveryError as error:
                refused = error
            file.write_text("new-t0k3n\n")
            script["AUTH"] = "235 welcome"
            await mail.send(note, at=NOW)
            return refused, sink

    refused, sink = asyncio.run(scenario())

    shown = [line.split()[2] for line in sink.seen if line.startswith("AUTH XOAUTH2 ")]
    assert isinstance(refused, TemporaryDeliveryError)
    assert "t0k3n" not in f"{refused!r}"
    assert [b"old-t0k3n" in b64decode(shown[0]), b"new-t0k3n" in b64decode(shown[1])] == [True] * 2
    assert len(sink.accepted) == 1


def test_a_token_file_that_is_gone_is_waited_for(tmp_path: Path) -> None:
    error, sink = attempt(
        {"EHLO": "250-sink\r\n250 AUTH XOAUTH2"},
        username="desk@example.org",
        token_file=str(tmp_path / "none"),
        insecure_auth=True,
    )

    assert isinstance(error, TemporaryDeliveryError)
    assert error.code == "token_file"
    assert not sink.accepted


def test_a_missing_ca_file_parks(certificate: Path) -> None:
    error, _ = over_tls(certificate, sending(certificate, password="right", ca_file="no.pem"))

    assert isinstance(error, PermanentDeliveryError)
    assert error.park
