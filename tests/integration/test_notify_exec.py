"""Programs that take digests on standard input."""

import asyncio
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest

from watcher.errors import DeliveryError, PermanentDeliveryError, TemporaryDeliveryError
from watcher.model import Notification, Receipt
from watcher.notify.exec import Receiver, Settings
from watcher.notify.settings import Tools
from watcher.render.sample import sample_digest
from watcher.render.templates import TemplateRenderer

TEMPLATES = Path(__file__).parents[2] / "templates"
DIGEST = sample_digest()


def run(root: Path, script: str, **keys: Any) -> Receipt | DeliveryError:
    door: Any = None
    tools = Tools(door, TemplateRenderer([TEMPLATES]), root, io.StringIO())
    settings = {"id": "x", "type": "exec", "command": ["/bin/sh", "-c", script], **keys}
    made = Receiver(Settings.model_validate(settings), tools)
    note = Notification(
        key=DIGEST.key,
        receiver="x",
        kind=DIGEST.kind,
        subject=DIGEST.title,
        payload=made.compose(DIGEST)[0].payload,
        created_at=DIGEST.at,
        due_at=DIGEST.at,
    )
    try:
        return asyncio.run(made.send(note, at=DIGEST.at))
    except DeliveryError as error:
        return error


def test_the_program_reads_the_digest(tmp_path: Path) -> None:
    """CVE-2023-1350: on standard input; nothing of a feed is in the command."""
    run(tmp_path, "cat > got.json")
    event = json.loads((tmp_path / "got.json").read_text())

    assert event["data"]["stories"][1]["title"] == DIGEST.stories[1].title


def test_a_program_that_does_not_read_is_fine(tmp_path: Path) -> None:
    assert isinstance(run(tmp_path, "exit 0"), Receipt)


def test_it_gets_no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "s3cr3t")
    run(tmp_path, "env > got")

    assert "s3cr3t" not in (tmp_path / "got").read_text()


@pytest.mark.parametrize(
    ("code", "kind", "park"),
    [
        (1, TemporaryDeliveryError, False),
        (75, TemporaryDeliveryError, False),
        (65, PermanentDeliveryError, False),
        (77, PermanentDeliveryError, True),
        (78, PermanentDeliveryError, True),
    ],
)
def test_exit_codes_say_what_to_do(
    tmp_path: Path, code: int, kind: type[DeliveryError], park: bool
) -> None:
    error = run(tmp_path, f"echo 'no\033[31m room' >&2; exit {code}")

    assert type(error) is kind
    assert getattr(error, "park", False) is park
    assert f"sh ended with {code}: no [31m room" in str(error)


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    error = run(tmp_path, "(sleep 1; touch survived) & sleep 30", timeout="0.2s")
    time.sleep(1.2)

    assert isinstance(error, TemporaryDeliveryError)
    assert error.code == "timeout"
    assert not (tmp_path / "survived").exists()


def test_a_flood_on_stderr_does_not_block(tmp_path: Path) -> None:
    error = run(tmp_path, "head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1")

    assert isinstance(error, TemporaryDeliveryError)
    assert len(str(error)) < 300
