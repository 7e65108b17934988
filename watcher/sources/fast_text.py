"""Text of an element as feedparser hands it on, or `Declined`."""

import re
import xml.etree.ElementTree as ET
from contextlib import suppress
from xml.sax.saxutils import escape, quoteattr

from watcher.sources.fast_names import Declined, attributes_of

_TYPES = {
    "text": "text/plain",
    "plain": "text/plain",
    "text/plain": "text/plain",
    "html": "text/html",
    "text/html": "text/html",
    "xhtml": "application/xhtml+xml",
    "application/xhtml+xml": "application/xhtml+xml",
}
_XHTML = "application/xhtml+xml"
# Inside XHTML; all others either have an effect of their own on feedparser, or are rare.
_MARKUP = frozenset(
    str.split("""a abbr acronym b big blockquote br center cite code dd del div dl dt em figcaption figure
    font h1 h2 h3 h4 h5 h6 hr i img ins kbd li ol p pre q s samp small span strike strong sub sup
    table tbody td tfoot th thead tr tt u ul""")
)
_MAX_DEPTH = 100
_CP1252 = {
    code: bytes([code]).decode("cp1252")
    for code in range(0x80, 0xA0)
    if code not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}
}


def flat_text(element: ET.Element) -> str:
    """Stripped and repaired; an element inside is more than this can tell."""
    if len(element):
        raise Declined("element in a text")
    text = element.text
    return repaired(text.strip()) if text else ""


def repaired(text: str) -> str:
    """Letters that were encoded twice, and those of windows-1252 written as control characters."""
    if text.isascii():
        return text
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return text if text.isprintable() else text.translate(_CP1252)


def content(element: ET.Element, default: str, *, unwrap: bool) -> str:
    """Markup of a text construct; `unwrap`: Atom 1.0's `div` around XHTML is no part of it."""
    given = attributes_of(element.attrib)
    kind = _TYPES.get(given.get("type", default))
    if kind is None or given.get("mode", "xml") not in {"xml", "escaped"}:
        raise Declined("type of content")
    if kind != _XHTML:
        return flat_text(element)
    if unwrap and len(element) == 1 and not (element.text or "").strip():
        (child,) = element
        if _local(child) == "div" and not (child.tail or "").strip():
            element = child
            _judge(child)
    pieces: list[str] = []
    _write(element, pieces, 0)
    return repaired("".join(pieces).strip())


def _write(element: ET.Element, pieces: list[str], depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise Declined("depth")
    pieces.append(escape(element.text or ""))
    for child in element:
        name = _judge(child)
        written = (f" {key}={quoteattr(value)}" for key, value in child.attrib.items())
        pieces.append(f"<{name}{''.join(written)}>")
        _write(child, pieces, depth + 1)
        pieces.append(f"</{name}>{escape(child.tail or '')}")


def _judge(element: ET.Element) -> str:
    attributes_of(element.attrib)
    name = _local(element)
    if name not in _MARKUP:
        raise Declined("markup")
    return name


def _local(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()


_SLASHES = re.compile(r"^[A-Za-z][A-Za-z0-9+-.]*:///")
_REFERENCE = re.compile(r"&([A-Za-z0-9_]+);")


def address(text: str, *, entry: bool = False, inside: bool = False) -> str:
    """An address as feedparser leaves it: `inside` of an element rather than in an attribute."""
    if _SLASHES.match(text):
        raise Declined("slashes")
    if inside and "&" in text:
        text = text.replace("&amp;", "&") if entry else text
        text = _REFERENCE.sub(r"&\1", text)
    return text
