"""OPML 1.0 and 2.0 (opml.org/spec2.opml): lists of feeds, read as other readers write them, and written.

What plain OPML has no word for stands in attributes of the namespace `urn:watcher:opml`, named
like the keys of feeds.yaml; a value that is no text is JSON. Reading what was written gives the
same feeds. Headers are never written nor read: they are secrets.
"""

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from xml.parsers import expat

from watcher.errors import ParseError
from watcher.sources.encoding import to_utf8
from watcher.sources.html import html_to_line
from watcher.sources.limits import refuse_hostile_xml
from watcher.sources.naming import address_of
from watcher.text import clean_line

NAMESPACE = "urn:watcher:opml"
NESTED = " / "
MAX_BYTES = 10 * 1024 * 1024
MAX_TITLE = 300
MAX_GROUP = 200
_MAX_PATH = 20
_NEVER = "headers"
# An outline that breaks the XML is cut out, so many times; a file with more is no XML.
_MAX_CUTS = 50
_E = expat.errors
_CUTTABLE = {
    expat.errors.codes[name]
    for name in (_E.XML_ERROR_INVALID_TOKEN, _E.XML_ERROR_DUPLICATE_ATTRIBUTE, _E.XML_ERROR_BAD_CHAR_REF)
}  # fmt: skip
_BEFORE_ROOT = re.compile(rb"[\xef\xbb\xbf\xff\xfe\s]*(?:<\?xml\b[^>]*>\s*)?")
# What people write by hand: addresses with a bare `&`, and the names of HTML.
_BARE_AMPERSAND = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});)")
_CONTROLS = bytes(range(9)) + b"\x0b\x0c" + bytes(range(14, 32))
_NO_CONTROLS = bytes.maketrans(_CONTROLS, b" " * len(_CONTROLS))
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FEED_TYPES = frozenset(("rss", "atom", "rdf", "rss1", "rss2", "feed", "json"))

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outline:
    """A feed of the file and its line; `entry` has keys of feeds.yaml, an `id` only if the file names one."""

    line: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Trouble:
    """What could not be read, and where."""

    line: int
    what: str


@dataclass(frozen=True, slots=True)
class Opml:
    """A list of feeds in the order of the file; entries are not yet checked."""

    feeds: tuple[Outline, ...]
    troubles: tuple[Trouble, ...]


def read_opml(body: bytes) -> Opml:
    """Raises `ParseError` for what is no OPML, hostile, or broken beyond single outlines."""
    if len(body) > MAX_BYTES:
        raise ParseError("too_large", f"more than {MAX_BYTES // 1024 // 1024} MiB")
    document = to_utf8(body, None).body
    refuse_hostile_xml(document)
    before = _BEFORE_ROOT.match(body[:4000].replace(b"\0", b""))
    first = before[0].count(b"\n") if before else 0
    text = _BARE_AMPERSAND.sub(b"&amp;", document.translate(_NO_CONTROLS))
    cuts: list[Trouble] = []
    while True:
        reader = _Reader(first)
        try:
            reader.read(text)
        except expat.ExpatError as error:
            trouble = Trouble(
                first + error.lineno, f"not well-formed: {expat.ErrorString(error.code)}"
            )
            cut = _without_outline(text, reader.position) if error.code in _CUTTABLE else None
            if cut is None or len(cuts) >= _MAX_CUTS:
                raise ParseError("bad_xml", f"line {trouble.line}: {trouble.what}") from error
            text = cut
            cuts.append(trouble)
        else:
            troubles = sorted((*cuts, *reader.troubles), key=lambda t: t.line)
            return Opml(tuple(reader.feeds), tuple(troubles))


def _without_outline(text: bytes, position: int) -> bytes | None:
    """The text without the outline at `position`, on as many lines; None when there is none."""
    start = text.rfind(b"<outline", 0, position + 1)
    ends = [at for tag in (b"<outline", b"</") if (at := text.find(tag, start + 1)) > start]
    if start < 0 or not ends:
        return None
    piece = text[start : min(ends)]
    return text[:start] + b"\n" * piece.count(b"\n") + text[min(ends) :]


@dataclass(slots=True)
class _Reader:
    """One pass of expat; `first` is how many lines stand before the text."""

    first: int
    feeds: list[Outline] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    _depth: int = 0
    _prefix: str = ""
    # For each open outline its name as a group; a feed is none.
    _groups: list[str] = field(default_factory=list)
    _parser: Any = None

    @property
    def position(self) -> int:
        return int(self._parser.ErrorByteIndex)

    def read(self, text: bytes) -> None:
        self._parser = parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.EntityDeclHandler = self._refuse
        parser.Parse(text, True)

    @staticmethod
    def _refuse(*_: object) -> None:
        raise ParseError("entity_declaration", "the file declares XML entities, which none needs")

    def _start(self, name: str, given: dict[str, str]) -> None:
        kind = name.lower()
        if self._depth == 0:
            if kind != "opml":
                raise ParseError(
                    "not_opml", f"the file begins with <{clean_line(name, 40)}>, not <opml>"
                )
            bound = (k[6:] for k, v in given.items() if k.startswith("xmlns:") and v == NAMESPACE)
            self._prefix = next(bound, "")
        self._depth += 1
        if kind == "outline":
            self._groups.append(self._outline({k.lower(): v for k, v in given.items()}))

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name.lower() == "outline":
            self._groups.pop()

    def _outline(self, given: Mapping[str, str]) -> str:
        """Keeps a feed; gives the name that its children are grouped under."""
        line = self.first + self._parser.CurrentLineNumber
        kind = given.get("type", "").strip().lower()
        if kind == "include":
            self.troubles.append(
                Trouble(line, "another list is included: fetch and import it by itself")
            )
            return ""
        if _address(given):
            groups = [name for name in self._groups if name]
            self.feeds.append(Outline(line, entry_of(given, groups, self._prefix)))
            return ""
        name = _label(given.get("title") or given.get("text") or "", MAX_GROUP)
        if kind in _FEED_TYPES:
            self.troubles.append(Trouble(line, f"{name or 'a feed'}: no address (xmlUrl)"))
        elif kind == "link":
            self.troubles.append(Trouble(line, f"{name or 'a link'}: a link, no feed"))
        return name


def entry_of(given: Mapping[str, str], groups: Sequence[str], prefix: str) -> Entry:
    """An outline's attributes, in lower case, as an entry of feeds.yaml."""
    own: Entry = {}
    if prefix:
        start = f"{prefix.lower()}:"
        own = {k.removeprefix(start): _value(v) for k, v in given.items() if k.startswith(start)}
        own.pop(_NEVER, None)
    url = _address(given)
    # Without a title other readers show the text; ours is then the id.
    title = _label(given.get("title") or ("" if "id" in own else given.get("text", "")), MAX_TITLE)
    group = NESTED.join(groups) or _category(given.get("category", ""))
    plain: Entry = {"url": url}
    if title and title != url:
        plain["title"] = title
    if group:
        plain["group"] = group
    return plain | own


def _address(given: Mapping[str, str]) -> str:
    """OPML 1.0 has feeds with `url`; in 2.0 that is a page, or another list."""
    kind = given.get("type", "").strip().lower()
    url = given.get("xmlurl") or (given.get("url", "") if kind in _FEED_TYPES else "")
    url = url.strip()
    return address_of(url) if url.lower().startswith("feed:") else url


def _label(text: str, limit: int) -> str:
    return clean_line(html_to_line(text), limit)


def _category(text: str) -> str:
    """The first of OPML 2.0's `/a/b,/c`."""
    parts = text.partition(",")[0].split("/")
    return _label(NESTED.join(part.strip() for part in parts if part.strip()), MAX_GROUP)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


# ── writing ──────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Folder:
    feeds: list[str] = field(default_factory=list)
    folders: dict[str, "_Folder"] = field(default_factory=dict)

    def lines(self, indent: str) -> Iterable[str]:
        for feed in self.feeds:
            yield f"{indent}<outline{feed}/>"
        for name, folder in self.folders.items():
            yield f"{indent}<outline{_written({'text': name, 'title': name})}>"
            yield from folder.lines(indent + "  ")
            yield f"{indent}</outline>"


def write_opml(entries: Iterable[Mapping[str, Any]], *, created: datetime) -> str:
    """OPML 2.0; feeds stand in their groups, in the order of each group's first feed."""
    root = _Folder()
    for entry in entries:
        path = _path(str(entry.get("group") or ""))
        folder = root
        for name in path:
            folder = folder.folders.setdefault(name, _Folder())
        folder.feeds.append(_written(_attributes(entry, path)))
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<opml version="2.0" xmlns:watcher="{NAMESPACE}">',
            "  <head>",
            "    <title>Feeds of watcher</title>",
            f"    <dateCreated>{format_datetime(created)}</dateCreated>",
            "  </head>",
            "  <body>",
            *root.lines("    "),
            "  </body>",
            "</opml>",
            "",
        )
    )


def _path(group: str) -> list[str]:
    """Its folders from outside in; a group that would not read back as such is one folder."""
    parts = group.split(NESTED)
    if all(part and _label(part, MAX_GROUP) == part for part in parts) and len(parts) < _MAX_PATH:
        return parts
    whole = _label(group, MAX_GROUP)
    return [whole] if whole else []


def _attributes(entry: Mapping[str, Any], path: Sequence[str]) -> dict[str, str]:
    """What every reader knows, and in our namespace what that alone would not bring back."""
    name, title, url = (str(entry.get(key) or "") for key in ("id", "title", "url"))
    given = {
        "type": "rss",
        "text": _label(title, MAX_TITLE) or name,
        "xmlUrl": _NOT_XML.sub("", url),
    }
    if shown := _label(title, MAX_TITLE):
        given["title"] = shown
    plain = entry_of({k.lower(): v for k, v in given.items()} | {"w:id": name}, path, "w")
    own = {
        f"watcher:{key}": _encoded(value)
        for key, value in entry.items()
        if key != _NEVER and (key == "id" or plain.get(key) != value)
    }
    return given | own


def _encoded(value: Any) -> str:
    """Text as it is, unless it would be read as JSON or XML can't hold it."""
    if isinstance(value, str) and not _NOT_XML.search(value) and _value(value) is value:
        return value
    return json.dumps(value)


def _written(attributes: Mapping[str, str]) -> str:
    return "".join(f' {name}="{_escaped(value)}"' for name, value in attributes.items())


def _escaped(text: str) -> str:
    escaped = html.escape(_NOT_XML.sub("", text))
    return re.sub("[\t\n\r]", lambda found: f"&#{ord(found[0])};", escaped)
