"""Which phrases of a list find nothing that the others do not find, for lists of thousands."""

from collections.abc import Iterator, Mapping, Sequence

from watcher.rules import clauses as c
from watcher.rules.implies import covers
from watcher.rules.walk import phrases


def superfluous(parts: Sequence[c.Clause]) -> Iterator[tuple[c.Clause, c.Clause]]:
    """(wide, narrow) for each phrase that another part covers; of two that find the same, the later."""
    by_word = _Index(parts)
    place = {id(part): n for n, part in reversed([*enumerate(parts)])}
    for n, part in enumerate(parts):
        if not isinstance(part, c.Phrase):
            continue
        if place[id(part)] != n:
            yield part, part
            continue
        wide = next((w for w in by_word.near(part) if _adds_nothing(part, w, place)), None)
        if wide is not None:
            yield wide, part


def _adds_nothing(narrow: c.Phrase, wide: c.Clause, place: Mapping[int, int]) -> bool:
    if wide is narrow or not _holds_in(wide, narrow):
        return False
    same = isinstance(wide, c.Phrase) and covers(narrow, wide)
    return not same or place[id(wide)] < place[id(narrow)]


def _holds_in(wide: c.Clause, narrow: c.Phrase) -> bool:
    return any(covers(phrase, narrow) for phrase in phrases(wide))


class _Index:
    """Which parts may cover a phrase: by their first words, for lists of thousands."""

    def __init__(self, parts: Sequence[c.Clause]) -> None:
        self._words: dict[str, list[c.Clause]] = {}
        self._sizes: set[int] = set()
        for part in parts:
            if not isinstance(part, c.Phrase | c.Any):
                continue
            for phrase in phrases(part):
                first = phrase.words[0]
                for key in first.forms or {first.prefix}:
                    self._words.setdefault(key, []).append(part)
                if first.prefix:
                    self._sizes.add(len(first.prefix))

    def near(self, phrase: c.Phrase) -> Iterator[c.Clause]:
        for word in phrase.words:
            for form in word.forms or {word.prefix}:
                yield from self._words.get(form, ())
                for size in self._sizes:
                    if size < len(form):
                        yield from self._words.get(form[:size], ())
