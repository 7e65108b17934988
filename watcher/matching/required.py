"""What a rule can't do without, cheapest first: the keys an index files it under."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from watcher.matching.lower import TITLE, Node, Op

Keys = frozenset[str]
#: The keys that must all occur where a literal does.
KeysOf = Callable[[str], Sequence[str]]

_BY_LENGTH = (10_000, 8_000, 5_000, 2_000, 800, 400, 200, 120, 80, 60, 40)
# Of a word's articles, those that have it in the title.
_TITLE_SHARE = 0.15
# Of the articles with the rarest word of a phrase, those that have the phrase.
_PHRASE_SHARE = 0.2


class Required(NamedTuple):
    """One of `keys` must occur; `cost` is how often that is expected."""

    cost: float
    keys: Keys


_cost = itemgetter(0)


class Requirements:
    """How rare a key is, is guessed: long words are, and those that few rules ask for.

    `nodes` are what the rules ask for, or enough of it to see what many ask.
    """

    def __init__(self, keys_of: KeysOf, nodes: Iterable[Node | None]) -> None:
        self._keys_of = keys_of
        self._literals: dict[str, list[Required]] = {}
        self._uses = Counter(
            key
            for node in nodes
            for key in {key for literal in literals_of(node) for key in keys_of(literal)}
        )

    def of(self, node: Node | None) -> list[Required]:
        """Cheapest first, no set of keys twice; empty when the node demands nothing."""
        found = sorted(self._required(node), key=_cost) if node is not None else []
        return list({required.keys: required for required in found}.values())

    def _required(self, node: Node) -> list[Required]:
        if isinstance(node, str):
            return self._literals.get(node) or self._literal(node)
        match node.op:
            case Op.ANY:
                return self._one_of(node.nodes, len(node.nodes))
            case Op.AT_LEAST:
                return self._one_of(node.nodes, len(node.nodes) - node.number + 1)
            case Op.ALL | Op.NEAR | Op.BEFORE:
                return [required for part in node.nodes for required in self._required(part)]
            case Op.NONE:
                return []

    def _literal(self, literal: str) -> list[Required]:
        keys = self._keys_of(literal)
        found = [Required(self._expected(key), frozenset((key,))) for key in keys]
        found.sort(key=_cost)
        self._literals[literal] = found
        return found

    def _one_of(self, parts: Sequence[Node], size: int) -> list[Required]:
        """Of any `size` parts one must hold: take the rarest ones."""
        found = []
        for part in parts:
            required = self._required(part)
            if required:
                found.append(required[0] if len(required) == 1 else min(required, key=_cost))
        if len(found) < size:
            return []
        if len(found) > size:
            found.sort(key=_cost)
            del found[size:]
        cost = sum([required.cost for required in found])
        return [Required(cost, frozenset().union(*[required.keys for required in found]))]

    def _expected(self, key: str) -> float:
        return _guess(key) * max(self._uses[key], 1)


def literals_of(node: Node | None) -> Iterator[str]:
    """Every literal below a node, as often as it stands there."""
    if isinstance(node, str):
        yield node
    elif node is not None:
        for part in node.nodes:
            yield from literals_of(part)


def _guess(key: str) -> float:
    """In how many of a hundred thousand articles or so."""
    if key.startswith(TITLE):
        return _guess(key[1:]) * _TITLE_SHARE
    if " " in key:
        return min(map(_guess, key.split(" "))) * _PHRASE_SHARE
    if not key.isascii():
        return 300 if len(key) == 1 else 50
    known = _BY_LENGTH[min(len(key), len(_BY_LENGTH) - 1)]
    return known * 2.0 if key.endswith("*") else float(known)
