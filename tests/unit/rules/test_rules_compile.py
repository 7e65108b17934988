"""What can be wrong in a rule, and how it is said."""

from typing import Any

import pytest

from watcher.rules.compile import compile_concepts, compile_rule, compile_rules
from watcher.rules.schema import ConceptSpec, RuleSpec

CONCEPTS, _ = compile_concepts({"north-korea": ConceptSpec(terms=("North Korea",))})

WRONG: list[tuple[Any, tuple[Any, ...], str, str]] = [
    ({"al": ["x"]}, ("when", "al"), "unknown operator 'al'", "did you mean 'all'?"),
    ("$north-corea", ("when",), "unknown concept $north-corea", "did you mean $north-korea?"),
    ({"any": ["a*"]}, ("when", "any", 0), "'a*' has only 1 letters before its wildcard", "write at least three, or list the words"),
    ("lau*nch", ("when",), "'lau*nch' has a * inside a word", "use * only at a word's end"),
    ("!!!", ("when",), "'!!!' has no word in it", "write at least one letter or digit"),
    ({"near": {"terms": ["a1", "b1"]}}, ("when", "near"), "'within' is missing", "add within:"),
    ({"near": {"terms": ["a1"], "within": 2}}, ("when", "near", "terms"), "needs two terms or more", "write a list: [a, [b, c]]"),
    ({"near": {"terms": ["a1", "b1"], "within": -1}}, ("when", "near", "within"), "-1 is not a whole number", "write 0 or more"),
    ({"near": {"terms": ["a1", "b1"], "within": 1, "orderd": True}}, ("when", "near", "orderd"), "unknown key 'orderd'", "did you mean 'ordered'?"),
    ({"phrase": "x1", "in": ["titel"]}, ("when", "in", 0), "unknown field 'titel'", "did you mean 'title'?"),
    ({"at_least": {"count": 3, "of": ["a1", "b1"]}}, ("when", "at_least", "count"), "3 of 2 can never hold", "lower the count"),
    ({"none": ["a1"]}, ("when",), "matches every article", "say at least one thing it must contain"),
    ({"all": []}, ("when", "all"), "an empty list matches everything or nothing", "add a clause or remove it"),
    (["a1"], ("when",), "a list stands where a clause should", "put it under any: or all:"),
    (None, ("when",), "None is not a clause", "write a phrase, a $concept or an operator"),
    ({"regex": "a*"}, ("when", "regex"), "regex 'a*' matches the empty text", "make a part of it required"),
    ({"published": {"after": "soon"}}, ("when", "published", "after"), "'soon' is not a date", "write it like 2026-05-30"),
    ({"all": ["a1", {"lang": ["en", "kr"]}]}, ("when", "all", 1, "lang", 1), "no language has the code 'kr'", "did you mean ko?"),
    ("a1 AND lang:jp", ("when",), "no language has the code 'jp'", "did you mean ja?"),
    ({"any": [{"phrase": "a1", "weight": 2}, "b1"]}, ("when", "any", 0, "weight"), "a weight adds to nothing here", "put it under of:"),
    ({"any": ["a1"], "of": ["b1"]}, ("when", "of"), "of: without threshold:", "add threshold:, or say at_least:"),
    ({"threshold": 2}, ("when", "threshold"), "threshold has nothing to add up", "list clauses with weights under of:"),
    ({"same": {"page": ["a1", "b1"]}}, ("when", "same"), "same needs sentence: or paragraph:", "write same: {sentence: [a, b]}"),
]  # fmt: skip


@pytest.mark.parametrize(("when", "loc", "what", "todo"), WRONG)
def test_a_mistake_is_named_with_its_place_and_what_to_do(
    when: Any, loc: tuple[Any, ...], what: str, todo: str
) -> None:
    rule, issues = compile_rule(RuleSpec(id="r", when=when), CONCEPTS)

    assert rule is None
    assert (issues[0].loc, issues[0].what, issues[0].todo) == (loc, what, todo)


def test_a_regex_that_re2_refuses_is_a_mistake() -> None:
    _, issues = compile_rule(RuleSpec(id="r", when={"regex": r"(a)\1"}), CONCEPTS)

    assert issues[0].what.startswith("invalid regex")


def test_every_mistake_is_told_at_once() -> None:
    _, issues = compile_rule(
        RuleSpec(id="r", when={"all": ["a*", "$nowhere"]}, unless="!"), CONCEPTS
    )

    assert [issue.loc for issue in issues] == [
        ("when", "all", 0),
        ("when", "all", 1),
        ("unless",),
    ]


def test_one_broken_rule_leaves_the_others() -> None:
    rules, problems = compile_rules(
        [RuleSpec(id="bad", when={}), RuleSpec(id="good", when="kim")], CONCEPTS
    )

    assert [rule.id for rule in rules] == ["good"]
    assert [(p.rule_index, p.rule_id) for p in problems] == [(0, "bad")]


def test_concepts_include_concepts() -> None:
    compiled, problems = compile_concepts(
        {
            "a": ConceptSpec(terms=("one",), includes=("$b",)),
            "b": ConceptSpec(terms={"en": ("two",), "ko": ("둘*",)}),
        }
    )

    assert not problems
    assert [str(part) for part in compiled["a"].parts] == ["one", "two", "둘*"]


def test_a_circle_of_concepts_is_refused_with_its_way() -> None:
    _, problems = compile_concepts(
        {
            "a": ConceptSpec(terms=("x1",), includes=("b",)),
            "b": ConceptSpec(terms=("y1",), includes=("a",)),
        }
    )

    assert problems[0].what == "includes itself: $a → $b → $a"


def test_plurals_can_be_switched_off() -> None:
    with_forms, _ = compile_rule(RuleSpec(id="r", when="satellite"), CONCEPTS)
    without, _ = compile_rule(RuleSpec(id="r", when="satellite", plurals=False), CONCEPTS)

    assert with_forms is not None
    assert without is not None
    assert with_forms.when.words[0].forms == {"satellite", "satellites"}
    assert without.when.words[0].forms == {"satellite"}
