"""Rules × article → matches."""

from collections.abc import Sequence

from watcher.matching.document import Document
from watcher.matching.evaluate import holds, score
from watcher.matching.index import Index, PrefilterFactory
from watcher.model import Article, Evidence, Match
from watcher.rules.compile import Rule


class Matcher:
    """Not thread-safe: the index keeps a memo. One per thread."""

    def __init__(self, rules: Sequence[Rule], *, prefilter: PrefilterFactory = Index) -> None:
        self._rules = tuple(rules)
        self._prefilter = prefilter(self._rules)
        #: What a rule raised at its last trouble, by rule id; the other rules went on.
        self.errors: dict[str, str] = {}

    def match(self, article: Article) -> list[Match]:
        """Matches in order of rule id, with the places that decided."""
        document = Document(article)
        found = []
        for number in self._prefilter.candidates(document.words):
            rule = self._rules[number]
            match = self._try(rule, document)
            if match is not None:
                found.append(match)
        return sorted(found, key=lambda match: match.rule)

    def _try(self, rule: Rule, document: Document) -> Match | None:
        try:
            return match_rule(rule, document)
        except Exception as error:  # noqa: BLE001 - one broken rule must not silence the others
            self.errors[rule.id] = f"{type(error).__name__}: {error}"
            return None


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
