"""Whole web pages, which are hostile: decoded, without scripts, and refused before they cost much."""

import re

from selectolax.lexbor import LexborHTMLParser

from watcher.errors import ParseError
from watcher.sources.encoding import Decoded, to_utf8
from watcher.sources.limits import MAX_DEPTH, costly_markup

ACCEPT = "text/html, application/xhtml+xml;q=0.9"
# Lists of a year are a tenth of it.
MAX_PAGE = 4 * 1024 * 1024
# A tree takes 2 µs for a tag, and the square of what is nested.
MAX_PAGE_TAGS = 150_000
_CHARSET = re.compile(rb"<meta\b[^<>]{0,500}?charset\s*=\s*[\"']?([\w-]{2,40})", re.IGNORECASE)
# Without an end they swallow all that follows, as in a browser.
_UNREAD = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|svg|template)\b.*?(?:</\1\b[^>]*(?:>|\Z)|\Z)",
    re.IGNORECASE | re.DOTALL,
)
# Tags that pages leave open by right, which then are no nesting.
_NEVER_CLOSED = re.compile(
    rb"</?(?:td|th|tr|tbody|thead|tfoot|caption|col|colgroup|dt|dd|option|optgroup|rt|rp|link|area|"
    rb"base|embed|param|track|frame|input|source|wbr|html|body)(?=[\s/>])[^<>]*>",
    re.IGNORECASE,
)


def decoded_page(body: bytes, content_type: str | None) -> Decoded:
    """By what the server says, then the page itself."""
    kind = content_type or "text/html"
    named = _CHARSET.search(body[:4096])
    if named and "charset" not in kind.lower():
        kind = f"{kind}; charset={named[1].decode()}"
    return to_utf8(body, kind)


def plain_markup(text: str) -> str:
    """Without scripts and comments; raises `ParseError` for what a parser would be long about."""
    if len(text) > MAX_PAGE:
        raise ParseError("too_complex", f"a page of more than {MAX_PAGE // 1024 // 1024} MiB")
    markup = _UNREAD.sub(" ", text)
    if markup.count("<") > MAX_PAGE_TAGS:
        raise ParseError("too_complex", f"a page of more than {MAX_PAGE_TAGS} tags")
    if markup.count("<") > MAX_DEPTH and (
        trouble := costly_markup(_NEVER_CLOSED.sub(b" ", markup.encode("utf-8", "replace")))
    ):
        raise ParseError("too_complex", trouble)
    return markup


def tree_of(body: bytes, content_type: str | None) -> tuple[LexborHTMLParser, Decoded]:
    """A page as a browser reads it; raises `ParseError`."""
    document = decoded_page(body, content_type)
    return LexborHTMLParser(plain_markup(document.body.decode("utf-8", "replace"))), document
