"""What a feed document may cost before it is refused (RELIABILITY §3 B)."""

import re

from watcher.errors import ParseError

MAX_ENTRIES = 5_000
MAX_DEPTH = 256
MAX_TAGS = 2_000_000

_ENTITY_DECLARATION = re.compile(rb"<!ENTITY", re.IGNORECASE)
_ENTITY_WIDE = re.compile(
    "<!ENTITY".encode("utf-16-le") + b"|" + "<!ENTITY".encode("utf-16-be"), re.IGNORECASE
)


def refuse_hostile_xml(body: bytes) -> None:
    """Raise `ParseError` for entity declarations and absurd nesting, before any XML parser runs."""
    head = body[:1_000_000]
    if _ENTITY_DECLARATION.search(head) or _ENTITY_WIDE.search(head):
        raise ParseError("entity_declaration", "the feed declares XML entities, which none needs")
    if body.count(b"<") > MAX_TAGS:
        raise ParseError("too_complex", f"more than {MAX_TAGS} tags")
    depth = _depth(body)
    if depth > MAX_DEPTH:
        raise ParseError("too_complex", f"tags nested deeper than {MAX_DEPTH}")


def _depth(body: bytes) -> int:
    """An upper estimate of nesting: opening tags in a row without a closing one."""
    depth = deepest = 0
    for piece in body.split(b"<"):
        if piece[:1] == b"/":
            depth = max(depth - 1, 0)
        elif piece[:1].isalpha() or piece[:1] == b"_":
            closed = piece.partition(b">")[0].endswith(b"/")
            if not closed:
                depth += 1
                deepest = max(deepest, depth)
    return deepest
