"""What a feed document may cost before it is refused (RELIABILITY §3 B)."""

import re
from collections import Counter

from watcher.errors import ParseError

MAX_ENTRIES = 5_000
MAX_DEPTH = 256
MAX_TAGS = 2_000_000

_ENTITY_DECLARATION = re.compile(rb"<!ENTITY", re.IGNORECASE)
_NAME = re.compile(rb"[A-Za-z_][\w.:-]*")
# HTML that needs no closing tag; feeds carry it unescaped when they are careless.
_VOID = frozenset((b"br", b"img", b"hr", b"input", b"meta", b"wbr", b"source", b"p", b"li"))


def refuse_hostile_xml(body: bytes) -> None:
    """Raise `ParseError` for entity declarations and absurd nesting, before any XML parser runs."""
    # Without its NULs, UTF-16 and UTF-32 markup reads like ASCII.
    plain = body.replace(b"\0", b"") if b"\0" in body[:1000] else body
    if _ENTITY_DECLARATION.search(plain):
        raise ParseError("entity_declaration", "the feed declares XML entities, which none needs")
    if plain.count(b"<") > MAX_TAGS:
        raise ParseError("too_complex", f"more than {MAX_TAGS} tags")
    if _deeper_than(MAX_DEPTH, _without_cdata(plain)):
        raise ParseError("too_complex", f"tags nested deeper than {MAX_DEPTH}")


def _without_cdata(body: bytes) -> bytes:
    """Markup inside CDATA is text to XML; an unclosed section stays and is counted."""
    first, *rest = body.split(b"<![CDATA[")
    after = (part.partition(b"]]>") for part in rest)
    return first + b"".join(tail if end else text for text, end, tail in after)


def _deeper_than(limit: int, body: bytes) -> bool:
    """A closing tag also closes what was left open inside it, as tolerant parsers read it."""
    stack: list[bytes] = []
    still_open: Counter[bytes] = Counter()
    for piece in body.split(b"<")[1:]:
        closing = piece[:1] == b"/"
        found = _NAME.match(piece, 1 if closing else 0)
        if found is None or found[0].lower() in _VOID:
            continue
        if closing:
            while still_open[found[0]]:
                name = stack.pop()
                still_open[name] -= 1
                if name == found[0]:
                    break
        elif not piece.partition(b">")[0].endswith(b"/"):
            stack.append(found[0])
            still_open[found[0]] += 1
            if len(stack) > limit:
                return True
    return False
