"""Lint finds what is hardly meant, and is silent about what is."""

from datetime import UTC, datetime
from typing import Any

import pytest

from watcher.rules.compile import compile_concepts
from watcher.rules.implies import covers, implied
from watcher.rules.lint import Lint, Seen, Smell, lint_rule
from watcher.rules.schema import ConceptSpec, RuleSpec
from watcher.rules.terms import phrase

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
COUNTRIES = {"KR": frozenset({"yonhap"}), "JP": frozenset({"nhk", "kyodo"})}
CONCEPTS, _ = compile_concepts({"north": ConceptSpec(terms=("North Korea", "DPRK"))})


def smells(when: Any, seen: Seen | None = None, **fields: Any) -> list[Smell]:
    spec = RuleSpec.model_validate({"id": "r", "when": when, **fields})
    return [lint.smell for lint in lint_rule(spec, CONCEPTS, COUNTRIES, now=NOW, seen=seen)]


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("launch", "satellite launch"),
        ("launch", "Launches"),
        ("launch*", "launched"),
        ("laun*", "launch*"),
        ("satellite launch*", "the satellite launcher"),
        ("Séoul", "seoul"),
        ("朝鮮", "北朝鮮"),
    ],
)
def test_a_phrase_covers_what_it_always_finds(wide: str, narrow: str) -> None:
    assert covers(phrase(wide), phrase(narrow))


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("satellite launch", "launch"),
        ("launched", "launch*"),
        ("launch", "relaunch"),
        ("satellite images", "satellite image"),
        ("a b", "a x b"),
        ("lau?", "launch"),
    ],
)
def test_a_phrase_does_not_cover_what_it_may_miss(wide: str, narrow: str) -> None:
    assert not covers(phrase(wide), phrase(narrow))


def test_english_forms_count_only_where_they_are_found() -> None:
    assert covers(phrase("lau?ch"), phrase("launch", plurals=False))
    assert not covers(phrase("launch", plurals=False), phrase("launch"))


def test_a_stem_covers_only_where_the_same_endings_may_vary() -> None:
    loose, strict = phrase("запуск", stems=("ru",)), phrase("запуск")

    assert covers(loose, strict)
    assert not covers(strict, loose)


def test_a_concept_is_implied_by_a_part_of_it() -> None:
    assert implied(CONCEPTS["north"], phrase("North Korea rocket"))
    assert not implied(phrase("North Korea"), CONCEPTS["north"])


@pytest.mark.parametrize(
    "when",
    [
        {"all": ["$north", {"near": {"terms": ["satellite", "launch*"], "within": 12}}]},
        {"all": ["satellite images"], "none": [{"phrase": "satellite", "in": "title"}]},
        {"all": ["satellite"], "none": ["satellite images"]},
        {"not_near": {"term": "satellite", "other": "satellite image", "within": 3}},
        {"threshold": 2, "of": ["a b", "c d", {"phrase": "e f", "weight": -1}]},
        {"all": ["x y", {"lang": ["en", "de"]}, {"lang": "en-GB"}, {"domain": "a.b"}]},
        {"all": ["x y", {"published": {"after": "2026-01-01"}}, {"words": {"min": 1}}]},
        {"any": ["rocket", {"all": ["rocket launch", "$north"]}]},
        "satellite NEAR/12 launch*",
        {"exact": "US"},
    ],
)
def test_what_is_meant_is_left_alone(when: Any) -> None:
    assert smells(when) == []


def test_an_exception_that_cancels_some_hits_is_what_exceptions_are_for() -> None:
    assert smells("satellite", unless=["satellite television", {"lang": "fr"}]) == []
    assert smells("satellite", unless="satellite*") == [Smell.CANCELLED]
    assert smells("satellite", unless={"any": ["toy", "satellite"]}) == [Smell.CANCELLED]


def test_operators_side_by_side_are_looked_at_each() -> None:
    found = smells({"all": ["korea"], "words": {"min": 9, "max": 1}, "threshold": 3, "of": ["a b"]})

    assert found == [Smell.NEVER, Smell.NEVER]


def test_countries_without_a_common_publisher_exclude_each_other() -> None:
    assert smells({"all": ["rocket", {"country": "KR"}, {"country": "JP"}]}) == [Smell.NEVER]
    assert smells({"all": ["rocket", {"country": ["KR", "JP"]}, {"country": "JP"}]}) == []


def test_a_wildcard_inside_exact_is_told_of() -> None:
    assert smells({"exact": "Sohae*"}) == [Smell.NEVER]
    assert smells({"exact": "Sohae"}) == []


def test_a_joining_word_in_small_letters_is_hinted_at() -> None:
    assert smells("satellite and launch") == [Smell.PLAIN_WORD]
    assert smells({"phrase": "search and rescue", "in": "title"}) == []
    assert smells("and then there were none") == []
    assert Lint(("when",), Smell.PLAIN_WORD, "", "").is_hint


def test_the_archive_tells_what_is_common_and_what_is_noise() -> None:
    seen = Seen(1000, {"korea": 300, "rocket": 3}, {"r": 200})

    assert smells({"any": ["korea", "rocket"]}, seen) == [Smell.TOO_COMMON, Smell.TOO_MUCH]
    assert smells({"all": ["korea", "rocket"]}, seen) == [Smell.TOO_MUCH]


def test_a_small_archive_says_nothing() -> None:
    seen = Seen(100, {"korea": 90}, {"r": 90}, stored=100)

    assert smells("korea", seen) == []


def test_a_rule_that_never_matched_is_told_once_there_was_a_chance() -> None:
    assert smells("korea", Seen(2000, stored=2000)) == [Smell.NEVER_MATCHED]
    assert smells("korea", Seen(2000, stored=9000, ever={"r": 1})) == []


def test_a_list_of_thousands_is_looked_at_in_no_time() -> None:
    words = [f"w{n}x y{n % 7}" for n in range(3000)]

    assert smells({"any": [*words, "w17x y3 z"]}) == [Smell.COVERED]
