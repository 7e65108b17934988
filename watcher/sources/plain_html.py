"""Text of markup that is written as it should be, without building a tree: most of what feeds carry.

Gives exactly what the tree would give, or None: a test compares the two over the parser
suites and over made-up markup. Tables, scripts, frames, misnested blocks, odd
references and stray `<` all need the tree.
"""

import html
import re
from functools import lru_cache
from html.entities import html5

# A tag with well-written attributes, or a comment. Possessive throughout, so linear.
_TAG = re.compile(
    r"""<(/?[a-z][a-z0-9]*+)"""
    r"""(?:\s++[a-zA-Z_:@][\w:.\-]*+(?:=(?:"[^"]*+"|'[^']*+'|[^\s"'<>=`]++))?+)*+\s*+/?>"""
    r"""|<!--(?!-?>)[^-]*+(?:-(?!-)[^-]*+)*+-->"""
)
_REFERENCE = re.compile(r"&(#?\w*+;?)")
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_LISTS = {"li": frozenset(("ul", "ol")), "dd": frozenset(("dl",)), "dt": frozenset(("dl",))}
_TERMS = frozenset(("dd", "dt"))
_INLINE = frozenset(
    str.split(
        """a abbr acronym b big cite code del dfn em font i img ins kbd mark picture q s samp
        small source span strike strong sub sup time tt u var wbr"""
    )
)
_NESTING = _HEADINGS | frozenset(
    str.split(
        """address article aside blockquote dd div dl dt figcaption figure footer header li main
        nav ol pre section ul"""
    )
)
_PARAGRAPH = "\n\n"
# What stands for a tag in the text; a paragraph closes itself, and its end alone is an empty one.
_MARKS: dict[str | None, str] = {None: "", "br": "\n", "/br": "\n", "hr": _PARAGRAPH}
_MARKS |= {f"{slash}{name}": "" for name in _INLINE for slash in ("", "/")}
_MARKS |= {f"{slash}{name}": _PARAGRAPH for name in _NESTING | {"p"} for slash in ("", "/")}
_BORDERS = frozenset(f"{slash}{name}" for name in _NESTING for slash in ("", "/"))
_MAX_DEPTH = 200


def plain_text(markup: str) -> str | None:
    """Text with blank lines between blocks, uncleaned; None when it takes a tree to tell."""
    if "\0" in markup or "\r" in markup:
        return None
    pieces = _TAG.split(markup)
    tags = pieces[1::2]
    try:
        pieces[1::2] = [_MARKS[tag] for tag in tags]
    except KeyError:
        return None
    text = "".join(pieces)
    if "<" in text or not _nests([tag for tag in tags if tag in _BORDERS]):
        return None
    return _unescaped(text)


def _nests(borders: list[str]) -> bool:
    """Whether blocks lie in each other as they are written."""
    blocks: list[str] = []
    return all(_close(tag[1:], blocks) if tag[0] == "/" else _open(tag, blocks) for tag in borders)


def _open(name: str, blocks: list[str]) -> bool:
    """The items of a list close each other; all else must fit into what is open."""
    top = blocks[-1] if blocks else ""
    if name in _LISTS:
        if top == name or (top in _TERMS and name in _TERMS):
            blocks.pop()
        elif top not in _LISTS[name] and not _LISTS.keys().isdisjoint(blocks):
            return False
    elif name in _HEADINGS and top in _HEADINGS:
        return False
    blocks.append(name)
    return len(blocks) < _MAX_DEPTH


def _close(name: str, blocks: list[str]) -> bool:
    while blocks and blocks[-1] != name and blocks[-1] in _LISTS and name not in _LISTS:
        blocks.pop()
    if not blocks or blocks[-1] != name:
        return False
    blocks.pop()
    return True


def _unescaped(text: str) -> str | None:
    if "&" not in text:
        return text
    if not all(map(_is_sound, set(_REFERENCE.findall(text)))):
        return None
    return html.unescape(text)


@lru_cache(maxsize=4096)
def _is_sound(reference: str) -> bool:
    """Whether every reader takes `&` + `reference` for the same character, or for no reference."""
    if not reference.startswith("#"):
        return not reference or (reference in html5 and reference.endswith(";"))
    digits = reference[1:-1]
    if not reference.endswith(";") or not digits.isascii() or len(digits) > 7:
        return False
    try:
        number = int(digits[1:], 16) if digits[:1] in {"x", "X"} else int(digits)
    except ValueError:
        return False
    return (
        number in {9, 10}
        or 32 <= number < 127
        or 160 <= number < 0xD800
        or 0xE000 <= number < 0xFDD0
    )
