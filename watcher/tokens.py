"""One tokeniser for rules and articles. Standard library only.

Text is folded (compatibility forms, case, accents), a token is a run of letters
and digits, `'s` and hyphens are boundaries, and scripts written without spaces
give one token per character, so that a phrase there is a substring.

Folding works on segments (a character with the marks that follow it), so the
fast form without positions and the exact form with them give the same tokens.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_NO_SPACES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_SPACELESS = re.compile(f"([{_NO_SPACES}])")

# Only accents that readers leave out. All of category Mn would turn Japanese GA
# into KA and drop Thai and Hindi vowels.
_ACCENTS = re.compile(
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f\u0591-\u05c7\u064b-\u065f\u0670]"
)
# Letters whose stroke or ligature Unicode does not decompose.
_STROKES = str.maketrans("łøđħŧıð", "lodhtid")
_LIGATURES = {"æ": "ae", "œ": "oe", "þ": "th"}

_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06ed\u0900-\u0903\u093a-\u094f\u3099\u309a\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\uff9e\uff9f"
)
# A run that must be normalised as one: base and marks, or the parts of a Hangul syllable.
_SEGMENT = re.compile(f"[\u1100-\u11ff]+|[^\x00-\x7f][{_MARKS}]*")
_NON_ASCII = re.compile("[^\x00-\x7f]+")
# The quote comes first, so that the search can jump from quote to quote.
_POSSESSIVE = re.compile(r"['\u2019\u02bc\uff07](?<=\w.)[sS](?!\w)", re.DOTALL)
_ASCII = [chr(c).lower() if chr(c).isalnum() else " " for c in range(128)]
# Bytes above 127 belong to letters that are folded already.
_TABLE = "".join(_ASCII).encode() + bytes(range(128, 256))
_MEMO_LENGTH = 32
_CHUNK = re.compile(r"[^\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+")


class Token(NamedTuple):
    """A folded word; `[start, end)` are character offsets into the original text."""

    text: str
    start: int
    end: int


def is_spaceless(word: str) -> bool:
    """One character of a script written without spaces, and so less than a word."""
    return _SPACELESS.fullmatch(word) is not None


def fold_tokens(text: str) -> list[str]:
    """The folded words in order, without positions: the hot path."""
    return _split(_POSSESSIVE.sub("  ", text))


def _split(text: str) -> list[str]:
    return fold_chunk(text).translate(_TABLE).decode().split()


def fold_chunk(text: str) -> bytes:
    """UTF-8 in which only ASCII separators and case are left to do; possessives are gone before.

    The same for a whole text as for its parts, if no part begins with a mark.
    """
    return (text if text.isascii() else _NON_ASCII.sub(_fold_run, text)).encode()


def tokenise(text: str) -> list[Token]:
    """The same words as `fold_tokens`, each with its place in `text`."""
    plain = _POSSESSIVE.sub("  ", text)
    if plain.isascii():
        return [Token(found[0].lower(), *found.span()) for found in _CHUNK.finditer(plain)]
    tokens: list[Token] = []
    for chunk in _CHUNK.finditer(plain):
        word, start = chunk.group(), chunk.start()
        if word.isascii():
            tokens.append(Token(word.lower(), start, chunk.end()))
        else:
            tokens += _words_of(word, start)
    return tokens


def _words_of(chunk: str, offset: int) -> list[Token]:
    """The words of a run without ASCII separators; other scripts may end words inside it."""
    if chunk.isalnum() and len(words := _split(chunk)) == 1:
        return [Token(words[0], offset, offset + len(chunk))]
    tokens: list[Token] = []
    word: list[str] = []
    start = end = 0
    for left, right, folded in _pieces(chunk):
        for n, part in enumerate(folded.split(" ")):
            if n and word:
                tokens.append(Token("".join(word), offset + start, offset + end))
                word = []
            if part:
                start = start if word else left
                word.append(part)
                end = right
    if word:
        tokens.append(Token("".join(word), offset + start, offset + end))
    return tokens


def _pieces(chunk: str) -> Iterator[tuple[int, int, str]]:
    at = 0
    for found in _SEGMENT.finditer(chunk):
        left, right = found.span()
        if at < left:
            yield at, left, chunk[at:left].lower()
        yield left, right, _fold_segment(found.group())
        at = right
    if at < len(chunk):
        yield at, len(chunk), chunk[at:].lower()


def _fold_run(found: re.Match[str]) -> str:
    run = found.group()
    return _fold_word(run) if len(run) <= _MEMO_LENGTH else _fold_text(run)


def _fold_text(run: str) -> str:
    return "".join(map(_fold_segment, _SEGMENT.findall(run)))


# Bounded in count and, by `_fold_run`, in length: hostile text costs time but never memory.
_fold_word = lru_cache(maxsize=100_000)(_fold_text)


@lru_cache(maxsize=50_000)
def _fold_segment(segment: str) -> str:
    """Folded letters; a space where a word ends; nothing for invisible characters."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", segment).casefold())
    text = _ACCENTS.sub("", text)
    text = unicodedata.normalize("NFC", text)
    out = []
    for char in text:
        category = unicodedata.category(char)
        if char in _LIGATURES:
            out.append(_LIGATURES[char])
        elif category == "Cf" or "\ufe00" <= char <= "\ufe0f":
            continue
        elif char.isalnum() or category[0] == "M":
            out.append(char.translate(_STROKES))
        else:
            out.append(" ")
    return _SPACELESS.sub(r" \1 ", "".join(out))
