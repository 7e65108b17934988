"""Rules as a program for `kernel.c`: the same answers as `Index` and `evaluate`, compiled."""

from array import array
from collections.abc import Sequence
from itertools import accumulate, chain

from watcher.matching.document import Document
from watcher.matching.index import Candidates
from watcher.matching.lower import TITLE, Gate, Lowering, Node, Op, alternatives
from watcher.matching.required import Keys, Required, Requirements
from watcher.rules.compile import Rule
from watcher.tokens import fold_chunk

try:
    from watcher.matching._kernel import Kernel

    AVAILABLE = True
except ImportError:  # it is built where a compiler is at hand
    AVAILABLE = False

# Keys a posting can carry as its guard; a rarer demand with more of them goes without.
GUARDS = 8


class Compiled:
    """A prefilter that decides nearly every rule itself. Not thread-safe."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        program = Program(rules)
        self._always = program.always
        self._kernel = program.kernel()

    @property
    def remembered(self) -> int:
        """How many words and runs are kept from earlier articles; bounded."""
        return self._kernel.seen()

    def candidates(self, document: Document) -> Candidates:
        article = document.article
        certain, possible = self._kernel.match(article.title, article.text)
        return Candidates(certain, [*self._always, *possible] if self._always else possible)


class Program:
    """Literals, nodes and postings of a rule set, in the arrays that the kernel copies."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        #: Rules that no word can rule out.
        self.always: list[str] = []
        # Literals are counted from 1 as they come; the kernel wants them by kind.
        self._literals: dict[str, int] = {}
        self._code = array("i", [0])
        self._places: dict[tuple[int, ...], int] = {}
        self._roots = array("i")
        self._certain = bytearray()
        self._postings = (array("i"), array("i"), array("i"))
        self._names = tuple(rule.id for rule in rules)
        lowering = Lowering()
        requirements = Requirements(_itself, lowering.sample(rules))
        for number, rule in enumerate(rules):
            node, exact = lowering.rule(rule.when, rule.unless)
            required = requirements.of(node)
            if node is None or not required:
                self.always.append(rule.id)
                self._roots.append(0)
            else:
                anchor, guard = self._file(number, required)
                self._roots.append(self._root(node, anchor, guard))
            self._certain.append(exact)

    def _literal(self, literal: str) -> int:
        return self._literals.setdefault(literal, len(self._literals) + 1)

    def _file(self, rule: int, required: Sequence[Required]) -> tuple[Keys, Keys]:
        """Under the rarest demand, with the next that is small enough as a guard; both."""
        anchor, *others = required
        guard = next((r.keys for r in others if len(r.keys) <= GUARDS), frozenset())
        numbers = [*map(self._literal, guard)] if guard else [0]
        numbers = (numbers * GUARDS)[:GUARDS]
        keys, rules, guards = self._postings
        for key in anchor.keys:
            keys.append(self._literal(key))
            rules.append(rule)
            guards.extend(numbers)
        return anchor.keys, guard

    def _root(self, node: Node, anchor: Keys, guard: Keys) -> int:
        """The code of a rule, less what being looked up has proved; what its guard promises last."""
        parts = node.nodes if isinstance(node, Gate) and node.op is Op.ALL else (node,)
        asked = [part for part in parts if not anchor.issubset(alternatives(part))]
        asked.sort(key=lambda part: guard.issubset(alternatives(part)))
        return self._emit(asked[0] if len(asked) == 1 else Gate(Op.ALL, tuple(asked)))

    def _emit(self, node: Node) -> int:
        """A literal, or minus the place of the node's code; equal nodes share theirs."""
        if isinstance(node, str):
            return self._literal(node)
        code = self._gate(node)
        place = self._places.get(code)
        if place is None:
            place = self._places[code] = len(self._code)
            self._code.extend(code)
        return -place

    def _gate(self, gate: Gate) -> tuple[int, ...]:
        if gate.op in (Op.NEAR, Op.BEFORE):
            sides = [[*map(self._emit, s.nodes)] for s in gate.nodes if isinstance(s, Gate)]
            return (gate.op, gate.number, *map(len, sides), *chain.from_iterable(sides))
        refs = map(self._emit, gate.nodes)
        if gate.op is Op.AT_LEAST:
            return (gate.op, len(gate.nodes), gate.number, *refs)
        return (gate.op, len(gate.nodes), *refs)

    def kernel(self) -> "Kernel":
        for literal in list(self._literals):  # a phrase needs its words, the title's its like
            plain = literal.removeprefix(TITLE)
            self._literal(plain)
            for word in plain.split(" ") if " " in plain else ():
                self._literal(word)
        kinds: tuple[list[str], ...] = ([], [], [], [])
        for literal in self._literals:
            kinds[_kind(literal)].append(literal)
        words, prefixes, phrases, titles = kinds
        keys = {literal: n for n, literal in enumerate(chain.from_iterable(kinds), 1)}
        spelled = [[keys[word] for word in phrase.split(" ")] for phrase in phrases]
        title = array("i", bytes(4 * (len(keys) + 1)))
        for literal in titles:
            title[keys[literal[1:]]] = keys[literal]
        return Kernel(
            fold_chunk,
            str.isalnum,
            self._names,
            array("i", [0, *map(keys.__getitem__, self._literals)]),
            *_packed(words),
            *_packed([prefix[:-1] for prefix in prefixes]),
            array("i", chain.from_iterable(spelled)),
            array("i", accumulate(map(len, spelled), initial=0)),
            title,
            self._code,
            self._roots,
            self._certain,
            *self._postings,
        )


def _kind(literal: str) -> int:
    """Words, prefixes, phrases, title: the kernel's order."""
    if literal.startswith(TITLE):
        return 3
    return 2 if " " in literal else 1 if literal.endswith("*") else 0


def _packed(words: Sequence[str]) -> tuple[bytes, "array[int]"]:
    """One run of UTF-8, and where each word ends in it."""
    coded = [word.encode() for word in words]
    return b"".join(coded), array("i", accumulate(map(len, coded)))


def _itself(literal: str) -> Sequence[str]:
    return (literal,)
