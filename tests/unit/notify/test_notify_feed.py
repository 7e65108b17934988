"""Alerts as a feed that other readers can follow."""

import asyncio
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import feedparser
import pytest

from watcher.model import Digest, Notification
from watcher.notify.feed import Receiver, Settings
from watcher.notify.settings import Tools
from watcher.render.sample import sample_digest
from watcher.render.templates import TemplateRenderer

TEMPLATES = Path(__file__).parents[3] / "templates"
DIGEST = sample_digest()


def publish(root: Path, *digests: Digest, **keys: Any) -> Path:
    door: Any = None
    tools = Tools(door, TemplateRenderer([TEMPLATES]), root, io.StringIO())
    settings = {"id": "x", "type": "feed", "folder": "feed", "title": "Desk", **keys}
    made = Receiver(Settings.model_validate(settings), tools)
    for digest in digests:
        note = Notification(
            key=digest.key,
            receiver="x",
            kind=digest.kind,
            subject=digest.title,
            payload=json.loads(json.dumps(made.compose(digest)[0].payload)),
            created_at=digest.at,
            due_at=digest.at,
        )
        asyncio.run(made.send(note, at=digest.at))
    return root / "feed"


@pytest.mark.parametrize("name", ["atom.xml", "rss.xml"])
def test_readers_find_every_alert(tmp_path: Path, name: str) -> None:
    found = feedparser.parse((publish(tmp_path, DIGEST) / name).read_bytes())

    assert not found.bozo
    assert {entry.link for entry in found.entries} == {story.url for story in DIGEST.stories}
    assert found.feed.title == "Desk"


def test_the_json_feed_holds_every_alert(tmp_path: Path) -> None:
    feed = json.loads((publish(tmp_path, DIGEST) / "feed.json").read_text())

    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert {item["url"] for item in feed["items"]} == {story.url for story in DIGEST.stories}


def test_sending_twice_changes_nothing(tmp_path: Path) -> None:
    folder = publish(tmp_path, DIGEST)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    publish(tmp_path, DIGEST)

    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_oldest_alerts_make_room(tmp_path: Path) -> None:
    later = replace(
        DIGEST,
        at=DIGEST.at.replace(day=30),
        stories=tuple(replace(story, alert=f"{story.alert}-2") for story in DIGEST.stories),
    )
    feed = json.loads((publish(tmp_path, DIGEST, later, keep=9) / "feed.json").read_text())

    assert len(feed["items"]) == 9
    assert sum(item["id"].endswith("-2") for item in feed["items"]) == 7


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"items": [1]}', '{"items": [{"id": 3}]}'])
def test_a_damaged_memory_is_begun_anew(tmp_path: Path, damage: str) -> None:
    (tmp_path / "feed").mkdir()
    (tmp_path / "feed" / "feed.json").write_text(damage)
    feed = json.loads((publish(tmp_path, DIGEST) / "feed.json").read_text())

    assert len(feed["items"]) == 7


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    story = replace(DIGEST.stories[0], title="]]><script>&\x00\x1b", publisher="<b>", passages=())
    folder = publish(tmp_path, replace(DIGEST, stories=(story,)))
    atom = Xml.fromstring((folder / "atom.xml").read_text())
    title = atom.find("{*}entry/{*}title")
    content = atom.find("{*}entry/{*}content")

    assert title is not None
    assert title.text == "]]><script>&"
    assert content is not None
    assert "&lt;b&gt;" in (content.text or "")
