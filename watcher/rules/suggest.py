"""Which words tell what a rule misses from what it should leave alone, and the other way round.

Log-odds with an informative prior (Monroe, Colaresi, Quinn 2008) over the number of texts that
hold a word or a pair of neighbours: what is common everywhere cancels out, and what is rare must
be very one-sided to count. Pure; a suggestion is for a person to judge, nothing applies it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, sqrt

from watcher.model import Article
from watcher.rules import clauses as c
from watcher.rules.walk import phrases
from watcher.tokens import fold_tokens

# The prior weighs as much as this many texts.
PRIOR = 10.0
# Standard deviations that a difference must be worth.
LEAST_Z = 1.0
LEAST_TEXTS = 2
_SHORTEST = 3


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`term` stands in `inside` of `wanted` texts and in `outside` of `others`; `z` is how sure."""

    term: str
    z: float
    inside: int
    wanted: int
    outside: int
    others: int


def contrast(
    wanted: Sequence[Article],
    others: Sequence[Article],
    background: Sequence[Article],
    *,
    known: frozenset[str] = frozenset(),
    limit: int = 8,
) -> list[Suggestion]:
    """Terms of `wanted` that are rare in `others`, the surest first.

    `background` are all texts there are; `known` are terms of the rule, which need no
    suggestion. A term stands in two of the wanted texts at least: one text has many words.
    """
    inside, outside, usual = _counts(wanted), _counts(others), _counts(background)
    found = [
        Suggestion(term, z, count, len(wanted), outside[term], len(others))
        for term, count in inside.items()
        if count >= LEAST_TEXTS and term not in known
        if (z := _z(count, len(wanted), outside[term], len(others), usual[term], len(background)))
        >= LEAST_Z
    ]
    found.sort(key=lambda s: (-s.z, -len(s.term), s.term))
    return _distinct(found)[:limit]


def terms_of(clause: c.Clause | None) -> frozenset[str]:
    """The folded phrases a rule says already."""
    return frozenset(" ".join(fold_tokens(phrase.text)) for phrase in phrases(clause))


def _z(inside: int, wanted: int, outside: int, others: int, usual: int, every: int) -> float:
    """The difference of the log-odds in standard deviations."""
    share = (usual + 0.5) / (every + 1)
    prior, against = PRIOR * share, PRIOR * (1 - share)
    left = log((inside + prior) / (wanted - inside + against))
    right = log((outside + prior) / (others - outside + against))
    return (left - right) / sqrt(1 / (inside + prior) + 1 / (outside + prior))


def _counts(articles: Iterable[Article]) -> Counter[str]:
    """In how many texts each term stands."""
    return Counter(term for article in articles for term in _terms(article))


def _terms(article: Article) -> set[str]:
    terms: set[str] = set()
    for text in (article.title, article.text):
        words = fold_tokens(text)
        terms |= {word for word in words if _says_something(word)}
        for left, right in pairwise(words):
            if _is_character(left) and _is_character(right):
                terms.add(left + right)
            elif _says_something(left) and _says_something(right):
                terms.add(f"{left} {right}")
    return terms


def _says_something(word: str) -> bool:
    return not word.isdigit() and len(word) >= (_SHORTEST if word.isascii() else 2)


def _is_character(word: str) -> bool:
    """One of a script without spaces: only with its neighbour does it say something."""
    return len(word) == 1 and not word.isascii()


def _distinct(found: list[Suggestion]) -> list[Suggestion]:
    """Of a pair and its words that say the same of the texts, the surer one is enough."""
    kept: list[Suggestion] = []
    for one in found:
        words = set(one.term.split())
        if not any(
            (words <= set(k.term.split()) or words >= set(k.term.split()))
            and (k.inside, k.outside) == (one.inside, one.outside)
            for k in kept
        ):
            kept.append(one)
    return kept
