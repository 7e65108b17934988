"""Strings of a rule as phrases, folded by the same code as the articles."""

import re

from watcher.rules.clauses import Phrase, Word
from watcher.tokens import fold_tokens

_WILD_WORD = re.compile(r"\S*[*?]\S*")
_ENGLISH = re.compile(r"[a-z]{3,}$")
MIN_PREFIX = 3


class TermError(ValueError):
    """What is wrong with a term, and what to do."""

    def __init__(self, what: str, todo: str) -> None:
        self.what = what
        self.todo = todo
        super().__init__(f"{what}: {todo}")


def phrase(text: str, *, plurals: bool = True) -> Phrase:
    """Raises `TermError` for an empty term or a wildcard in the wrong place."""
    words: list[Word] = []
    for piece in text.split():
        if _WILD_WORD.fullmatch(piece):
            words += _wild(piece, text)
        else:
            words += [_plain(token) for token in fold_tokens(piece)]
    # Folding the whole again catches a possessive or hyphen that splitting by spaces can't see.
    if not words:
        raise TermError(f"{text!r} has no word in it", "write at least one letter or digit")
    if plurals:
        words[-1] = _with_plural(words[-1])
    return Phrase(tuple(words), text)


def _plain(token: str) -> Word:
    return Word(token, frozenset((token,)))


def _with_plural(word: Word) -> Word:
    """`satellite` also finds `satellites`; `city`, `cities`; `launch`, `launches`."""
    text = word.text
    if word.prefix or word.pattern or not _ENGLISH.match(text):
        return word
    if text.endswith("y") and text[-2] not in "aeiou":
        plural = text[:-1] + "ies"
    elif text.endswith(("s", "x", "z", "ch", "sh")):
        plural = text + "es"
    else:
        plural = text + "s"
    return Word(text, frozenset((text, plural)))


def _wild(piece: str, whole: str) -> list[Word]:
    star = piece.endswith("*")
    body = piece[:-1] if star else piece
    if "*" in body:
        raise TermError(f"{whole!r} has a * inside a word", "use * only at a word's end")
    parts = fold_tokens(body.replace("?", "\ue000"))
    # A private-use letter survives no folding; keep it by hand where `?` stood.
    if "?" in body:
        parts = _fold_with_marks(body)
    if not parts:
        raise TermError(f"{whole!r} has no letters before its wildcard", "write at least three")
    *before, last = parts
    letters = last.split("?")[0]
    if (star or "?" in last) and len(letters) < MIN_PREFIX and letters.isascii():
        raise TermError(
            f"{whole!r} has only {len(letters)} letters before its wildcard",
            "write at least three, or list the words",
        )
    if star:
        tail = Word(last + "*", prefix=letters, pattern=_pattern(last, ".*") if "?" in last else "")
    elif "?" in last:
        tail = Word(last, prefix=letters, pattern=_pattern(last, ""))
    else:
        tail = _plain(last)
    return [*map(_plain, before), tail]


def _fold_with_marks(body: str) -> list[str]:
    pieces = [" ".join(fold_tokens(part)) for part in body.split("?")]
    return "?".join(pieces).split()


def _pattern(word: str, end: str) -> str:
    return "".join("." if c == "?" else re.escape(c) for c in word) + end
