"""Against Postfix's own test server, where the Debian package is installed."""

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from test_notify_email import NOW, at_once, notes, receiver

from watcher.errors import DeliveryError, PermanentDeliveryError, TemporaryDeliveryError
from watcher.model import DigestKind, Receipt
from watcher.render.sample import sample_digest

SINK = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(SINK is None, reason="needs smtp-sink of the postfix package")


@contextmanager
def smtp_sink(folder: Path, *options: str) -> Iterator[int]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    as_root = ["-u", "root"] if os.geteuid() == 0 else []
    command = [str(SINK), *as_root, *options, "-d", "mail-%M", f"inet:127.0.0.1:{port}", "10"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield port
        finally:
            process.kill()


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("smtp-sink did not start")


def outcome(port: int) -> Receipt | DeliveryError:
    mail = receiver(port, connect_timeout="2s", command_timeout="2s", data_timeout="2s")
    try:
        return asyncio.run(mail.send(notes(mail, sample_digest())[0], at=NOW))
    except DeliveryError as error:
        return error


def test_the_mail_is_kept_as_we_wrote_it(tmp_path: Path) -> None:
    with smtp_sink(tmp_path) as port:
        receipt = outcome(port)
        dumped = [path for path in tmp_path.iterdir() if path.stat().st_size > 1000]
    mail = message_from_bytes(dumped[0].read_bytes(), policy=policy.default)

    assert isinstance(receipt, Receipt)
    assert len(dumped) == 1
    assert mail["Subject"].startswith("7 stories")
    assert mail["X-Watcher-Severity"] == "critical"
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds[:4] == ["multipart/alternative", "text/plain", "multipart/related", "text/html"]
    assert set(kinds[4:]) == {"image/png"}


def test_mails_that_wait_together_reach_postfix_over_one_connection(tmp_path: Path) -> None:
    async def drain(port: int) -> list[Receipt]:
        mail = receiver(port)
        (note,) = notes(mail, sample_digest(kind=DigestKind.ALERT))
        async with mail.kept(at_once):
            return [await mail.send(note, at=NOW) for _ in range(3)]

    with smtp_sink(tmp_path) as port:
        receipts = asyncio.run(drain(port))
        dumped = [path.read_bytes() for path in tmp_path.iterdir()]

    assert all(receipt.detail.startswith("250") for receipt in receipts)
    assert sum(whole.count(b"X-Watcher-Kind: alert") for whole in dumped) == 3


@pytest.mark.parametrize("phase", ["CONNECT", "MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("-r", TemporaryDeliveryError),
        ("-f", PermanentDeliveryError),
        ("-q", TemporaryDeliveryError),
    ],
    ids=["soft", "hard", "disconnect"],
)
def test_postfix_faults_are_told_apart(
    tmp_path: Path, phase: str, fault: str, kind: type[DeliveryError]
) -> None:
    with smtp_sink(tmp_path, fault, phase) as port:
        error = outcome(port)

    assert type(error) is kind
