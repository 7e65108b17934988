"""Markup to plain text; paragraphs stay apart by a blank line."""

import html
import re

from selectolax.lexbor import LexborHTMLParser

from watcher.sources.limits import MAX_DEPTH, MAX_MARKUP, costly_markup
from watcher.sources.plain_html import plain_text
from watcher.text import clean_line, clean_text

_TAG = re.compile(r"<[a-zA-Z/!?]")
_ENTITY = re.compile(r"&(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
_BLOCKS = (
    "address, article, aside, blockquote, dd, div, dl, dt, figcaption, figure, footer, form, "
    "h1, h2, h3, h4, h5, h6, header, hr, li, main, nav, ol, p, pre, section, table, td, th, tr, ul"
)
_DROPPED = "script, style, template, noscript, iframe, svg, math, head, title"
# HTML reads everything after one of these as its inside; XHTML habits close it at once, or never.
_EMPTY = re.compile(r"<(iframe|script|style|noscript|textarea|title)\b[^<>]*/>", re.IGNORECASE)
_FRAME = re.compile(r"<iframe\b[^<>]*>", re.IGNORECASE)
_BARE = re.compile(r"<(script|style)\b.*?(?:</\1\b[^<>]*>|\Z)|<[^<>]*>", re.IGNORECASE | re.DOTALL)
MAX_HTML = 300_000
# How many tags of plain markup one of a tree is worth.
_TREE = 5


class Markup:
    """Reads the texts of one document.

    Markup costs 0.3 µs a tag, and 3 µs where it takes a tree. What is beyond `MAX_MARKUP` keeps
    its words and loses its paragraphs.
    """

    def __init__(self) -> None:
        self._left = MAX_MARKUP

    def text(self, markup: str) -> str:
        """What a reader would see. Plain text passes through."""
        if not markup:
            return ""
        if "<" not in markup or not _TAG.search(markup):
            return clean_text(html.unescape(markup) if _ENTITY.search(markup) else markup)
        text = self._read(markup[:MAX_HTML])
        return clean_text("\n".join(map(str.strip, text.split("\n"))))

    def line(self, markup: str) -> str:
        """A title: tags gone, entities decoded once, on one line."""
        if ("<" in markup or "&" in markup) and (_TAG.search(markup) or _ENTITY.search(markup)):
            return clean_line(self.text(markup))
        return clean_line(markup)

    def _read(self, markup: str) -> str:
        tags = markup.count("<")
        if self._affords(tags):
            if (text := plain_text(markup)) is not None:
                return text
            if self._affords(tags * _TREE) and not (
                tags > MAX_DEPTH and costly_markup(markup.encode("utf-8", "replace"))
            ):
                return _text_by_tree(markup)
        return html.unescape(_BARE.sub(" ", markup))

    def _affords(self, cost: int) -> bool:
        if cost > self._left:
            return False
        self._left -= cost
        return True


def html_to_text(markup: str) -> str:
    """One text by itself."""
    return Markup().text(markup)


def html_to_line(markup: str) -> str:
    """One title by itself."""
    return Markup().line(markup)


def _text_by_tree(markup: str) -> str:
    """As a browser reads it, however it is written."""
    # Our own paragraph mark: block borders become newlines before text is taken.
    tree = LexborHTMLParser(_without_open_frames(markup))
    for node in tree.css(_DROPPED):
        node.decompose()
    for node in tree.css("br"):
        node.replace_with("\n")
    for node in tree.css(_BLOCKS):
        node.insert_before("\n\n")
        node.insert_after("\n\n")
    body = tree.body
    return body.text(deep=True) if body is not None else ""


def _without_open_frames(markup: str) -> str:
    markup = _EMPTY.sub("", markup)
    return markup if "</iframe" in markup.lower() else _FRAME.sub("", markup)
