"""What a feed document may cost before it is refused (RELIABILITY §3 B).

Parsers spend 10–30 µs a tag, and some of them the square of nesting or attributes,
so both are counted first: 10 MB are judged in about a second.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from watcher.errors import ParseError

MAX_ENTRIES = 5_000
MAX_DEPTH = 256
MAX_TAGS = 400_000
MAX_ATTRIBUTES = 2_000
MAX_TEXT = 4 * 1024 * 1024

_ENTITY_DECLARATION = re.compile(rb"<!ENTITY", re.IGNORECASE)
_PIECE = re.compile(rb"<(/?)([A-Za-z_][\w.:-]*)([^<]*)")
_QUOTED = re.compile(rb"=\s*[\"']")
_ITEM = re.compile(rb"<(?:\w+:)?(?:item|entry)[\s/>]", re.IGNORECASE)
_ITEM_END = re.compile(rb"</(?:\w+:)?(?:item|entry)\s*>", re.IGNORECASE)
# HTML that needs no closing tag; feeds carry it unescaped when they are careless.
_VOID = frozenset((b"br", b"img", b"hr", b"input", b"meta", b"wbr", b"source", b"p", b"li"))


def refuse_hostile_xml(body: bytes) -> None:
    """Raise `ParseError` for entity declarations and absurd sizes, before any XML parser runs."""
    # Without its NULs, UTF-16 and UTF-32 markup reads like ASCII.
    plain = body.replace(b"\0", b"") if b"\0" in body[:1000] else body
    if _ENTITY_DECLARATION.search(plain):
        raise ParseError("entity_declaration", "the feed declares XML entities, which none needs")
    markup = _without_cdata(plain)
    if markup.count(b"<") > MAX_TAGS:
        raise ParseError("too_complex", f"more than {MAX_TAGS} tags")
    if trouble := costly_markup(markup):
        raise ParseError("too_complex", trouble)


def leave_out_items(body: bytes) -> tuple[bytes, int]:
    """The document without its items beyond `MAX_ENTRIES`, and how many those are."""
    extra = list(islice(_starts(body), MAX_ENTRIES, None))
    end = body.rfind(b"</") if extra else 0
    while extra and end > extra[0] and not _ITEM_END.match(body, end):
        end = body.rfind(b"</", 0, end)
    if end <= (extra[0] if extra else 0):
        return body, 0
    return body[: extra[0]] + body[body.index(b">", end) + 1 :], len(extra)


def _starts(body: bytes) -> Iterator[int]:
    return (found.start() for found in _ITEM.finditer(body))


def _without_cdata(body: bytes) -> bytes:
    """Markup inside CDATA is text to XML; an unclosed section stays and is counted."""
    first, *rest = body.split(b"<![CDATA[")
    after = (part.partition(b"]]>") for part in rest)
    return first + b"".join(tail if end else text for text, end, tail in after)


def costly_markup(body: bytes) -> str:
    """What is absurd about these tags, in words; empty when nothing is.

    A closing tag also closes what was left open inside it, as tolerant parsers read it.
    """
    stack: list[bytes] = []
    still_open: Counter[bytes] = Counter()
    for found in _PIECE.finditer(body):
        closing, name, rest = found.groups()
        if len(rest) > MAX_ATTRIBUTES and (trouble := _costly_tag(rest)):
            return trouble
        if name.lower() in _VOID:
            continue
        if closing:
            while still_open[name]:
                last = stack.pop()
                still_open[last] -= 1
                if last == name:
                    break
        elif not rest.partition(b">")[0].endswith(b"/"):
            stack.append(name)
            still_open[name] += 1
            if len(stack) > MAX_DEPTH:
                return f"tags nested deeper than {MAX_DEPTH}"
    return ""


def _costly_tag(rest: bytes) -> str:
    """`rest` is what follows a tag's name, up to the next tag."""
    if len(rest) > MAX_TEXT:
        return f"a text longer than {MAX_TEXT} bytes"
    # An attribute's value may hold `>`; quotes after `=` are counted beyond it too.
    attributes = max(len(_QUOTED.findall(rest)), len(rest.partition(b">")[0].split()))
    return (
        f"a tag with more than {MAX_ATTRIBUTES} attributes" if attributes > MAX_ATTRIBUTES else ""
    )
