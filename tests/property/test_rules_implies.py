"""What lint calls certain is: a clause that is implied holds wherever the other does."""

from hypothesis import given, settings
from hypothesis import strategies as st
from test_matching_index_is_exact import CONCEPTS, clauses, terms, texts

from watcher.matching.document import Document
from watcher.matching.evaluate import holds
from watcher.matching.matcher import match_rule
from watcher.model import Article
from watcher.rules.compile import compile_rule
from watcher.rules.implies import implied
from watcher.rules.lint import Smell, lint_rule
from watcher.rules.schema import RuleSpec

from datetime import UTC, datetime  # isort: skip

NOW = datetime(2026, 5, 30, tzinfo=UTC)
nested = st.recursive(
    terms,
    lambda parts: st.lists(parts, min_size=1, max_size=3).map(lambda p: {"any": p}),
    max_leaves=4,
)


def document(title: str, text: str) -> Document:
    return Document(Article("a1", "f", "", title, text, NOW, lang="en"))


@settings(max_examples=300, deadline=None)
@given(st.one_of(nested, clauses), st.one_of(nested, clauses), texts, texts)
def test_an_implied_clause_holds_wherever_the_other_does(
    wide: object, narrow: object, title: str, text: str
) -> None:
    rules = [compile_rule(RuleSpec(id="r", when=tree), CONCEPTS)[0] for tree in (wide, narrow)]
    if rules[0] is None or rules[1] is None:
        return
    outer, inner = rules[0].when, rules[1].when
    article = document(title, text)

    if implied(outer, inner) and holds(inner, article) is not None:
        assert holds(outer, article) is not None


@settings(max_examples=200, deadline=None)
@given(clauses, st.one_of(nested, clauses), texts, texts)
def test_a_rule_that_is_said_to_be_cancelled_never_matches(
    when: object, unless: object, title: str, text: str
) -> None:
    spec = RuleSpec(id="r", when=when, unless=unless)
    rule, _ = compile_rule(spec, CONCEPTS)
    if rule is None:
        return
    found = {lint.smell for lint in lint_rule(spec, CONCEPTS, now=NOW)}

    if Smell.CANCELLED in found:
        assert match_rule(rule, document(title, text)) is None
