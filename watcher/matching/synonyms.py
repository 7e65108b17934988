"""Which of a concept's many phrases may stand in a text? Asked by its words, not phrase by phrase."""

from collections.abc import Callable, Iterator, Set

from watcher.rules import clauses as c


class Synonyms:
    """The phrases of a term, under what their first word must be or begin with, if that is known."""

    def __init__(self, term: c.Any) -> None:
        #: Kept, because an id is only unique while its object lives.
        self.term = term
        self._words: dict[str, list[c.Phrase]] = {}
        self._beginnings: dict[int, dict[str, list[c.Phrase]]] = {}
        self._any_word: list[c.Phrase] = []
        for phrase in _phrases(term):
            first = phrase.words[0]
            if first.stems:
                self._any_word.append(phrase)
                continue
            for form in first.forms:
                self._words.setdefault(form, []).append(phrase)
            if not first.forms:
                known = self._beginnings.setdefault(len(first.prefix), {})
                known.setdefault(first.prefix, []).append(phrase)

    def present(self, words: Set[str], beginnings: Callable[[int], Set[str]]) -> list[c.Phrase]:
        """Phrases whose first word is there, each once, in no order.

        `beginnings` gives the first letters of every word, as many as it is asked for.
        """
        found = {id(p): p for word in self._words.keys() & words for p in self._words[word]}
        found.update((id(p), p) for p in self._any_word)
        for size, known in self._beginnings.items():
            for start in known.keys() & beginnings(size):
                found.update((id(p), p) for p in known[start])
        return [*found.values()]


def _phrases(term: c.Clause) -> Iterator[c.Phrase]:
    if isinstance(term, c.Phrase):
        yield term
    elif isinstance(term, c.Any):
        for part in term.parts:
            yield from _phrases(part)


_KEPT: dict[int, Synonyms] = {}
_LIMIT = 10_000


def synonyms_of(term: c.Any) -> Synonyms:
    """Made once per term; rules share the terms of a concept."""
    known = _KEPT.get(id(term))
    if known is None:
        if len(_KEPT) >= _LIMIT:
            _KEPT.clear()
        known = _KEPT[id(term)] = Synonyms(term)
    return known
