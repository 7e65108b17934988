"""What a spam filter makes of a digest, where SpamAssassin is installed; offline."""

import re
import shutil
import subprocess

import pytest
from test_notify_email import notes, receiver

from watcher.model import DigestKind
from watcher.notify._mime import build
from watcher.render.sample import sample_digest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("spamassassin"), reason="needs the spamassassin package"),
]


@pytest.mark.parametrize("kind", [DigestKind.DIGEST, DigestKind.ALERT])
def test_a_digest_does_not_look_like_spam(kind: DigestKind) -> None:
    mail = receiver(25, title="Korea desk", unsubscribe="https://news.example.org/u/1")
    raw = build(notes(mail, sample_digest(kind=kind))[0].payload)
    report = subprocess.run(
        ["spamassassin", "-t", "-L"], input=raw, capture_output=True, check=True, timeout=60
    ).stdout.decode("utf-8", "replace")
    score = re.search(r"Content analysis details:\s+\((-?[\d.]+) points", report)

    assert score
    assert float(score[1]) < 1.0
