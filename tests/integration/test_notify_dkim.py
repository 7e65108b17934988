"""Signed mail verifies, and what can't sign parks."""

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from test_notify_email import deliver, notes, receiver

from watcher.errors import PermanentDeliveryError
from watcher.model import DigestKind
from watcher.notify._dkim import DkimKey
from watcher.notify._mime import build
from watcher.render.sample import sample_digest

dkim = pytest.importorskip("dkim", reason="needs the optional package dkimpy")
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
ALERT = sample_digest(kind=DigestKind.ALERT)


def openssl(*words: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *words], input=given, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def key() -> str:
    return openssl("genrsa", "2048").decode()


def record(key: str) -> bytes:
    """What the domain would publish."""
    public = openssl("rsa", "-pubout", "-outform", "DER", given=key.encode())
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


@needs_openssl
def test_a_signed_mail_verifies_at_its_reader(key: str) -> None:
    asked: list[bytes] = []

    def dns(name: bytes, timeout: int = 5) -> bytes:
        asked.append(name)
        return record(key)

    raw = deliver(
        ALERT, dkim_selector="w1", dkim_key=key, unsubscribe="https://news.example.org/u"
    ).mails[0][1]

    assert dkim.verify(raw, dnsfunc=dns)
    assert asked == [b"w1._domainkey.news.example.org."]
    assert b"list-unsubscribe-post" in raw.split(b"bh=")[0].lower()
    assert not dkim.verify(raw.replace(b"Subject: ", b"Subject: Re: "), dnsfunc=dns)


def test_a_key_that_is_none_parks_and_is_not_shown() -> None:
    mail = receiver(25)
    raw = build(notes(mail, ALERT)[0].payload)
    bad = DkimKey("w1", "news.example.org", "-----BEGIN RSA PRIVATE KEY-----\nsecret\n-----END")

    with pytest.raises(PermanentDeliveryError, match="dkim_key") as caught:
        bad.sign(raw)
    assert caught.value.park
    assert "secret" not in f"{caught.value} {bad!r}"


def test_selector_and_key_go_together(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="dkim_selector and dkim_key"):
        receiver(25, dkim_selector="w1")
