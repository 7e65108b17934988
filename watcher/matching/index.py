"""Which rules can hold for these words? May say yes too often, never no wrongly."""

from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple, Protocol

from watcher.matching.document import Document
from watcher.matching.lower import TITLE, Lowering
from watcher.matching.required import Keys, Requirements
from watcher.rules.compile import Rule

_MEMO_LIMIT = 200_000
# Guards beyond these save less than they cost.
_MAX_GUARDS = 3


class Candidates(NamedTuple):
    """Ids of rules: those that hold, and those that may. None is in both, or twice."""

    certain: Sequence[str]
    possible: Iterable[str]


class Prefilter(Protocol):
    """Names the rules worth evaluating."""

    def candidates(self, document: Document) -> Candidates:
        """A rule it does not name does not hold."""
        ...


class NoPrefilter:
    """Every rule, always: the oracle."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._all = [rule.id for rule in rules]

    def candidates(self, document: Document) -> Candidates:  # noqa: ARG002
        return Candidates((), self._all)


class Index:
    """Each rule under the keys of its rarest required clause, the next rarest as guards.

    Its keys are words and beginnings of words: a phrase is filed under its rarest word.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._anchors: dict[str, list[tuple[str, tuple[Keys, ...]]]] = {}
        self._always: list[str] = []
        self._title_words: set[str] = set()
        self._prefixes: dict[int, set[str]] = {}
        self._seen: set[str] = set()
        self._beginnings: dict[str, tuple[str, ...]] = {}
        lowering = Lowering()
        requirements = Requirements(_words_of, lowering.sample(rules))
        for rule in rules:
            node, _ = lowering.rule(rule.when, None)
            self._file(rule.id, [required.keys for required in requirements.of(node)])

    def _file(self, rule: str, required: Sequence[Keys]) -> None:
        if not required:
            self._always.append(rule)
            return
        anchor, *others = required
        guards = tuple(others[:_MAX_GUARDS])
        for keys in (anchor, *guards):
            for key in keys:
                self._expect(key)
        for key in anchor:
            self._anchors.setdefault(key, []).append((rule, guards))

    def _expect(self, key: str) -> None:
        """Articles must give this key when they hold what it stands for."""
        if key.endswith("*"):
            word = key[:-1].removeprefix(TITLE)
            self._prefixes.setdefault(len(word), set()).add(word)
        if key.startswith(TITLE):
            self._title_words.add(key[1:])

    def candidates(self, document: Document) -> Candidates:
        keys = self._keys(document)
        found = set(self._always)
        for key in self._anchors.keys() & keys:
            for rule, guards in self._anchors[key]:
                for guard in guards:
                    if guard.isdisjoint(keys):
                        break
                else:
                    found.add(rule)
        return Candidates((), found)

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
            keys.update(TITLE + word for word in title & self._title_words)
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


def _words_of(literal: str) -> Sequence[str]:
    """A phrase is there only if each of its words is."""
    if literal.startswith(TITLE):
        return [TITLE + word for word in literal[1:].split(" ")]
    return literal.split(" ")
