"""Mail as bytes: exactly our headers or nothing."""

import asyncio
import io
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watcher.errors import PermanentDeliveryError, TemporaryDeliveryError
from watcher.model import DigestKind, Notification
from watcher.notify import _mime
from watcher.notify._mime import build, header_text, header_token, subject
from watcher.notify._smtp import to_delivery_error
from watcher.notify.email import Receiver, Settings
from watcher.notify.settings import Tools
from watcher.render.sample import AT
from watcher.render.templates import TemplateRenderer

HEADERS = [["From", "a@example.org"], ["To", "b@example.org"], ["Subject", "plain"]]


def test_the_same_payload_is_the_same_bytes() -> None:
    payload = {"headers": HEADERS, "text": "x\n", "html": "<p>x</p>"}

    assert build(payload) == build(payload)


def test_bytes_that_read_back_differently_are_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2024-6923: should a library write more than we gave it, we notice."""
    monkeypatch.setattr(
        _mime, "_encoded", lambda name, value: b"Subject: x\r\nBcc: e@f.example\r\n"
    )

    with pytest.raises(PermanentDeliveryError, match="unsafe_mail"):
        build({"headers": [*HEADERS[:2], ["Subject", "ü"]], "text": "x"})


@given(st.text(), st.text())
def test_every_text_reads_back_as_it_was(text: str, html: str) -> None:
    text, html = (s.encode("utf-8", "replace").decode() for s in (text, html))
    read = message_from_bytes(
        build({"headers": HEADERS, "text": text, "html": html}), policy=policy.default
    )
    bodies = [read.get_body((kind,)) for kind in ("plain", "html")]

    assert same(bodies[0].get_content(), text)
    assert bodies[1] is None if not html else same(bodies[1].get_content(), html)


def same(found: str, given: str) -> bool:
    """But for line ends and the one at the end."""
    plain = [s.replace("\r\n", "\n").replace("\r", "\n") for s in (found, given)]
    return plain[0] == plain[1] + ("" if plain[1].endswith("\n") else "\n")


@example("0 0000000¡¡¡¡¡¡𐀀𐀀𐀀𐀀𐀀 ¡ ¡")
@given(st.text(max_size=300))
def test_every_subject_reads_back_as_it_was(title: str) -> None:
    title = header_text(title)
    raw = build({"headers": [*HEADERS[:2], ["Subject", title]], "text": "x"})

    assert message_from_bytes(raw, policy=policy.default)["Subject"] == title
    assert max(map(len, raw.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    "payload",
    [
        {"headers": [*HEADERS, ["X-Y", "a\r\nBcc: c@d"]], "text": "x", "html": "", "to": "b@c"},
        {"headers": [*HEADERS, ["X Y: Z", "a"]], "text": "x", "html": "", "to": "b@c"},
        {"headers": HEADERS, "html": "", "to": "b@c"},
    ],
)
def test_a_payload_that_is_no_mail_is_given_up(payload: dict[str, Any]) -> None:
    door: Any = None
    renderer = TemplateRenderer([Path(__file__).parents[3] / "templates"])
    settings = {"id": "x", "type": "email", "host": "127.0.0.1", "port": 1, "tls": "none"}
    mail = Receiver(
        Settings.model_validate({**settings, "from": "a@example.org", "to": "b@example.org"}),
        Tools(door, renderer, Path(), io.StringIO()),
    )
    note = Notification("k", "x", DigestKind.TEST, "s", payload, AT, AT)

    with pytest.raises(PermanentDeliveryError, match="unsafe_mail"):
        asyncio.run(mail.send(note, at=AT))


def test_encoded_words_are_broken() -> None:
    assert header_text("=?utf-8?q?x?=") == "= ?utf-8?q?x?="
    assert "=?" not in header_text("=\u200b?utf-8?q?x?=")


def test_ids_in_headers_hold_no_separators() -> None:
    assert header_token("a rule, with: spaces\r\n") == "a-rule-with:-spaces-"
    assert header_token("") == "-"


def test_a_long_subject_keeps_its_page() -> None:
    made = subject("Desk", "word " * 100, " (2/3)")

    assert made.startswith("[Desk] word")
    assert made.endswith("… (2/3)")
    assert len(made) <= 200


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (aiosmtplib.SMTPException("odd"), TemporaryDeliveryError),
        (ConnectionResetError(104, "reset"), TemporaryDeliveryError),
        (aiosmtplib.SMTPServerDisconnected("gone"), TemporaryDeliveryError),
        (aiosmtplib.SMTPAuthenticationError(454, "later"), TemporaryDeliveryError),
        (aiosmtplib.SMTPAuthenticationError(535, "no"), PermanentDeliveryError),
        (UnicodeEncodeError("ascii", "ü", 0, 1, "x"), PermanentDeliveryError),
        (PermanentDeliveryError("already"), PermanentDeliveryError),
    ],
)
def test_every_error_of_the_library_has_a_meaning(error: Exception, kind: type[Exception]) -> None:
    assert type(to_delivery_error(error, "mail.example.org")) is kind
