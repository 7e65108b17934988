"""What an article is about, as weighted terms in any script. Pure."""

import re
from array import array
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

from watcher.model import Article
from watcher.stories.lexicon import MEANINGS, PLACES, THINGS
from watcher.tokens import fold_tokens

TITLE_WEIGHT = 2.0
LEAD_WORDS = 90
SHINGLE = 4
# Fewer words name a section, not an article; whatever comes later in a long address is tracking.
ADDRESS_WORDS = 3
MOST_ADDRESS = 500

_BETWEEN = re.compile(r"[-_+]")
# `Kim` and `kim`, but not `CBMiXk`.
_ADDRESS_WORD = re.compile(r"[A-Za-z][a-z]{1,19}")
_SPACELESS = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")

_STOP = frozenset(
    """
    a about after again against all also am an and any are as at be because been before being between
    both but by can could did do does doing down during each few for from further had has have having
    he her here hers him his how i if in into is it its just may might more most must my new no nor not
    now of off on once one only or other our out over own said same says say she should since so some
    such than that the their them then there these they this those through to told too two under until
    up upon us very was we were what when where which while who whom why will with would you your
    der die das den dem des ein eine einer eines einem einen und oder mit von zu zum zur im am auf fur
    ist sind war hat haben wird nach bei aus uber als auch es er sie sich nicht
    le la les un une des du de et ou en au aux dans par pour sur avec est sont a ete qui que ce cette
    ses son sa il elle ne pas plus selon el los las una unos unas y o del al con por para es son fue ha
    han que se su sus no mas como segun
    и в во на с со по к о об от до за из у что как это не его ее их он она они был была были для при а
    но же ли бы или
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
# Initials that tokenising would take apart, or take for a pronoun or an article.
_INITIALS = (
    (re.compile(r"\bU\.S\.(?:A\.)?|\bUS\b"), " usa "),
    (re.compile(r"\bU\.N\.|\bUN\b"), " unitednations "),
    (re.compile(r"\bU\.K\."), " uk "),
    (re.compile(r"(?<=\d),(?=\d{3})"), ""),
)
_SUFFIXES = ("ingly", "edly", "ing", "ied", "ies", "ed", "es", "s", "ly")


@dataclass(frozen=True, slots=True)
class Features:
    """`terms` weigh what the article says; `shingles` and `headline` recognise the same text again.

    Both are checksums: thousands of open reports are held, and strings would be most of it.
    """

    terms: dict[str, float]
    shingles: "array[int]"
    headline: int


def features_of(article: Article) -> Features:
    """Title words count double; the body speaks with its first paragraphs only, and the link adds
    what its readable part says besides."""
    terms: dict[str, float] = {}
    for term in map(_party, content_terms(article.title)):
        terms[term] = terms.get(term, 0.0) + TITLE_WEIGHT
    body = fold_tokens(_spell(article.text[:4000]))[:LEAD_WORDS]
    for term in map(_party, _content(body)):
        terms[term] = terms.get(term, 0.0) + 1.0
    headline = fold_tokens(article.title)
    weights = {t: 1.0 + min(w - 1.0, 3.0) * 0.5 for t, w in terms.items()}
    for term in map(_party, content_terms(address_words(article.url))):
        weights.setdefault(term, 1.0)
    told = fold_tokens(article.text[:4000])[:200]
    return Features(weights, _shingles(headline + told), _checksum(headline))


def address_words(url: str) -> str:
    """The words in the part of an address that says most; "" when none is a headline.

    Editors shorten a headline and leave the longer one in the link.
    """
    best: list[str] = []
    for part in url[:MOST_ADDRESS].split("?", 1)[0].split("/")[3:]:
        named = _BETWEEN.split(part.partition(".")[0])
        words = [word for word in named if _ADDRESS_WORD.fullmatch(word)]
        best = max(best, words, key=len)
    return " ".join(best) if len(best) >= ADDRESS_WORDS else ""


def content_terms(text: str) -> list[str]:
    """The telling words of a text, in order; scripts without spaces give pairs of characters."""
    return _content(fold_tokens(_spell(text)))


def _spell(text: str) -> str:
    for initials, word in _INITIALS:
        text = initials.sub(word, text)
    return text


def _content(words: list[str]) -> list[str]:
    terms = []
    for n, word in enumerate(words):
        if len(word) == 1 and _SPACELESS.match(word):
            following = words[n + 1] if n + 1 < len(words) else ""
            if len(following) == 1 and _SPACELESS.match(following):
                terms.append(word + following)
        elif word not in _STOP and (len(word) > 1 or word.isdigit()):
            terms.append(stem(word))
    return terms


def meaning(term: str) -> str:
    """The term that stands for all that say the same: `moscow` and `russian` are `russia`."""
    return _MEANINGS.get(term, term)


def _party(term: str) -> str:
    """Grouping takes countries, things and number words for one: verbs are too often two events."""
    same = meaning(term)
    return same if same in PLACES or same in THINGS or same.isdigit() else term


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """English endings off; other words keep their form."""
    if not word.isascii() or len(word) < 5 or word[0].isdigit():
        return word
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            base = word[: -len(suffix)]
            if suffix in {"ied", "ies"}:
                return base + "y"
            if suffix == "s" and word.endswith(("ss", "us", "is")):
                return word
            return base[:-1] if len(base) > 4 and base[-1] == base[-2] else base.removesuffix("e")
    return word.removesuffix("e")


def _shingles(words: list[str]) -> "array[int]":
    """Runs of words, each once."""
    runs = range(max(len(words) - SHINGLE + 1, 1))
    return array("I", sorted({_checksum(words[n : n + SHINGLE]) for n in runs}))


def _checksum(words: list[str]) -> int:
    return crc32(" ".join(words).encode())


# Terms are stems; a word's own entry wins over the stem of another.
_MEANINGS = {stem(word): first for word, first in MEANINGS.items()} | MEANINGS
