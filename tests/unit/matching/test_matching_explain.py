"""`explain` says what decided."""

from typing import Any

import pytest
from rule_maker import NOW, article, rule

from watcher.matching.explain import explain


def test_a_near_miss_tells_the_distance() -> None:
    made = rule({"all": ["$dprk", {"near": {"terms": ["satellite", "launch*"], "within": 3}}]})

    found = explain(made, article("Pyongyang satellite one two three four five launch"))

    assert not found.matched
    assert found.missing == "all but satellite near/3 launch*: 5 words between, 3 allowed"


def test_an_excluded_word_is_named() -> None:
    made = rule({"all": ["satellite"], "none": [{"phrase": "satellite imag*", "in": ["title"]}]})

    found = explain(made, article("Satellite images"))

    assert found.missing == "all but title: satellite imag* (excluded)"


def test_an_exception_is_named() -> None:
    found = explain(
        rule("satellite", unless=["satellite television"]), article("satellite television")
    )

    assert not found.matched
    assert found.missing == "cancelled by unless: satellite television"


def test_a_match_shows_where_each_clause_held() -> None:
    found = explain(rule({"all": ["$dprk", "rocket"]}), article("Pyongyang fires rocket"))

    assert found.matched
    assert [(step.clause, step.held, step.evidence[0].text) for step in found.when.parts] == [
        ("$dprk", True, "Pyongyang"),
        ("rocket", True, "rocket"),
    ]
    assert found.to_json()["when"]["parts"][0]["found"][0]["start"] == 0


def test_nothing_held_is_told_clause_by_clause() -> None:
    made = rule({"all": [{"all": ["satellite", "rocket"]}, "launch"]})

    assert (
        explain(made, article("ferry")).missing
        == "satellite: not found; rocket: not found; launch: not found"
    )


def test_of_several_ways_the_one_that_came_closest_is_told() -> None:
    made = rule(
        {
            "any": [
                {"all": ["balloon", "border", "leaflet"]},
                {"all": ["$dprk", "satellite", {"any": ["launch", "orbit"]}], "in": "title"},
            ]
        }
    )

    found = explain(made, article("Pyongyang shows satellite"))

    assert found.missing == "all but title: any of (launch | orbit): not found"


def test_an_exclusion_inside_a_scope_names_the_scope() -> None:
    made = rule({"all": ["satellite", {"in": "title", "all": ["$dprk"], "none": ["television"]}]})

    found = explain(made, article("Pyongyang satellite television"))

    assert found.missing == "all but title: television (excluded)"


def missing(when: Any, title: str = "", text: str = "", unless: Any = None, **fields: Any) -> str:
    return explain(rule(when, unless=unless), article(title, text, **fields)).missing


@pytest.mark.parametrize(
    ("when", "title", "told"),
    [
        (
            {"all": ["$dprk", {"near": {"terms": ["satellite", "launch*"], "within": 12}}]},
            "Pyongyang shows satellite",
            "all but satellite near/12 launch*: launch* not found",
        ),
        (
            {"near": {"terms": ["satellite", "launch*"], "within": 3, "ordered": True}},
            "launch of a satellite",
            "satellite near/3 before launch*: in another order",
        ),
        (
            {"near": {"terms": ["a b", "c d", "e f"], "within": 1}},
            "a b x x c d e f",
            "a b near/1 c d near/1 e f: 2 words between, 1 allowed",
        ),
        (
            {"at_least": {"count": 3, "of": ["train", "border", "visit", "summit"]}},
            "A train to the summit",
            "all but 2 of 3 in at least 3 of (train | border | visit | summit): "
            "nearest border: not found",
        ),
        (
            {"min_count": {"term": "kim", "count": 3}},
            "Kim and Kim",
            "kim ×3: found 2 of 3 times",
        ),
        (
            {"threshold": 3, "of": [{"phrase": "train", "weight": 2}, "border", "band"]},
            "A train",
            "2×train + 1×border + 1×band ≥ 3: 2 of 3",
        ),
        (
            {"not_near": {"term": "kim", "other": "kardashian", "within": 3}},
            "Kim Kardashian",
            "kim not near/3 kardashian: only within 3 words of kardashian",
        ),
        (
            {"same": {"sentence": ["kim", "train"]}},
            "Kim spoke. He left. The train came",
            "same sentence (kim & train): not all in one sentence: first in sentences 1, 3",
        ),
        ({"exact": "WHO"}, "Who knows", "exact \"WHO\": written 'Who'"),
        ("satellite launch", "satellite before its launch", "satellite launch: its words stand apart, 2 between"),
        ({"regex": "Hwasong-[0-9]+"}, "Hwasong", "/Hwasong-[0-9]+/: not found"),
        ("ferry", "", "ferry: not found"),
    ],
)  # fmt: skip
def test_a_miss_is_told_with_its_numbers(when: Any, title: str, told: str) -> None:
    assert missing(when, title) == told


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ({"lang": ["en", "de"]}, "lang in de, en: is ko"),
        ({"publisher": "reuters"}, "publisher in reuters: is Yonhap of yonhap"),
        ({"country": "gb"}, "country in GB: Yonhap is not of there"),
        ({"feed": "other"}, "feed in other: is feed"),
        ({"domain": "a.example"}, "domain in a.example: the link is https://b.example/1"),
        (
            {"published": {"after": "2026-06-01"}},
            "published 2026-06-01 00:00:00+00:00 to …: published 2026-05-30 12:00 UTC",
        ),
        ({"words": {"min": 50}}, "words 50–…: has 3"),
    ],
)
def test_a_fact_that_is_otherwise_is_told(when: Any, told: str) -> None:
    found = missing(
        {"all": ["rocket", when]}, "Rocket", "Some words here",
        lang="ko", publisher="Yonhap", family="yonhap", url="https://b.example/1", published=NOW,
    )  # fmt: skip

    assert found == f"all but {told}"


def test_a_term_in_the_wrong_field_is_told_where_it_is() -> None:
    when = {"all": ["rocket", {"phrase": "kim", "in": "title"}]}

    assert missing(when, "Rocket", "Kim came") == "all but title: kim: in body only"


def test_terms_in_different_fields_are_never_near() -> None:
    when = {"near": {"terms": ["kim", "rocket"], "within": 3}}

    assert missing(when, "Kim", "Rocket") == "kim near/3 rocket: not all of its terms in one field"


def test_among_ways_equally_far_the_one_that_holds_more_is_told() -> None:
    when = {"any": [{"all": ["ferry", "kim"]}, {"all": ["rocket", "korea", "moon"]}]}

    assert missing(when, "Kim, Korea and a rocket") == "all but moon: not found"


def test_a_near_too_far_is_nearer_than_a_word_that_is_not_there() -> None:
    when = {"any": ["moon", {"near": {"terms": ["kim", "rocket"], "within": 1}}]}

    assert (
        missing(when, "Kim saw the old rocket") == "kim near/1 rocket: 3 words between, 1 allowed"
    )


def test_several_exclusions_are_all_named() -> None:
    when = {"all": ["rocket"], "none": ["toy", "model", "moon"]}

    assert missing(when, "Toy rocket, model rocket") == "all but toy (excluded); model (excluded)"
