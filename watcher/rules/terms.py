"""Strings of a rule as phrases, folded by the same code as the articles."""

import re
from dataclasses import replace
from functools import lru_cache

from watcher.rules.clauses import Phrase, Word
from watcher.rules.stems import stem_of
from watcher.tokens import fold_tokens, tokenise

# Letters of no living script carry the wildcards through folding, so that the rest of
# a term is folded exactly as an article is.
_ANY, _ONE = "\ua66e", "\u16a0"
_MARKS = str.maketrans({"*": _ANY, "?": _ONE})
_ENGLISH = re.compile(r"[a-z]{3,}$")
MIN_PREFIX = 3


class TermError(ValueError):
    """What is wrong with a term, and what to do."""

    def __init__(self, what: str, todo: str) -> None:
        self.what = what
        self.todo = todo
        super().__init__(f"{what}: {todo}")


@lru_cache(maxsize=200_000)
def phrase(text: str, *, plurals: bool = True, stems: tuple[str, ...] = ()) -> Phrase:
    """Raises `TermError` for an empty term or a wildcard in the wrong place.

    `stems` names languages whose endings don't matter.

    The same text gives the same object: rules say the same things again and again.
    """
    tokens = fold_tokens(text.translate(_MARKS))
    # Scripts without spaces give one token a letter: a wildcard after one is moot.
    tokens = [token for token in tokens if token.strip(_ANY)]
    if not tokens:
        raise TermError(f"{text!r} has no word in it", "write at least one letter or digit")
    words = [_word(token, text, alone=len(tokens) == 1) for token in tokens]
    if plurals:
        words[-1] = _with_plural(words[-1])
    if stems and len(written := tokenise(text)) == len(words):
        pairs = zip(words, written, strict=True)
        words = [_with_stems(word, text[t.start : t.end], stems) for word, t in pairs]
    return Phrase(tuple(words), text)


def _word(token: str, whole: str, *, alone: bool) -> Word:
    if _ANY not in token and _ONE not in token:
        return _plain(token)
    star = token.endswith(_ANY)
    body = token.rstrip(_ANY)
    if _ANY in body:
        raise TermError(f"{whole!r} has a * inside a word", "use * only at a word's end")
    letters = body.split(_ONE)[0]
    if len(letters) < MIN_PREFIX and (alone or not letters) and letters.isascii():
        raise TermError(
            f"{whole!r} has only {len(letters)} letters before its wildcard",
            "write at least three, or list the words",
        )
    shown = body.replace(_ONE, "?") + ("*" if star else "")
    pattern = _pattern(body, ".*" if star else "") if _ONE in body else ""
    return Word(shown, prefix=letters, pattern=pattern)


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


def _with_stems(word: Word, written: str, languages: tuple[str, ...]) -> Word:
    if not word.forms or len(word.text) < MIN_PREFIX:
        return word
    return replace(word, stems=tuple((lang, stem_of(written, lang)) for lang in languages))


def _pattern(word: str, end: str) -> str:
    return "".join("." if letter == _ONE else re.escape(letter) for letter in word) + end
