"""How close articles and groups of them are, from weighted words. Pure."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

#: Of a group's words only so many are kept: bounded memory however much is said.
MOST_TERMS = 400
# One word in common is chance more often than not, and always where there are few to share.
ONE_WORD = 0.5
FEW_WORDS = 4

Vector = dict[str, float]


def unit(terms: Vector, weight: Callable[[str], float]) -> Vector:
    """The terms times their weight, scaled to length 1: long texts count no more than short ones."""
    weighted = {term: count * weight(term) for term, count in terms.items()}
    length = math.sqrt(sum(value * value for value in weighted.values())) or 1.0
    return {term: value / length for term, value in weighted.items()}


@dataclass(slots=True)
class Centre:
    """The sum of a group's unit vectors: all that averages over every pair of articles need.

    `square` is its squared length, `articles` how many were added, `words` their terms in all.
    """

    terms: Vector = field(default_factory=dict)
    square: float = 0.0
    articles: int = 0
    words: int = 0

    def add(self, vector: Vector, articles: int = 1, words: int | None = None) -> None:
        """One article's unit vector, or another centre's terms."""
        for term, weight in vector.items():
            before = self.terms.get(term)
            if before is None and len(self.terms) >= MOST_TERMS:
                continue
            self.terms[term] = after = (before or 0.0) + weight
            self.square += after * after - (before or 0.0) ** 2
        self.articles += articles
        self.words += len(vector) if words is None else words

    def absorb(self, other: "Centre") -> None:
        """Take another group in; its heaviest words first, should they not all fit."""
        heaviest = dict(sorted(other.terms.items(), key=lambda item: (-item[1], item[0])))
        self.add(heaviest, other.articles, other.words)


def centre_of(vectors: Iterable[Vector]) -> Centre:
    """The group of these articles."""
    made = Centre()
    for vector in vectors:
        made.add(vector)
    return made


def closeness(left: Centre, right: Centre) -> float:
    """In [0, 1]: between the average similarity of all pairs and the cosine of the two centres.

    The average alone holds groups that tell one event in many words for loose, the
    cosine alone lets them grow into subjects.
    """
    small, big = (left, right) if len(left.terms) <= len(right.terms) else (right, left)
    theirs = big.terms.get
    shared = [weight * other for term, weight in small.terms.items() if (other := theirs(term))]
    single = len(shared) == 1 < len(small.terms)
    if not shared or (single and len(small.terms) <= FEW_WORDS):
        return 0.0
    dot = sum(shared)
    average = dot / (left.articles * right.articles)
    cosine = dot / math.sqrt(left.square * right.square)
    close = math.sqrt(max(average * cosine, 0.0))
    return close * ONE_WORD if single else close


def shared_words(left: Centre, right: Centre, most: int = 5) -> list[str]:
    """The words that speak most for the two being one event; for people to read."""
    shared = left.terms.keys() & right.terms.keys()
    return sorted(shared, key=lambda t: (-left.terms[t] * right.terms[t], t))[:most]
