"""What a rule can't do without, cheapest first: the keys an index files it under."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from watcher.matching.lower import TITLE, Node, Op

Keys = frozenset[str]
#: The keys that must all occur where a literal does.
KeysOf = Callable[[str], Sequence[str]]

# Words without a known frequency: short ones are common, long ones rare.
_UNKNOWN = (10_000, 8_000, 5_000, 2_000, 800, 400, 200, 120, 80, 60, 40)
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
    """`frequencies` says in how many articles of some archive a word occurs."""

    def __init__(self, keys_of: KeysOf, frequencies: Mapping[str, int] | None = None) -> None:
        self._keys_of = keys_of
        self._frequencies = frequencies or {}
        self._literals: dict[str, list[Required]] = {}

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
        if key.startswith(TITLE):
            return self._expected(key[1:]) * _TITLE_SHARE
        if " " in key:
            return min(map(self._expected, key.split(" "))) * _PHRASE_SHARE
        known = self._frequencies.get(key)
        if known is not None:
            return known + 0.5
        if not key.isascii():
            return 300 if len(key) == 1 else 50
        guess = _UNKNOWN[min(len(key), len(_UNKNOWN) - 1)]
        return guess * 2.0 if key.endswith("*") else float(guess)
