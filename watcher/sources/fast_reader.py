"""A tree of RSS or Atom to records as feedparser makes them: its state machine, for the usual elements.

`feed` and each of `entries` are dictionaries of feedparser's shape, with dates already read.
Where its outcome hangs on things that are not kept here, `Declined` is raised.
"""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

from watcher.sources.fast_names import UNKNOWN, Declined, Names, attributes_of

Record = dict[str, Any]
Handler = Callable[["Reader", ET.Element], None]
_MAX_DEPTH = 200


class Reader:
    """Reads one document; `into` is the record that elements are stored in at the moment."""

    def __init__(
        self, names: Names, feed_handlers: dict[str, Handler], entry_handlers: dict[str, Handler]
    ) -> None:
        self.names = names
        self.feed: Record = {}
        self.entries: list[Record] = []
        self.into: Record = self.feed
        self.entry: Record | None = None
        self.lang: str | None = None
        self.version = ""
        self.depth = 0
        # A title at this depth or further inside is another's, or a second one.
        self.title_depth = -1
        # After full content a description is a description; else a second one is the content.
        self.has_content = False
        self._depths: dict[str, int] = {}
        self._feed_handlers, self._entry_handlers = feed_handlers, entry_handlers

    def read(self, root: ET.Element, version: str) -> None:
        self.version = version
        self.lang = self.language(root)
        kind = self.names[root.tag]
        if self.lang and kind != "rdf_rdf":
            self.feed["language"] = self.lang.replace("_", "-")
        if kind == "feed":
            self.walk(root, self._feed_handlers)
            return
        for child in root:
            name = self.names[child.tag]
            if name == "channel":
                self._inside(child, self._feed_handlers)
            elif name in {"item", "image", "textinput"}:
                self._feed_handlers[name](self, child)
            elif name != UNKNOWN or len(child):
                raise Declined(name)

    def read_entry(self, element: ET.Element) -> None:
        if self.entry is not None:
            raise Declined("item in item")
        entry: Record = {}
        self.into = self.entry = entry
        self.entries.append(entry)
        self._depths = {}
        self.title_depth = -1
        if about := attributes_of(element.attrib).get("rdf:about"):
            entry["id"] = about
        self._inside(element, self._entry_handlers)
        if links := entry.get("links"):
            entry["enclosures"] = [found for found in links if found["rel"] == "enclosure"]
        self.into, self.entry, self.has_content = self.feed, None, False

    def _inside(self, element: ET.Element, handlers: dict[str, Handler]) -> None:
        given = attributes_of(element.attrib)
        if "href" in given or "lastmod" in given:
            raise Declined("cdf")
        outer, self.lang = self.lang, self.language(element)
        self.walk(element, handlers)
        self.lang = outer

    def walk(self, parent: ET.Element, handlers: dict[str, Handler]) -> None:
        """Children in order; what has no meaning is looked through for what has."""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise Declined("depth")
        names = self.names
        for child in parent:
            handler = handlers.get(names[child.tag])
            if handler is not None:
                handler(self, child)
            elif len(child):
                outer, self.lang = self.lang, self.language(child)
                self.walk(child, handlers)
                self.lang = outer
        self.depth -= 1

    def language(self, element: ET.Element) -> str | None:
        given = attributes_of(element.attrib)
        for name in ("xml:lang", "lang"):
            if name in given:
                return given[name] or None
        return self.lang

    def store(self, key: str, value: str) -> None:
        """An element nearer to the item beats one further inside; among equals the last."""
        if self.into is self.entry:
            if self.depth > self._depths.get(key, self.depth):
                return
            self._depths[key] = self.depth
        self.into[key] = value

    def detail(self, key: str, element: ET.Element) -> None:
        language = self.language(element)
        self.into[key] = {"language": language.replace("_", "-")} if language else None
