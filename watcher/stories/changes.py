"""How two stories come to share reports: they merge, or a young one splits. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from watcher.model import Story
from watcher.stories.centre import Vector

# Halves that share so much less between than within were joined by chance, or by one roundup.
APART = 0.2
LEAST = 2


class ChangeKind(StrEnum):
    """How two stories came to share reports."""

    MERGED = "merged"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class StoryChange:
    """Two stories turned out to be one, or one to be two.

    `story` keeps its id: it is the older. `other` is gone (merged) or new (split off);
    `articles` are those that moved, `words` what both speak of (merged) or what each does.
    """

    kind: ChangeKind
    story: Story
    other: Story
    at: datetime
    similarity: float
    articles: tuple[str, ...]
    words: tuple[str, ...] = ()


def split_point(vectors: Sequence[Vector]) -> tuple[int, ...]:
    """Positions of the reports that belong elsewhere; empty when the story holds together.

    The two halves are what joining the most alike, by the average over all pairs, leaves at
    last. The half with the first report keeps the story.
    """
    alike = [[_dot(one, other) for other in vectors] for one in vectors]
    halves = _halves(alike)
    if len(halves) != 2 or min(map(len, halves)) < LEAST:
        return ()
    between = _average(alike, halves[0], halves[1])
    within = min(_average(alike, half, half) for half in halves)
    if between >= APART * within:
        return ()
    return next(tuple(sorted(half)) for half in halves if 0 not in half)


def _halves(alike: Sequence[Sequence[float]]) -> list[tuple[int, ...]]:
    groups: list[tuple[int, ...]] = [(n,) for n in range(len(alike))]
    while len(groups) > 2:
        pairs = [(a, b) for b in range(len(groups)) for a in range(b)]
        # Of equals the first pair: the same reports always fall into the same halves.
        a, b = max(pairs, key=lambda pair: _average(alike, groups[pair[0]], groups[pair[1]]))
        joined = (*groups[a], *groups[b])
        groups = [g for n, g in enumerate(groups) if n not in (a, b)] + [joined]
    return groups


def _average(alike: Sequence[Sequence[float]], left: Sequence[int], right: Sequence[int]) -> float:
    """Of all pairs; an article with itself is no pair."""
    pairs = [alike[a][b] for a in left for b in right if a != b]
    return sum(pairs) / max(len(pairs), 1)


def _dot(left: Vector, right: Vector) -> float:
    theirs = right.get
    return sum(weight * other for term, weight in left.items() if (other := theirs(term)))
