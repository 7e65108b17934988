"""Rules × article → matches."""

from collections.abc import Callable, Collection, Sequence

from watcher.garbage import collector_paused
from watcher.matching import compiled
from watcher.matching.document import Document
from watcher.matching.evaluate import holds, score
from watcher.matching.index import Index, Prefilter
from watcher.matching.quick import Test, Tests
from watcher.model import Article, Evidence, Match
from watcher.rules.compile import Rule

PrefilterFactory = Callable[[Sequence[Rule]], Prefilter]

#: Which form of the engine is in use.
ENGINE = "compiled" if compiled.AVAILABLE else "pure Python"
_FASTEST: PrefilterFactory = compiled.Compiled if compiled.AVAILABLE else Index
# Edited rules beyond this share are worth building everything anew.
_DELTA_SHARE = 0.02
_DELTA_LEAST = 200


class Matcher:
    """Not thread-safe: the index keeps a memo. One per thread.

    Rules live in two segments: all of them as built, and the few edited since, so that an
    edit costs as much as what it changes. `merged` makes one segment of both.
    """

    def __init__(self, rules: Sequence[Rule], *, prefilter: PrefilterFactory = _FASTEST) -> None:
        self._make = prefilter
        self._base = _Segment(rules, prefilter)
        self._edits = _Segment((), prefilter)
        #: What a rule raised at its last trouble, by rule id; the other rules went on.
        self.errors: dict[str, str] = {}

    @property
    def rules(self) -> list[Rule]:
        """Every rule in use, in no order."""
        return [*self._base.live(), *self._edits.live()]

    @property
    def segments(self) -> int:
        return 2 if self._edits.rules or self._base.dropped else 1

    def edit(self, changed: Sequence[Rule], removed: Collection[str] = ()) -> None:
        """Put rules in the place of those with the same id, add new ones, drop others."""
        gone = {rule.id for rule in changed} | set(removed)
        self._base.dropped |= gone & self._base.rules.keys()
        kept = [rule for name, rule in self._edits.rules.items() if name not in gone]
        self._edits = _Segment([*kept, *changed], self._make)

    def use(self, rules: Sequence[Rule]) -> None:
        """Have exactly these rules, at the least cost."""
        known = {rule.id: rule for rule in self.rules}
        changed = [rule for rule in rules if known.get(rule.id) != rule]
        removed = known.keys() - {rule.id for rule in rules}
        if len(changed) + len(removed) + len(self._edits.rules) > _DELTA_LEAST + _DELTA_SHARE * len(
            rules
        ):
            self._base, self._edits = _Segment(rules, self._make), _Segment((), self._make)
        elif changed or removed:
            self.edit(changed, removed)

    def merged(self) -> "Matcher":
        """The same rules in one segment; slow for many, so made beside the one in use."""
        return Matcher(self.rules, prefilter=self._make)

    def match(self, article: Article) -> list[Match]:
        """Matches in order of rule id, with the places that decided."""
        document = Document(article)
        found = []
        for segment in self._segments():
            for name in segment.holding(document, self._note):
                rule = segment.rules[name]
                try:
                    match = match_rule(rule, document)
                except Exception as error:  # noqa: BLE001 - one broken rule must not silence the others
                    self._note(rule, error)
                else:
                    found += [match] if match else []
        return sorted(found, key=lambda match: match.rule)

    def hits(self, article: Article) -> list[str]:
        """Ids of the rules that match, each once, in no order: a fraction of the work of `match`."""
        document = Document(article)
        found: list[str] = []
        for segment in self._segments():
            found += segment.holding(document, self._note)
        return found

    def _segments(self) -> tuple["_Segment", ...]:
        return (self._base, self._edits) if self._edits.rules else (self._base,)

    def _note(self, rule: Rule, error: Exception) -> None:
        self.errors[rule.id] = f"{type(error).__name__}: {error}"


class _Segment:
    """Rules that were built together; `dropped` are the ids that no longer count."""

    def __init__(self, rules: Sequence[Rule], make: PrefilterFactory) -> None:
        self.rules = {rule.id: rule for rule in rules}
        self.dropped: set[str] = set()
        with collector_paused():
            self._prefilter = make(tuple(self.rules.values()))
        self._tests = Tests()
        self._ready: dict[str, Test] = {}

    def live(self) -> list[Rule]:
        return [rule for name, rule in self.rules.items() if name not in self.dropped]

    def holding(
        self, document: Document, note: Callable[[Rule, Exception], None]
    ) -> Collection[str]:
        """Ids of those that hold; what a match shows is left to `match_rule`."""
        certain, possible = self._prefilter.candidates(document)
        found = [*certain]
        for name in possible:
            try:
                held = (self._ready.get(name) or self._compiled(name))(document.view())
            except Exception as error:  # noqa: BLE001 - as above
                note(self.rules[name], error)
                continue
            if held:
                found.append(name)
        return [name for name in found if name not in self.dropped] if self.dropped else found

    def _compiled(self, name: str) -> Test:
        """Made when first asked for: most rules never come up."""
        rule = self.rules[name]
        when = self._tests.of(rule.when)
        test = when
        if rule.unless is not None:
            unless = self._tests.of(rule.unless)
            test = lambda view: when(view) and not unless(view)  # noqa: E731
        self._ready[name] = test
        return test


def match_rule(rule: Rule, document: Document) -> Match | None:
    """One rule, exactly."""
    hits = holds(rule.when, document)
    if hits is None:
        return None
    if rule.unless is not None and holds(rule.unless, document) is not None:
        return None
    evidence = dict.fromkeys(hit.evidence() for hit in hits)
    return Match(rule.id, document.article.id, score(rule.when, document), _in_order(evidence))


def _in_order(evidence: dict[Evidence, None]) -> tuple[Evidence, ...]:
    fields = {"title": 0, "lead": 1, "body": 2}
    return tuple(sorted(evidence, key=lambda e: (fields.get(e.field, 9), e.start, e.end, e.clause)))
