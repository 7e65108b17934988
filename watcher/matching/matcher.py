"""Rules × article → matches."""

from collections.abc import Iterator, Sequence

from watcher.matching.document import Document
from watcher.matching.evaluate import holds, score
from watcher.matching.index import Index, PrefilterFactory
from watcher.matching.quick import Test, Tests
from watcher.model import Article, Evidence, Match
from watcher.rules.compile import Rule


class Matcher:
    """Not thread-safe: the index keeps a memo. One per thread."""

    def __init__(self, rules: Sequence[Rule], *, prefilter: PrefilterFactory = Index) -> None:
        self._rules = tuple(rules)
        self._prefilter = prefilter(self._rules)
        self._tests = Tests()
        self._ready: dict[int, Test] = {}
        #: What a rule raised at its last trouble, by rule id; the other rules went on.
        self.errors: dict[str, str] = {}

    def match(self, article: Article) -> list[Match]:
        """Matches in order of rule id, with the places that decided."""
        document = Document(article)
        found = []
        for rule in self._holding(document):
            try:
                match = match_rule(rule, document)
            except Exception as error:  # noqa: BLE001 - one broken rule must not silence the others
                self._note(rule, error)
            else:
                found += [match] if match else []
        return sorted(found, key=lambda match: match.rule)

    def hits(self, article: Article) -> list[str]:
        """Ids of the rules that match, in order, without the places: a fraction of the work."""
        return sorted(rule.id for rule in self._holding(Document(article)))

    def _holding(self, document: Document) -> Iterator[Rule]:
        """Rules that hold; what a match shows beyond that is left to `match_rule`."""
        view = document.view()
        for number in self._prefilter.candidates(document):
            rule = self._rules[number]
            try:
                test = self._ready.get(number) or self._compiled(number, rule)
                held = test(view)
            except Exception as error:  # noqa: BLE001 - as above
                self._note(rule, error)
                continue
            if held:
                yield rule

    def _compiled(self, number: int, rule: Rule) -> Test:
        """Made when first asked for: most rules never come up."""
        when = self._tests.of(rule.when)
        test = when
        if rule.unless is not None:
            unless = self._tests.of(rule.unless)
            test = lambda view: when(view) and not unless(view)  # noqa: E731
        self._ready[number] = test
        return test

    def _note(self, rule: Rule, error: Exception) -> None:
        self.errors[rule.id] = f"{type(error).__name__}: {error}"


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
