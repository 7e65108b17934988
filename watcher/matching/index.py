"""Which rules can hold for these words? May say yes too often, never no wrongly."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from watcher.matching.document import Document
from watcher.rules import clauses as c
from watcher.rules.compile import Rule
from watcher.tokens import fold_tokens

Keys = frozenset[str]

# Words without a known frequency: short ones are common, long ones rare.
_UNKNOWN = (10_000, 8_000, 5_000, 2_000, 800, 400, 200, 120, 80, 60, 40)
_MEMO_LIMIT = 200_000
# Guards beyond these save less than they cost.
_MAX_GUARDS = 3
# Of a word's articles, those that have it in the title.
_TITLE_SHARE = 0.15
# Keys of the title are words that no text can hold.
_TITLE = "\x01"


class Prefilter(Protocol):
    """Names the rules worth evaluating."""

    def candidates(self, document: Document) -> Iterable[int]:
        """Numbers of the rules that may hold for an article, each once."""
        ...


class NoPrefilter:
    """Every rule, always: the oracle."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._all = range(len(rules))

    def candidates(self, document: Document) -> Iterable[int]:  # noqa: ARG002
        return self._all


@dataclass(frozen=True, slots=True)
class _Required:
    """One of `keys` must occur; `cost` is how often that is expected."""

    keys: Keys
    cost: float

    def __lt__(self, other: "_Required") -> bool:
        return self.cost < other.cost


class Index:
    """Each rule under the keys of its rarest required clause, the next rarest as guards."""

    def __init__(self, rules: Sequence[Rule], frequencies: Mapping[str, int] | None = None) -> None:
        self._frequencies = frequencies or {}
        self._anchors: dict[str, list[tuple[int, tuple[Keys, ...]]]] = {}
        self._always: list[int] = []
        self._by_concept: dict[int, list[_Required]] = {}
        self._title_words: set[str] = set()
        self._prefixes: dict[int, set[str]] = {}
        self._seen: set[str] = set()
        self._beginnings: dict[str, tuple[str, ...]] = {}
        for number, rule in enumerate(rules):
            self._file(number, rule.when)
        self._by_concept.clear()  # keyed by id: only good while the rules are at hand

    def _file(self, number: int, clause: c.Clause) -> None:
        required = sorted(self._required(clause))
        if not required:
            self._always.append(number)
            return
        anchor, *others = dict.fromkeys(r.keys for r in required)
        guards = tuple(others[:_MAX_GUARDS])
        for keys in (anchor, *guards):
            for key in keys:
                self._expect(key)
        for key in anchor:
            self._anchors.setdefault(key, []).append((number, guards))

    def _expect(self, key: str) -> None:
        """Articles must give this key when they hold what it stands for."""
        if key.endswith("*"):
            word = key[:-1].removeprefix(_TITLE)
            self._prefixes.setdefault(len(word), set()).add(word)
        if key.startswith(_TITLE):
            self._title_words.add(key[1:])

    @property
    def always(self) -> Sequence[int]:
        """Rules that no word can rule out; `check` warns of them."""
        return self._always

    def candidates(self, document: Document) -> Iterable[int]:
        keys = self._keys(document)
        found = set(self._always)
        for key in self._anchors.keys() & keys:
            for number, guards in self._anchors[key]:
                for guard in guards:
                    if guard.isdisjoint(keys):
                        break
                else:
                    found.add(number)
        return found

    def _keys(self, document: Document) -> set[str]:
        words = document.words
        keys = set(words)
        if self._prefixes:
            self._learn(words)
            for word in self._beginnings.keys() & words:
                keys.update(self._beginnings[word])
        if self._title_words:
            title = set(document.title.words)
            for word in self._beginnings.keys() & title:
                title.update(self._beginnings[word])
            keys.update(_TITLE + word for word in title & self._title_words)
        return keys

    def _learn(self, words: Set[str]) -> None:
        """Which known prefixes each word begins with; asked once per word."""
        fresh = words - self._seen
        if not fresh:
            return
        if len(self._seen) >= _MEMO_LIMIT:  # endless distinct words must not fill memory
            self._seen.clear()
            self._beginnings.clear()
            fresh = set(words)
        for word in fresh:
            found = tuple(
                f"{word[:size]}*" for size, known in self._prefixes.items() if word[:size] in known
            )
            if found:
                self._beginnings[word] = found
        self._seen |= fresh

    # ── what a clause can't do without ──

    def _required(self, clause: c.Clause) -> list[_Required]:
        match clause:
            case c.Phrase(words):
                return [r for word in words if (r := self._of_word(word)) is not None]
            case c.All(parts):
                return [r for part in parts for r in self._required(part)]
            case c.Any(parts, name):
                return self._of_concept(clause) if name else self._one_of(parts, len(parts))
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
            case c.Scoped(("title",), inner) if not _rescopes(inner):
                return [self._in_title(required) for required in self._required(inner)]
            case c.Scoped(fields, inner) if set(fields) <= {"title", "lead", "body"}:
                return self._required(inner)
            case _:
                return []

    def _of_concept(self, clause: c.Any) -> list[_Required]:
        """Rules share concepts: what one can't do without is worked out once."""
        known = self._by_concept.get(id(clause))
        if known is None:
            known = self._by_concept[id(clause)] = self._one_of(clause.parts, len(clause.parts))
        return known

    def _in_title(self, required: _Required) -> _Required:
        keys = frozenset(key if key.startswith(_TITLE) else _TITLE + key for key in required.keys)
        return _Required(keys, required.cost * _TITLE_SHARE)

    def _of_word(self, word: c.Word) -> _Required | None:
        if word.forms:
            return self._of_keys(word.forms)
        return self._of_keys({word.prefix + "*"}) if word.prefix else None

    def _of_keys(self, keys: Iterable[str]) -> _Required:
        whole = frozenset(keys)
        return _Required(whole, sum(map(self._cost, whole)))

    def _cost(self, key: str) -> float:
        if key.startswith(_TITLE):
            return self._cost(key[1:]) * _TITLE_SHARE
        known = self._frequencies.get(key)
        if known is not None:
            return known + 0.5
        if not key.isascii():
            return 300 if len(key) == 1 else 50
        guess = _UNKNOWN[min(len(key), len(_UNKNOWN) - 1)]
        return guess * 2.0 if key.endswith("*") else float(guess)

    def _cheapest(self, clause: c.Clause) -> _Required | None:
        return min(self._required(clause), default=None)

    def _one_of(self, parts: Sequence[c.Clause], size: int) -> list[_Required]:
        """Of any `size` parts one must hold: take the rarest ones."""
        found = [self._cheapest(part) for part in parts]
        usable = sorted(r for r in found if r is not None)
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


def _rescopes(clause: c.Clause) -> bool:
    """A scope further in decides for its own part."""
    match clause:
        case c.Scoped():
            return True
        case c.All(parts) | c.Any(parts) | c.Not(parts) | c.AtLeast(_, parts):
            return any(map(_rescopes, parts))
        case c.Score(_, weighted):
            return any(_rescopes(part) for _, part in weighted)
        case _:
            return False


PrefilterFactory = Callable[[Sequence[Rule]], Prefilter]
