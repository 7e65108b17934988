"""How much two texts speak of the same thing. Pure.

`similarity(a, b)` is the documented measure; grouping uses the same weights with
document frequencies learned from the stream.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

from watcher.stories.features import content_terms


class Frequencies:
    """How many texts a term occurs in; rare terms tell more."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._texts = 0

    def learn(self, terms: Iterable[str]) -> None:
        self._texts += 1
        self._counts.update(set(terms))
        if len(self._counts) > 500_000:
            self._forget()

    def _forget(self) -> None:
        """Halve everything and drop what was seen once: memory stays bounded over years."""
        self._counts = Counter({t: n // 2 for t, n in self._counts.items() if n > 1})
        self._texts //= 2

    def weight(self, term: str) -> float:
        """Smooth inverse document frequency, about 1 for a word everyone uses."""
        # The prior keeps a young stream from calling every word rare or common.
        return 1.0 + math.log((self._texts + 50) / (self._counts[term] + 5))


def cosine(left: Mapping[str, float], right: Mapping[str, float]) -> float:
    """Of two sparse vectors; 0 when either is empty."""
    if len(left) > len(right):
        left, right = right, left
    dot = sum(weight * right[term] for term, weight in left.items() if term in right)
    if not dot:
        return 0.0
    return dot / math.sqrt(sum(w * w for w in left.values()) * sum(w * w for w in right.values()))


def similarity(a: str, b: str) -> float:
    """Of two headlines or texts, in [0, 1]; symmetric, 1 for the same words.

    Half is how many telling words are shared, half how alike the spelling of the
    rest is, so that `launch` and `launches`, `Kyiv` and `Kiev` still count.
    """
    left, right = content_terms(a), content_terms(b)
    if not left or not right:
        return 1.0 if a.strip() == b.strip() else 0.0
    return (_soft_share(left, right) + _soft_share(right, left)) / 2


def _soft_share(terms: list[str], others: list[str]) -> float:
    total = found = 0.0
    for term in terms:
        weight = 1.0 + min(len(term), 8) / 8 + (0.5 if any(c.isdigit() for c in term) else 0.0)
        total += weight
        found += weight * max(_alike(term, other) for other in others)
    return found / total


def _alike(left: str, right: str) -> float:
    if left == right:
        return 1.0
    if left.isdigit() or right.isdigit():
        return 0.0
    pairs = _pairs(left), _pairs(right)
    shared = len(pairs[0] & pairs[1])
    dice = 2 * shared / (len(pairs[0]) + len(pairs[1])) if shared else 0.0
    return dice if dice >= 0.6 else 0.0


def _pairs(word: str) -> set[str]:
    padded = f"^{word}$"
    return {padded[n : n + 2] for n in range(len(padded) - 1)}
