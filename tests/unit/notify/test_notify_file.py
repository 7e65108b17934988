"""Digests as files, whole or not at all."""

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest

from watcher.errors import PermanentDeliveryError, TemporaryDeliveryError
from watcher.model import Notification
from watcher.notify.file import Receiver, Settings, write_whole
from watcher.notify.settings import Tools
from watcher.render.sample import sample_digest
from watcher.render.templates import TemplateRenderer

TEMPLATES = Path(__file__).parents[3] / "templates"
DIGEST = sample_digest()


def receiver(root: Path, **keys: Any) -> Receiver:
    door: Any = None
    tools = Tools(door, TemplateRenderer([TEMPLATES]), root, io.StringIO())
    settings = {"id": "x", "type": "file", "folder": "out", **keys}
    return Receiver(Settings.model_validate(settings), tools)


def note(made: Receiver) -> Notification:
    return Notification(
        key=DIGEST.key,
        receiver="x",
        kind=DIGEST.kind,
        subject=DIGEST.title,
        payload=made.compose(DIGEST)[0].payload,
        created_at=DIGEST.at,
        due_at=DIGEST.at,
    )


def write(made: Receiver) -> None:
    asyncio.run(made.send(note(made), at=DIGEST.at))


def test_every_format_is_a_file_named_by_time_and_key(tmp_path: Path) -> None:
    write(receiver(tmp_path, formats=["html", "txt", "json"]))
    names = sorted(path.name for path in (tmp_path / "out").iterdir())

    assert [Path(name).suffix for name in names] == [".html", ".json", ".txt"]
    assert len({Path(name).stem for name in names}) == 1
    assert names[0].startswith("20260529T220000Z-")


def test_writing_twice_gives_the_same_files(tmp_path: Path) -> None:
    made = receiver(tmp_path)
    write(made)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    write(made)

    assert before == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}


def test_the_json_file_holds_the_digest(tmp_path: Path) -> None:
    write(receiver(tmp_path, formats=["json"]))
    (path,) = (tmp_path / "out").iterdir()

    assert json.loads(path.read_text())["stories"][1]["title"] == DIGEST.stories[1].title


def test_a_page_for_browsers_lists_every_report(tmp_path: Path) -> None:
    write(receiver(tmp_path, formats=["html"]))
    (path,) = (tmp_path / "out").iterdir()
    html = path.read_text()

    assert "<details" in html
    assert all(report.url in html for story in DIGEST.stories for report in story.reports)


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.txt"
    write_whole(path, b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="space"):
        write_whole(path, b"new")

    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.txt"]


def test_a_full_disk_is_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(TemporaryDeliveryError, match="No space"):
        write(receiver(tmp_path))


def test_a_folder_that_is_a_file_parks(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")

    with pytest.raises(PermanentDeliveryError) as caught:
        write(receiver(tmp_path))
    assert caught.value.park
