"""How much two texts speak of the same thing. Pure.

`similarity(a, b)` is the documented measure; grouping uses the same weights with
document frequencies learned from the stream.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Protocol

from watcher.stories.features import content_terms, meaning, stem
from watcher.stories.lexicon import COMMON, PLACES

# A year's news has more words than memory should hold; those seen once in a while go first.
MOST_TERMS = 200_000


class Frequencies:
    """How many texts a term occurs in; rare terms tell more."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._texts = 0

    def learn(self, terms: Iterable[str]) -> None:
        self._texts += 1
        self._counts.update(set(terms))
        if len(self._counts) > MOST_TERMS:
            self._forget()

    def _forget(self) -> None:
        """Halve everything and drop what was seen once: memory stays bounded over years."""
        self._counts = Counter({t: n // 2 for t, n in self._counts.items() if n > 1})
        self._texts //= 2

    def weight(self, term: str) -> float:
        """Smooth inverse document frequency, next to nothing for a word every text uses."""
        # The prior keeps a young stream from calling every word rare or common.
        weight = max(math.log((self._texts + 500) / (self._counts[term] + 10)), 0.05)
        return weight / 2 if term in _COMMON_STEMS else weight


class Encoder(Protocol):
    """A model of meaning, if one is at hand; none is shipped.

    Vectors of one length each, any scale, the same for the same text. `watcher` calls
    it with as many texts as it has, so that a batch costs one call.
    """

    def encode(self, texts: Sequence[str]) -> Sequence[Sequence[float]]: ...


def similarity(a: str, b: str, encoder: Encoder | None = None) -> float:
    """Of two headlines or texts, in [0, 1]; symmetric, 1 for the same words.

    With an encoder half of it is the cosine of the two meanings, which knows paraphrases
    and other languages; the words keep names and figures apart that a model takes for one.
    """
    words = _by_words(a, b)
    return words if encoder is None or words == 1.0 else (words + _by_meaning(a, b, encoder)) / 2


def _by_meaning(a: str, b: str, encoder: Encoder) -> float:
    # In one order whatever was asked: a batch may be rounded by its place.
    left, right = encoder.encode(sorted((a, b)))
    far, wide = math.hypot(*left), math.hypot(*right)
    if not (far and wide):
        return 0.0
    cosine = sum(one / far * (other / wide) for one, other in zip(left, right, strict=True))
    return min(max(cosine, 0.0), 1.0)


def _by_words(a: str, b: str) -> float:
    """What the words say by themselves.

    Mostly the weighted share of words that say the same in both (equal stems, one
    meaning, or nearly one spelling), a little the letters of the whole; less when the
    figures or the places named contradict each other. The shares were fitted to
    people's scores (docs/decisions/0060).
    """
    # Sums of floats depend on their order; sorted, they can't tell a from b.
    left, right = sorted((content_terms(a), content_terms(b)))
    if left == right:
        return 1.0 if left or a.strip() == b.strip() else 0.0
    if not left or not right:
        return 0.0
    score = 0.87 * _shared(left, right) + 0.13 * _letters(left, right)
    score -= 0.09 * _contradict(left, right, str.isdigit)
    score -= 0.10 * _contradict(left, right, PLACES.__contains__)
    return min(max(score, 0.0), 1.0)


def _shared(left: list[str], right: list[str]) -> float:
    """Weight of the words that have a counterpart, of the weight of all."""
    total = found = 0.0
    for terms, others in ((left, right), (right, left)):
        for term in terms:
            weight = _telling(term)
            total += weight
            found += weight * max(_alike(term, other) for other in others)
    return found / total


def _telling(term: str) -> float:
    same = meaning(term)
    if same.isdigit():
        return 1.4
    if same in PLACES:
        return 1.5
    if same in _COMMON:
        return 0.6
    return 1.2 if same != term else 1.0 + min(len(term), 8) / 16


@lru_cache(maxsize=100_000)
def _alike(left: str, right: str) -> float:
    one, other = meaning(left), meaning(right)
    if left == right:
        return 1.0
    if one == other:
        return 0.8 if one in PLACES else 1.0
    if one.isdigit() or other.isdigit():
        return 0.0
    dice = _dice(_grams(left, 2), _grams(right, 2))
    if min(len(left), len(right)) > 3 and (left.startswith(right) or right.startswith(left)):
        dice = max(dice, 0.8)
    return dice if dice >= 0.6 else 0.0


def _letters(left: list[str], right: list[str]) -> float:
    return _dice(_grams(" ".join(left), 3), _grams(" ".join(right), 3))


def _contradict(left: list[str], right: list[str], kind: Callable[[str], bool]) -> bool:
    """Both name something of this kind, and nothing in common."""
    ours = {term for term in map(meaning, left) if kind(term)}
    theirs = {term for term in map(meaning, right) if kind(term)}
    return bool(ours and theirs and ours.isdisjoint(theirs))


def _dice(left: set[str], right: set[str]) -> float:
    return 2 * len(left & right) / (len(left) + len(right))


def _grams(text: str, size: int) -> set[str]:
    padded = f"^{text}$"
    return {padded[n : n + size] for n in range(max(len(padded) - size + 1, 1))}


_COMMON = frozenset(meaning(stem(word)) for word in COMMON)
_COMMON_STEMS = frozenset(map(stem, COMMON))
