"""Which open stories a topic (a rule) has: joins reports that share no words, across languages. Pure.

Two reports that one narrow rule catches within hours are most likely of one event.
That is a hint and no proof, so it needs company: a shared figure or claim, or little time.
"""

import re
from collections.abc import Iterable
from datetime import timedelta

from watcher.model import Article
from watcher.stories.claims import BROAD, claims
from watcher.tokens import fold_tokens

# Without any shared fact only a report that comes soon is taken for the same event.
CLOSE, NEAR = timedelta(hours=3), timedelta(hours=12)
# A topic with more stories than this at a time is broad: it says nothing about an event.
NARROW = 4
_NUMBER = re.compile(r"(?<!\d)\d{2,}(?!\d)")
_YEAR = re.compile(r"(19|20)\d\d")


class Topics:
    """Open stories by topic, least recently used first."""

    def __init__(self) -> None:
        self._stories: dict[str, dict[str, None]] = {}

    def note(self, story_id: str, topics: Iterable[str]) -> None:
        for topic in topics:
            held = self._stories.setdefault(topic, {})
            held.pop(story_id, None)
            held[story_id] = None

    def forget(self, story_id: str) -> None:
        for topic in [t for t, held in self._stories.items() if held.pop(story_id, 0) is None]:
            if not self._stories[topic]:
                del self._stories[topic]

    def stories(self, topics: Iterable[str]) -> list[str]:
        """Stories that share a topic, latest first; none of a broad one beyond the last few."""
        found: dict[str, None] = {}
        for topic in sorted(topics):
            for story_id in reversed([*self._stories.get(topic, ())][-2 * NARROW :]):
                found[story_id] = None
        return list(found)


def neutral_facts(article: Article) -> frozenset[str]:
    """What reads the same in any language: figures, and kinds of claim."""
    text = f"{article.title}. {article.text[:1500]}"
    # Korean and Japanese write the unit onto the figure.
    numbers = {n for n in _NUMBER.findall(" ".join(fold_tokens(text))) if not _YEAR.fullmatch(n)}
    return frozenset(numbers).union(claims(text)) - BROAD
