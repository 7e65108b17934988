"""What a feed document may cost before it is refused (RELIABILITY §3 B).

Parsers spend 10–30 µs a tag, and some of them the square of nesting, attributes or
namespaces, so these are counted first: 10 MB are judged in half a second.
"""

import re
from collections import Counter
from itertools import islice

from watcher.errors import ParseError

MAX_ENTRIES = 5_000
MAX_DEPTH = 256
# For the strict parser; the tolerant one takes 40 µs for what is 1 µs there.
MAX_TAGS = 150_000
MAX_TOLERANT_TAGS = 30_000
# feedparser makes five copies of a document.
MAX_TOLERANT_BYTES = 8 * 1024 * 1024
# Tags in its texts.
MAX_MARKUP = 1_000_000
MAX_ALL_ATTRIBUTES = 300_000
MAX_SECTIONS = 100_000
MAX_PREFIXES = 200
MAX_ATTRIBUTES = 2_000
MAX_CATEGORIES = 200
MAX_KEYWORDS = 10_000
MAX_NAME = 1_000
MAX_TEXT = 4 * 1024 * 1024

_ENTITY_DECLARATION = re.compile(rb"<!ENTITY", re.IGNORECASE)
_PIECE = re.compile(rb"<(/?)([A-Za-z_][\w.:-]*)([^<]*)")
# What is left of a tag after its name; the text behind it does not count.
_INSIDE = re.compile(rb"(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+")
_QUOTED = re.compile(rb"=\s*[\"']")
_PREFIX = re.compile(rb"xmlns:([\w.-]+)")
# Before the root: space, instructions, comments, and what else begins with `<!`.
PROLOG = re.compile(
    rb"(?:\s++|<\?[^>]*+>|<!--(?:[^-]|-(?!->))*+-->|<!DOCTYPE[^\[<>]*+(?:\[[^\]]*+\])?+[^<>]*+>)*+",
    re.IGNORECASE,
)
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
    if len(body) > MAX_TOLERANT_BYTES:
        raise ParseError("too_complex", f"more than {MAX_TOLERANT_BYTES} bytes in one item")
    if plain.count(b"<![CDATA[") > MAX_SECTIONS:
        raise ParseError("too_complex", f"more than {MAX_SECTIONS} CDATA sections")
    markup = _without_cdata(plain)
    if markup.count(b"<") > MAX_TOLERANT_TAGS:
        raise ParseError("too_complex", f"more than {MAX_TOLERANT_TAGS} tags")
    if markup.count(b"='") + markup.count(b'="') > MAX_ALL_ATTRIBUTES:
        raise ParseError("too_complex", f"more than {MAX_ALL_ATTRIBUTES} attributes")
    if markup.count(b"xmlns:") > MAX_PREFIXES and len(set(_PREFIX.findall(markup))) > MAX_PREFIXES:
        raise ParseError("too_complex", f"more than {MAX_PREFIXES} namespaces")
    if trouble := costly_markup(markup):
        raise ParseError("too_complex", trouble)


def ends_in_an_item(body: bytes) -> bool:
    """Whether the last item was begun and not ended; to be asked of damaged documents only."""
    begun = ended = -1
    for item in _ITEM.finditer(body):
        begun = item.start()
    for item in _ITEM_END.finditer(body, max(begun, 0)):
        ended = item.start()
    return begun > ended


def leave_out_items(body: bytes) -> tuple[bytes, int]:
    """The document with as many items as may be read, and how many are left out."""
    kept = MAX_ENTRIES
    tags = body.count(b"<")
    if tags > MAX_TOLERANT_TAGS and body.count(b"<![CDATA[") < MAX_SECTIONS:
        tags = _without_cdata(body).count(b"<")
    share = min(MAX_TOLERANT_TAGS / max(tags, 1), MAX_TOLERANT_BYTES / max(len(body), 1))
    if share < 1:
        items = sum(1 for _ in _ITEM.finditer(body))
        kept = min(kept, max(int(items * share * 0.9), 1))
    first = last = count = 0
    for found in islice(_ITEM.finditer(body), kept, None):
        last = found.start()
        first, count = first or last, count + 1
    if not count:
        return body, 0
    end = body.rfind(b"</")
    while end > last and not _ITEM_END.match(body, end):
        end = body.rfind(b"</", 0, end)
    # The last may be closed at once.
    closed = body.find(b">", max(end, last))
    return (body[:first] + body[closed + 1 :], count) if closed > 0 else (body, 0)


def split_prolog(body: bytes) -> tuple[bytes, bytes]:
    """What stands before the root, and the rest: feedparser takes the square of it."""
    found = PROLOG.match(body)
    end = found.end() if found else 0
    root = body.find(b"<", end)
    # What is no prolog stays, without the space that would cost so much.
    return body[:end], b" ".join(body[end:root].split()) + body[root:] if root > end else body[end:]


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
    found = _INSIDE.match(rest)
    # A quote that never closes makes an attribute of all that follows.
    inside = rest if found is None or rest[found.end() : found.end() + 1] != b">" else found[0]
    attributes = max(len(_QUOTED.findall(inside)), len(inside.partition(b">")[0].split()))
    return (
        f"a tag with more than {MAX_ATTRIBUTES} attributes" if attributes > MAX_ATTRIBUTES else ""
    )
