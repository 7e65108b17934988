"""Publish alerts as a feed: JSON Feed, Atom and RSS files for any web server.

    - id: public-feed
      type: feed
      folder: feed                # relative to the folder of watcher.yaml
      home: https://watch.example.org/
      title: Korea desk

Writes `feed.json`, `atom.xml` and `rss.xml`, newest alerts first, at most `keep`. An
entry is one alert; its id never changes, so a digest sent twice changes nothing. The
files are replaced whole. `feed.json` is also the memory: entries live on in it.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Annotated, Any
from xml.etree import ElementTree as Xml

from pydantic import AfterValidator, Field

from watcher.errors import PermanentDeliveryError, TemporaryDeliveryError
from watcher.model import Digest, Draft, Notification, Passage, Receipt, StoryView
from watcher.notify._inert import inert
from watcher.notify._json import stamp
from watcher.notify._kit import check_endpoint, short_hash
from watcher.notify.file import IN_THE_WAY, write_all
from watcher.notify.settings import ReceiverSettings, Tools

_ATOM = "http://www.w3.org/2005/Atom"


class Settings(ReceiverSettings):
    """`home` is the address the folder is published at, or the page it belongs to."""

    folder: str = Field(min_length=1)
    home: Annotated[str, AfterValidator(check_endpoint)] = "https://watcher.invalid/"
    keep: int = Field(default=200, ge=1, le=5000)
    # Whoever can read the feed could mute.
    links: bool = False


class Receiver:
    """See the module's docstring."""

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._settings = settings
        self._folder = tools.root / settings.folder

    def compose(self, digest: Digest) -> list[Draft]:
        digest = inert(digest)
        items = [_item(story, digest) for story in digest.stories]
        if digest.notice:
            items.insert(0, _notice(digest))
        return [Draft({"items": items})]

    async def send(self, notification: Notification, *, at: datetime) -> Receipt:  # noqa: ARG002
        items = list(notification.payload["items"])
        try:
            count = await asyncio.to_thread(self._publish, items)
        except IN_THE_WAY as error:
            what = f"the folder {self._settings.folder!r} can't be written: {error.strerror}"
            raise PermanentDeliveryError(what, code="folder", park=True) from error
        except OSError as error:
            what = f"the folder {self._settings.folder!r}: {error.strerror}"
            raise TemporaryDeliveryError(what, code="disk") from error
        return Receipt(f"{count} entries")

    def _publish(self, items: Sequence[Mapping[str, Any]]) -> int:
        known = {item["id"]: item for item in (*_read(self._folder / "feed.json"), *items)}
        newest = sorted(known.values(), key=lambda item: (item["date_published"], item["id"]))
        kept = newest[::-1][: self._settings.keep]
        title = self._settings.title or f"watcher: {self._settings.id}"
        forms = {
            "feed.json": to_json_feed(title, self._settings.home, kept),
            "atom.xml": to_atom(title, self._settings.home, kept),
            "rss.xml": to_rss(title, self._settings.home, kept),
        }
        write_all(self._folder, forms)
        return len(kept)


def _read(path: Path) -> list[dict[str, Any]]:
    """What an earlier run left; a damaged file is begun anew."""
    try:
        items = json.loads(path.read_text("utf-8"))["items"]
        return [item for item in items if isinstance(item["id"], str) and item["date_published"]]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return []


def _item(story: StoryView, digest: Digest) -> dict[str, Any]:
    return {
        "id": f"urn:watcher:{story.alert}",
        "url": story.url,
        "title": f"{story.opening}{story.title}",
        "content_html": _html(story, digest),
        "date_published": stamp(digest.at),
        **({"authors": [{"name": story.publisher}]} if story.publisher else {}),
        "tags": [story.severity.value, story.rule, *story.tags],
        **({"language": lang} if (lang := _lang(story)) else {}),
    }


def _notice(digest: Digest) -> dict[str, Any]:
    return {
        "id": f"urn:watcher:{short_hash(digest.key, 20)}",
        "url": "",
        "title": digest.title,
        "content_html": f"<p>{escape(digest.notice)}</p>",
        "date_published": stamp(digest.at),
        "authors": [{"name": "watcher"}],
        "tags": [digest.kind.value],
    }


def _lang(story: StoryView) -> str | None:
    return next((report.lang for report in story.reports if report.url == story.url), None)


def _html(story: StoryView, digest: Digest) -> str:
    parts = [f"<p>{escape(story.publisher)}, {digest.clock(story.at)}</p>"]
    if story.new and story.is_follow_up:
        parts.append(f"<p><b>New:</b> {escape(' · '.join(story.new))}</p>")
    parts += [f"<blockquote>{_marked(p)}</blockquote>" for p in story.passages]
    others = [family for family in story.families if family != story.publisher]
    if others:
        parts.append(f"<p>Also reported by {escape(', '.join(others[:8]))}</p>")
    return "".join(parts)


def _marked(passage: Passage) -> str:
    out, at = "", 0
    for start, end in passage.marks:
        out += f"{escape(passage.text[at:start])}<mark>{escape(passage.text[start:end])}</mark>"
        at = end
    return out + escape(passage.text[at:])


def to_json_feed(title: str, home: str, items: Sequence[Mapping[str, Any]]) -> str:
    """JSON Feed 1.1."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": title,
        "home_page_url": home,
        "items": [{key: value for key, value in item.items() if value} for item in items],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1) + "\n"


def to_atom(title: str, home: str, items: Sequence[Mapping[str, Any]]) -> str:
    """Atom 1.0 (RFC 4287)."""
    feed = Xml.Element("feed", xmlns=_ATOM)
    _text(feed, "title", title)
    _text(feed, "id", f"urn:watcher:feed:{short_hash(home + title, 20)}")
    _text(feed, "updated", items[0]["date_published"] if items else "1970-01-01T00:00:00Z")
    Xml.SubElement(feed, "link", href=home)
    for item in items:
        entry = Xml.SubElement(feed, "entry")
        _text(entry, "id", item["id"])
        _text(entry, "title", item["title"])
        _text(entry, "updated", item["date_published"])
        if item.get("url"):
            Xml.SubElement(entry, "link", href=item["url"])
        _text(Xml.SubElement(entry, "author"), "name", item["authors"][0]["name"] or "unknown")
        for tag in item["tags"]:
            Xml.SubElement(entry, "category", term=tag)
        _text(entry, "content", item["content_html"]).set("type", "html")
    return _xml(feed)


def to_rss(title: str, home: str, items: Sequence[Mapping[str, Any]]) -> str:
    """RSS 2.0."""
    rss = Xml.Element("rss", version="2.0")
    channel = Xml.SubElement(rss, "channel")
    for name, value in (("title", title), ("link", home), ("description", title)):
        _text(channel, name, value)
    for item in items:
        entry = Xml.SubElement(channel, "item")
        _text(entry, "title", item["title"])
        if item.get("url"):
            _text(entry, "link", item["url"])
        _text(entry, "guid", item["id"]).set("isPermaLink", "false")
        at = datetime.fromisoformat(item["date_published"])
        _text(entry, "pubDate", format_datetime(at))
        for tag in item["tags"]:
            _text(entry, "category", tag)
        _text(entry, "description", item["content_html"])
    return _xml(rss)


def _text(parent: Xml.Element, name: str, text: str) -> Xml.Element:
    child = Xml.SubElement(parent, name)
    child.text = text
    return child


def _xml(root: Xml.Element) -> str:
    Xml.indent(root)
    body = Xml.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'
