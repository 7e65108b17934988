"""A rule as what an index can decide: literals joined by gates, never stricter than the rule.

A literal is a string, and its form says what it is:

    launch          a word                      \x01launch    the same in the title
    launch*         words that begin so
    space launch    words next to each other

What no literal can say (a regex, a sentence, the language) is left out, or replaced by the
weaker demand that its words are there. Such a node is not `exact`: the rule itself must
still be asked. A node can only say yes too often, also below a negation, where whatever
is not exact is dropped.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from watcher.matching.spellings import spellings
from watcher.rules import clauses as c
from watcher.rules.compile import Rule
from watcher.tokens import fold_tokens

TITLE = "\x01"
# Rules that tell what rules ask for.
SAMPLE = 5_000


class Op(IntEnum):
    """How a gate joins its nodes; the numbers are those of `kernel.c`."""

    ANY = 1
    ALL = 2
    NONE = 3
    AT_LEAST = 4
    NEAR = 5
    BEFORE = 6


class Gate(NamedTuple):
    """`number` is the count of `AT_LEAST`, the words allowed between for `NEAR` and `BEFORE`."""

    op: Op
    nodes: tuple["Node", ...]
    number: int = 0


Node: TypeAlias = str | Gate
#: The node, or None when nothing is demanded; and whether it says all that the clause says.
Lowered: TypeAlias = tuple[Node | None, bool]


class Lowering:
    """Concepts are shared between rules and lowered once; drop it with the rules."""

    def __init__(self) -> None:
        self._concepts: dict[tuple[int, str], Lowered] = {}

    def rule(self, when: c.Clause, unless: c.Clause | None) -> Lowered:
        """`when`, and none of `unless`."""
        if unless is None:
            return self.clause(when)
        return self.clause(c.All((when, c.Not((unless,)))))

    def sample(self, rules: Sequence[Rule]) -> Iterator[Node | None]:
        """What the rules ask for, or a spread of them when they are very many."""
        for rule in rules[:: len(rules) // SAMPLE + 1]:
            yield self.rule(rule.when, rule.unless)[0]

    def clause(self, clause: c.Clause, mark: str = "") -> Lowered:
        """`mark` is `TITLE` inside a scope of the title alone."""
        match clause:
            case c.Phrase():
                return _phrase(clause, mark)
            case c.Any(parts, name):
                return self._concept(clause, mark) if name else self._any(parts, mark)
            case c.All(parts):
                return self._all(parts, mark)
            case c.Not(parts):
                return self._none(parts, mark)
            case c.AtLeast(count, parts):
                return self._at_least(count, parts, mark)
            case c.Score(threshold, weighted):
                return self._score(threshold, weighted, mark)
            case c.Near():
                return self._near(clause, mark)
            case c.Same(_, terms):
                return self._all(terms, mark)[0], False
            case c.NotNear(term) | c.MinCount(term):
                return self.clause(term, mark)[0], False
            case c.Exact(text):
                # A lone s may have been part of a possessive, which has no word.
                return _gate(Op.ALL, [mark + t for t in fold_tokens(text) if t != "s"]), False
            case c.Scoped(fields, inner):
                return self._scoped(fields, inner)
            case _:
                return None, False

    def _concept(self, clause: c.Any, mark: str) -> Lowered:
        key = (id(clause), mark)
        known = self._concepts.get(key)
        if known is None:
            known = self._concepts[key] = self._any(clause.parts, mark)
        return known

    def _any(self, parts: Iterable[c.Clause], mark: str) -> Lowered:
        found = [self.clause(part, mark) for part in parts]
        nodes: list[Node] = []
        for node, _ in found:
            if node is None:
                return None, False
            nodes += node.nodes if isinstance(node, Gate) and node.op is Op.ANY else (node,)
        return _gate(Op.ANY, dict.fromkeys(nodes)), all(exact for _, exact in found)

    def _all(self, parts: Iterable[c.Clause], mark: str) -> Lowered:
        found = [self.clause(part, mark) for part in parts]
        nodes: list[Node] = []
        for node, _ in found:
            if node is not None:
                nodes += node.nodes if isinstance(node, Gate) and node.op is Op.ALL else (node,)
        return _gate(Op.ALL, dict.fromkeys(nodes)), all(exact for _, exact in found)

    def _none(self, parts: Iterable[c.Clause], mark: str) -> Lowered:
        found = [self.clause(part, mark) for part in parts]
        sure = [node for node, exact in found if exact and node is not None]
        gate = Gate(Op.NONE, tuple(sure)) if sure else None
        return gate, len(sure) == len(found)

    def _at_least(self, count: int, parts: Iterable[c.Clause], mark: str) -> Lowered:
        found = [self.clause(part, mark) for part in parts]
        nodes = [node for node, _ in found if node is not None]
        count -= len(found) - len(nodes)
        if count <= 0:
            return None, False
        gate = _gate(Op.ANY, nodes) if count == 1 else Gate(Op.AT_LEAST, tuple(nodes), count)
        return gate, all(exact for _, exact in found)

    def _score(
        self, threshold: float, weighted: Sequence[tuple[float, c.Clause]], mark: str
    ) -> Lowered:
        """Parts too light to reach the threshold together may be left out; of the rest one must hold."""
        helpful = sorted(((w, n) for n, (w, _) in enumerate(weighted) if w > 0))
        light = 0.0
        while helpful and light + helpful[0][0] < threshold:
            light += helpful.pop(0)[0]
        return self._any([weighted[n][1] for _, n in helpful], mark)[0] if helpful else None, False

    def _near(self, clause: c.Near, mark: str) -> Lowered:
        found = [self.clause(term, mark) for term in clause.terms]
        sides = [alternatives(node) if exact else () for node, exact in found]
        if mark or len(sides) != 2 or not all(sides):
            return self._all(clause.terms, mark)[0], False
        op = Op.BEFORE if clause.ordered else Op.NEAR
        return Gate(op, tuple(Gate(Op.ANY, side) for side in sides), clause.within), True

    def _scoped(self, fields: tuple[str, ...], inner: c.Clause) -> Lowered:
        if fields == ("title",):
            return self.clause(inner, TITLE)
        if not set(fields) <= {"title", "lead", "body"}:
            return None, False
        node, exact = self.clause(inner)
        # Every word of a lead is one of the body.
        return node, exact and set(fields) == {"title", "body"}


def _phrase(phrase: c.Phrase, mark: str) -> Lowered:
    *first, last = phrase.words
    if not first and len(last.forms) == 1 and not last.stems:
        return mark + next(iter(last.forms)), True
    spelled = spellings(phrase)
    if spelled is not None and not last.prefix:
        return _gate(Op.ANY, [mark + spelling for spelling in spelled]), True
    if spelled is not None and not first:
        return f"{mark}{last.prefix}*", True
    words = [_word(word, mark) for word in phrase.words]
    return _gate(Op.ALL, [node for node in words if node is not None]), False


def _word(word: c.Word, mark: str) -> Node | None:
    if word.stems:
        return None  # a stem need not be how its words begin
    if word.forms:
        return _gate(Op.ANY, [mark + form for form in sorted(word.forms)])
    return f"{mark}{word.prefix}*" if word.prefix else None


def alternatives(node: Node | None) -> tuple[str, ...]:
    """The literals of a term that is one, or any of some; empty for anything else."""
    nodes = node.nodes if isinstance(node, Gate) and node.op is Op.ANY else (node,)
    found = tuple(part for part in nodes if isinstance(part, str))
    return found if len(found) == len(nodes) else ()


def _gate(op: Op, nodes: Iterable[Node]) -> Node | None:
    """None for no nodes, the node itself for one."""
    parts = tuple(nodes)
    if len(parts) < 2:
        return parts[0] if parts else None
    return Gate(op, parts)
