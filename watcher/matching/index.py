"""Which rules can hold for these words? May say yes too often, never no wrongly."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from watcher.rules import clauses as c
from watcher.rules.compile import Rule
from watcher.tokens import fold_tokens

Keys = frozenset[str]

# Words without a known frequency: short ones are common, long ones rare.
_UNKNOWN = (10_000, 8_000, 5_000, 2_000, 800, 400, 200, 120, 80, 60, 40)
_MEMO_LIMIT = 200_000


class Prefilter(Protocol):
    """Names the rules worth evaluating."""

    def candidates(self, words: Set[str]) -> Iterable[int]:
        """Numbers of the rules that may hold for an article with these words, each once."""
        ...


class NoPrefilter:
    """Every rule, always: the oracle."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._all = range(len(rules))

    def candidates(self, words: Set[str]) -> Iterable[int]:  # noqa: ARG002
        return self._all


@dataclass(frozen=True, slots=True)
class _Required:
    """One of `keys` must occur; `cost` is how often that is expected."""

    keys: Keys
    cost: float


class Index:
    """Each rule under the keys of its rarest required clause, the next rarest as guard."""

    def __init__(self, rules: Sequence[Rule], frequencies: Mapping[str, int] | None = None) -> None:
        self._frequencies = frequencies or {}
        self._anchors: dict[str, list[tuple[int, Keys | None]]] = {}
        self._always: list[int] = []
        self._prefix_sizes: dict[int, set[str]] = {}
        self._memo: dict[str, tuple[str, ...]] = {}
        for number, rule in enumerate(rules):
            self._file(number, rule.when)

    def _file(self, number: int, clause: c.Clause) -> None:
        required = sorted(self._required(clause), key=lambda r: (r.cost, sorted(r.keys)))
        if not required:
            self._always.append(number)
            return
        anchor = required[0]
        guard = next((r.keys for r in required[1:] if r.keys != anchor.keys), None)
        for key in anchor.keys | (guard or frozenset()):
            if key.endswith("*"):
                self._prefix_sizes.setdefault(len(key) - 1, set()).add(key[:-1])
        for key in anchor.keys:
            self._anchors.setdefault(key, []).append((number, guard))

    @property
    def always(self) -> Sequence[int]:
        """Rules that no word can rule out; `check` warns of them."""
        return self._always

    def candidates(self, words: Set[str]) -> Iterable[int]:
        keys = set(words)
        if self._prefix_sizes:
            for word in words:
                keys.update(self._memo.get(word) or self._beginnings(word))
        found = set(self._always)
        for key in self._anchors.keys() & keys:
            for number, guard in self._anchors[key]:
                if guard is None or not guard.isdisjoint(keys):
                    found.add(number)
        return sorted(found)

    def _beginnings(self, word: str) -> tuple[str, ...]:
        found = tuple(
            word[:size] + "*" for size, known in self._prefix_sizes.items() if word[:size] in known
        )
        if len(self._memo) >= _MEMO_LIMIT:
            self._memo.clear()  # endless distinct words must not fill memory
        self._memo[word] = found
        return found

    # ── what a clause can't do without ──

    def _required(self, clause: c.Clause) -> list[_Required]:
        match clause:
            case c.Phrase(words):
                return [r for word in words if (r := self._of_word(word)) is not None]
            case c.All(parts):
                return [r for part in parts for r in self._required(part)]
            case c.Any(parts):
                return self._one_of(parts, len(parts))
            case c.AtLeast(count, parts):
                return self._one_of(parts, len(parts) - count + 1)
            case c.Score(threshold, parts):
                return self._enough_of(threshold, parts)
            case c.Near(terms) | c.Same(_, terms):
                return [r for term in terms for r in self._required(term)]
            case c.NotNear(term) | c.MinCount(term):
                return self._required(term)
            case c.Exact(text):
                # A lone s may have been part of a possessive, which has no word.
                return [self._of_keys({t}) for t in fold_tokens(text) if t != "s"]
            case c.Scoped(fields, inner) if set(fields) <= {"title", "lead", "body"}:
                return self._required(inner)
            case _:
                return []

    def _of_word(self, word: c.Word) -> _Required | None:
        if word.forms:
            return self._of_keys(word.forms)
        return self._of_keys({word.prefix + "*"}) if word.prefix else None

    def _of_keys(self, keys: Iterable[str]) -> _Required:
        whole = frozenset(keys)
        return _Required(whole, sum(map(self._cost, whole)))

    def _cost(self, key: str) -> float:
        known = self._frequencies.get(key)
        if known is not None:
            return known + 0.5
        if not key.isascii():
            return 300 if len(key) == 1 else 50
        guess = _UNKNOWN[min(len(key), len(_UNKNOWN) - 1)]
        return guess * 2.0 if key.endswith("*") else float(guess)

    def _cheapest(self, clause: c.Clause) -> _Required | None:
        return min(self._required(clause), key=lambda r: (r.cost, sorted(r.keys)), default=None)

    def _one_of(self, parts: Sequence[c.Clause], size: int) -> list[_Required]:
        """Of any `size` parts one must hold: take the rarest ones."""
        found = [self._cheapest(part) for part in parts]
        usable = sorted((r for r in found if r is not None), key=lambda r: (r.cost, sorted(r.keys)))
        if len(usable) < size:
            return []
        return [self._of_keys(frozenset().union(*(r.keys for r in usable[:size])))]

    def _enough_of(
        self, threshold: float, parts: Sequence[tuple[float, c.Clause]]
    ) -> list[_Required]:
        """Parts too light to reach the threshold together may be left out; of the rest one must hold."""
        ranked: list[tuple[float, float, _Required | None]] = []
        for weight, part in parts:
            if weight > 0:
                cheapest = self._cheapest(part)
                ranked.append((cheapest.cost if cheapest else float("inf"), weight, cheapest))
        ranked.sort(key=lambda item: -item[0])
        light = 0.0
        while ranked and light + ranked[0][1] < threshold:
            light += ranked.pop(0)[1]
        kept = [r for _, _, r in ranked]
        if not kept or any(r is None for r in kept):
            return []
        return [self._of_keys(frozenset().union(*(r.keys for r in kept if r is not None)))]


PrefilterFactory = Callable[[Sequence[Rule]], Prefilter]
