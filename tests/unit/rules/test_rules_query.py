"""The one-line notation: what it means, and what it refuses to guess."""

from typing import Any

import pytest

from watcher.rules.compile import compile_concepts, compile_rule
from watcher.rules.query import QueryError, is_query, read_query
from watcher.rules.schema import ConceptSpec, RuleSpec

CONCEPTS, _ = compile_concepts({"north-korea": ConceptSpec(terms=("North Korea",))})
COUNTRIES = {"KR": frozenset({"yonhap"})}

SAME: list[tuple[str, Any]] = [
    ("kim AND putin", {"all": ["kim", "putin"]}),
    ("kim OR putin OR xi1", {"any": ["kim", "putin", "xi1"]}),
    ('"north korea" NOT sport', {"all": ["north korea"], "none": ["sport"]}),
    ("kim AND NOT (sport OR film)", {"all": ["kim"], "none": [{"any": ["sport", "film"]}]}),
    ("kim NEAR/5 putin", {"near": {"terms": ["kim", "putin"], "within": 5}}),
    (
        "(kim OR xi1) BEFORE/2 putin",
        {"near": {"terms": [["kim", "xi1"], "putin"], "within": 2, "ordered": True}},
    ),
    (
        "kim NOT NEAR/3 kardashian",
        {"not_near": {"term": "kim", "other": "kardashian", "within": 3}},
    ),
    ("kim SENTENCE putin", {"same": {"sentence": ["kim", "putin"]}}),
    ("kim PARAGRAPH putin", {"same": {"paragraph": ["kim", "putin"]}}),
    ("2 OF (kim OR putin OR xi1)", {"at_least": {"count": 2, "of": ["kim", "putin", "xi1"]}}),
    ("title:kim", {"phrase": "kim", "in": "title"}),
    ("title+lead:(kim AND putin)", {"all": ["kim", "putin"], "in": ["title", "lead"]}),
    ("country:kr AND kim", {"all": [{"country": ["KR"]}, "kim"]}),
    ("lang:ko AND kim", {"all": [{"lang": "ko"}, "kim"]}),
    ('exact:"C++" OR regex:"Hwasong-[0-9]+"', {"any": [{"exact": "C++"}, {"regex": "Hwasong-[0-9]+"}]}),
    (r'regex:"CVE-\d{4}" AND kim', {"all": [{"regex": r"CVE-\d{4}"}, "kim"]}),
    (r'regex:"a\\b\"c"', {"regex": r'a\\b"c'}),
    (r'exact:"C:\dos" OR exact:"a\"b"', {"any": [{"exact": r"C:\dos"}, {"exact": 'a"b'}]}),
    ("“north korea” AND «kim»", {"all": ["north korea", "kim"]}),
    ('"kim AND putin" OR xi1', {"any": [{"phrase": "kim AND putin"}, "xi1"]}),
    (
        '$north-korea AND (satellite NEAR/12 launch*) NOT title:"satellite imag*"',
        {
            "all": ["$north-korea", {"near": {"terms": ["satellite", "launch*"], "within": 12}}],
            "none": [{"phrase": "satellite imag*", "in": ["title"]}],
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("query", "tree"), SAME)
def test_both_notations_give_the_same_clauses(query: str, tree: Any) -> None:
    one, issues = compile_rule(RuleSpec(id="r", when=query), CONCEPTS, COUNTRIES)
    other, _ = compile_rule(RuleSpec(id="r", when=tree), CONCEPTS, COUNTRIES)

    assert not issues
    assert one is not None
    assert one == other


def test_a_query_may_stand_wherever_a_clause_may() -> None:
    inside = {"any": ["kim NEAR/5 putin", {"all": ["xi1", 'title:"state visit"']}]}
    spelled = {
        "any": [
            {"near": {"terms": ["kim", "putin"], "within": 5}},
            {"all": ["xi1", {"phrase": "state visit", "in": "title"}]},
        ]
    }

    one, issues = compile_rule(RuleSpec(id="r", when=inside), CONCEPTS)
    other, _ = compile_rule(RuleSpec(id="r", when=spelled), CONCEPTS)

    assert (one, issues) == (other, [])


TERMS = [
    (
        {"near": {"terms": ["kim OR xi1", "putin"], "within": 5}},
        ("when", "near", "terms", 0),
        "'OR'",
    ),
    (
        {"same": {"sentence": ["kim", ["title:xi1"]]}},
        ("when", "same", "sentence", 1, 0),
        "'title:'",
    ),
]


@pytest.mark.parametrize(("when", "loc", "operator"), TERMS)
def test_an_operator_inside_a_term_is_refused(
    when: Any, loc: tuple[Any, ...], operator: str
) -> None:
    _, issues = compile_rule(RuleSpec(id="r", when=when), CONCEPTS)

    assert [(i.loc, i.what) for i in issues] == [(loc, f"{operator} is no operator inside a term")]


def test_a_phrase_that_is_named_so_means_its_words() -> None:
    when = {"near": {"terms": [{"phrase": "DO NOT TRAVEL"}, "putin"], "within": 5}}

    rule, issues = compile_rule(RuleSpec(id="r", when=when), CONCEPTS)

    assert not issues
    assert "DO NOT TRAVEL" in str(rule)


def test_a_mistake_in_a_concept_has_its_place() -> None:
    _, problems = compile_concepts(
        {"a": ConceptSpec(terms=("one", "b AND c")), "d": ConceptSpec(terms={"en": ("e*",)})}
    )

    assert [(p.concept, p.loc) for p in problems] == [
        ("a", ("terms", 1)),
        ("d", ("terms", "en", 0)),
    ]


REFUSED = [
    ("kim OR putin AND xi", "character 14: AND and OR are mixed"),
    ("kim OR NOT putin", "NOT beside OR is not clear"),
    ("north korea AND kim", "character 7: 'korea' follows 'north' without an operator"),
    ("(kim AND putin", "character 15: the query ends too early"),
    ('kim AND "putin', "character 9: a quote without its end"),
    ("kim)", "character 4: unexpected ')'"),
    ("kim AND ()", "character 10: unexpected ')'"),
    ("kim NEAR/2 putin NEAR/3 xi", "character 18: NEAR/3 follows NEAR/2"),
    ("kim NEAR putin", "character 5: 'NEAR' follows 'kim' without an operator"),
    ("title+lang:kim", "character 1: 'title+lang' mixes fields and facts"),
    ("(" * 5_000 + "kim" + ")" * 5_000, "character 42: nested too deeply"),
]


@pytest.mark.parametrize(("query", "what"), REFUSED, ids=[query[:30] for query, _ in REFUSED])
def test_what_is_unclear_is_refused_with_its_place(query: str, what: str) -> None:
    with pytest.raises(QueryError) as refused:
        read_query(query)

    assert refused.value.what == what
    assert refused.value.todo


@pytest.mark.parametrize(
    "text", ["north korea", "and then there were none", "AT&T", "U.S.-led", "near miss", "nOR", "12 of"]
)  # fmt: skip
def test_plain_words_are_a_phrase_not_a_query(text: str) -> None:
    assert not is_query(text)


def test_a_mistake_inside_a_query_belongs_to_its_text() -> None:
    _, issues = compile_rule(
        RuleSpec(id="r", when="kim AND $north-corea", unless=["sport", "a OR b AND c"]), CONCEPTS
    )

    assert [(i.loc, i.what) for i in issues] == [
        (("when",), "unknown concept $north-corea"),
        (("unless", 1), "character 8: AND and OR are mixed"),
    ]


def test_a_rule_nested_without_end_is_refused_and_never_exhausts_the_stack() -> None:
    tree: Any = "kim"
    for _ in range(5_000):
        tree = {"all": [tree]}

    rule, issues = compile_rule(RuleSpec.model_construct(id="r", when=tree), CONCEPTS)

    assert rule is None
    assert [issue.what for issue in issues] == ["nested too deeply"]
