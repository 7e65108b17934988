"""Does a clause hold? Yes or no, fast; `evaluate.holds` says the same slowly, and where.

A clause becomes a closure over a `View`: the words of some fields as a set, and as one
string in which a phrase is a substring. What needs positions asks the evaluator, but
only once its words are known to be there.
"""

from collections.abc import Callable, Iterable

from watcher.matching.document import View
from watcher.matching.evaluate import holds
from watcher.matching.spellings import is_spelled, spellings
from watcher.rules import clauses as c

Test = Callable[[View], bool]


class Tests:
    """Closures by clause; concepts are shared between rules and asked once per article."""

    def __init__(self) -> None:
        self._named: dict[int, Test] = {}
        # An id is only unique while its object lives.
        self._kept: list[c.Clause] = []

    def of(self, clause: c.Clause) -> Test:
        match clause:
            case c.Phrase():
                return _phrase(clause)
            case c.Any(parts, name):
                return self._concept(clause) if name else self._any(parts)
            case c.All(parts):
                return _every([self.of(part) for part in parts])
            case c.Not(parts):
                found = self._any(parts)
                return lambda view: not found(view)
            case c.AtLeast(count, parts):
                return self._at_least(count, parts)
            case c.Scoped(fields, inner):
                test = self.of(inner)
                return lambda view: test(view.document.view(fields))
            case c.Near(terms) | c.Same(_, terms):
                return _every([*(self.of(term) for term in terms), _exactly(clause)])
            case c.NotNear(term) | c.MinCount(term):
                return _every([self.of(term), _exactly(clause)])
            case c.Score(threshold, weighted):
                tests = [(weight, self.of(part)) for weight, part in weighted]
                return lambda view: sum(w for w, test in tests if test(view)) >= threshold
            case _:
                return _exactly(clause)

    def _concept(self, clause: c.Any) -> Test:
        known = self._named.get(id(clause))
        if known is not None:
            return known
        inner, key = self._any(clause.parts), id(clause)

        def test(view: View) -> bool:
            answer = view.answers.get(key)
            if answer is None:
                answer = view.answers[key] = inner(view)
            return answer

        self._named[key] = test
        self._kept.append(clause)
        return test

    def _any(self, parts: Iterable[c.Clause]) -> Test:
        """Single words are one set operation, however many there are."""
        words: set[str] = set()
        spellings: list[str] = []
        rest: list[Test] = []
        for part in parts:
            plain = _plain(part)
            if isinstance(part, c.Phrase) and len(part.words) == 1 and is_spelled(part.words[0]):
                words |= part.words[0].forms
            elif plain is not None:
                spellings += plain
            else:
                rest.append(self.of(part))
        return _either(frozenset(words), tuple(spellings), tuple(rest))

    def _at_least(self, count: int, parts: Iterable[c.Clause]) -> Test:
        tests = [self.of(part) for part in parts]

        def test(view: View) -> bool:
            missing = count
            for part in tests:
                if part(view):
                    missing -= 1
                    if not missing:
                        return True
            return False

        return test


def _exactly(clause: c.Clause) -> Test:
    return lambda view: holds(clause, view.document, view.fields) is not None


def _every(tests: list[Test]) -> Test:
    def test(view: View) -> bool:
        for part in tests:  # noqa: SIM110 - a generator costs more than the test
            if not part(view):
                return False
        return True

    return tests[0] if len(tests) == 1 else test


def _either(words: frozenset[str], spellings: tuple[str, ...], rest: tuple[Test, ...]) -> Test:
    def test(view: View) -> bool:
        if not words.isdisjoint(view.words):
            return True
        joined = view.joined if spellings else ""
        for spelling in spellings:
            if spelling in joined:
                return True
        for part in rest:  # noqa: SIM110
            if part(view):
                return True
        return False

    return test


def _phrase(phrase: c.Phrase) -> Test:
    spellings = _plain(phrase)
    if spellings is None:
        return _exactly(phrase)
    if len(phrase.words) == 1 and is_spelled(phrase.words[0]):
        return _either(phrase.words[0].forms, (), ())
    return _either(frozenset(), tuple(spellings), ())


def _plain(clause: c.Clause) -> list[str] | None:
    """A phrase as substrings of joined words; None when that can't express it."""
    if not isinstance(clause, c.Phrase):
        return None
    found = spellings(clause)
    end = "" if clause.words[-1].prefix else " "
    return None if found is None else [f" {spelled}{end}" for spelled in found]
