"""What each operator of the rule language means, case by case."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from rule_maker import article, matches, rule

from watcher.matching.document import Document
from watcher.matching.evaluate import score
from watcher.matching.matcher import Matcher, match_rule

PHRASES = [
    ("satellite launch", "The satellite launch failed", True),
    ("satellite launch", "The launch of a satellite", False),
    ("satellite", "SATELLITES", True),
    ("city", "many cities", True),
    ("launch", "three launches", True),
    ("launch", "relaunch", False),
    ("North Korea", "north-korea's rocket", True),
    ("North Korea rocket", "North Korea’s rocket", True),
    ("Zurich", "in Zürich", True),
    ("strasse", "Straße", True),
    ("launch*", "launchpad", True),
    ("lau?ch", "launch", True),
    ("sat?llite", "sat3llite", True),
    ("衛星", "人工衛星打ち上げ", True),
    ("衛星", "衛生", False),
    ("위성", "위성을 발사", False),
    ("위성*", "위성을 발사", True),
    ("спутник*", "запуск спутника", True),
    ("C++", "c", True),
    ("$dprk", "Pyongyang said", True),
    ("$dprk", "北朝鮮が", True),
]


@pytest.mark.parametrize(("term", "text", "expected"), PHRASES)
def test_a_phrase_is_whole_words_folded(term: str, text: str, expected: bool) -> None:
    assert matches(term, text) is expected


def test_title_and_body_never_form_one_phrase() -> None:
    assert not matches("satellite launch", "A satellite", "launch today")


NEARS: list[tuple[dict[str, Any], str, bool]] = [
    ({"terms": ["satellite", "launch"], "within": 0}, "satellite launch", True),
    ({"terms": ["satellite", "launch"], "within": 0}, "satellite x launch", False),
    ({"terms": ["satellite", "launch"], "within": 1}, "launch of satellite", True),
    (
        {"terms": ["satellite", "launch"], "within": 1, "ordered": True},
        "launch of satellite",
        False,
    ),
    ({"terms": ["a b", "c d"], "within": 2}, "a b x y c d", True),
    ({"terms": ["a b", "c d"], "within": 1}, "a b x y c d", False),
    ({"terms": ["kim", "kim"], "within": 3}, "kim", False),
    ({"terms": ["kim", "kim"], "within": 3}, "kim and kim", True),
    ({"terms": ["one", "two", "three"], "within": 1}, "two x one x three", True),
    ({"terms": ["one", "two", "three"], "within": 1}, "one x two x x three", False),
    ({"terms": ["one", "two", "three"], "within": 1, "ordered": True}, "one two three", True),
    ({"terms": ["one", "two", "three"], "within": 1, "ordered": True}, "two one three", False),
    (
        {"terms": [["sputnik", "satellite"], ["fire*", "launch*"]], "within": 2},
        "fired a new satellite",
        True,
    ),
]


@pytest.mark.parametrize(("near", "text", "expected"), NEARS)
def test_near_counts_the_words_between(near: dict[str, Any], text: str, expected: bool) -> None:
    assert matches({"near": near}, text) is expected


OTHERS: list[tuple[Any, str, str, bool]] = [
    ({"all": ["a1", "b1"]}, "a1", "b1", True),
    ({"all": ["a1"], "none": ["b1"]}, "a1", "b1", False),
    ({"any": ["a1", "b1"]}, "", "b1", True),
    ({"at_least": {"count": 2, "of": ["a1", "b1", "c1"]}}, "a1 c1", "", True),
    ({"at_least": {"count": 2, "of": ["a1", "a1", "b1"]}}, "a1 a1", "", False),
    (
        {"not_near": {"term": "images", "other": "satellite", "within": 2}},
        "satellite images",
        "",
        False,
    ),
    (
        {"not_near": {"term": "images", "other": "satellite", "within": 2}},
        "satellite images",
        "x images",
        True,
    ),
    ({"same": {"sentence": ["kim", "putin"]}}, "", "Kim came. Putin left.", False),
    ({"same": {"sentence": ["kim", "putin"]}}, "", "Kim met Putin. All left.", True),
    ({"same": {"paragraph": ["kim", "putin"]}}, "", "Kim came. Putin left.", True),
    ({"same": {"paragraph": ["kim", "putin"]}}, "", "Kim came.\n\nPutin left.", False),
    ({"min_count": {"term": "kim", "count": 3}}, "kim kim", "kim", True),
    ({"min_count": {"term": "kim", "count": 3}}, "kim", "kim", False),
    ({"exact": "US"}, "Tell us", "", False),
    ({"exact": "US"}, "The US said", "", True),
    ({"exact": "US"}, "USA", "", False),
    ({"exact": "C++"}, "in C++.", "", True),
    ({"regex": r"Hwasong-\d+"}, "Hwasong-18 flew", "", True),
    ({"phrase": "kim", "in": ["title"]}, "", "kim", False),
    ({"phrase": "kim", "in": "body"}, "", "kim", True),
    ({"phrase": "kim", "in": "lead"}, "", "x\n\ny\n\nkim", False),
    ({"phrase": "kim", "in": "lead"}, "", "x\n\nkim\n\ny", True),
    ({"phrase": "kim", "in": "lead"}, "", "x " * 60 + "kim", False),
    ({"phrase": "衛星", "in": "lead"}, "", "彼" * 118 + "衛星", True),
    ({"phrase": "衛星", "in": "lead"}, "", "彼" * 119 + "衛星", False),
    ({"phrase": "kim", "in": "lead"}, "", "彼" * 60 + "x " * 29 + "kim", True),
    ({"phrase": "kim", "in": "lead"}, "", "彼" * 60 + "x " * 30 + "kim", False),
    ({"words": {"min": 3}, "phrase": "a1"}, "", "a1 b1", False),
]


@pytest.mark.parametrize(("when", "title", "text", "expected"), OTHERS)
def test_operators_mean_what_the_manual_says(
    when: Any, title: str, text: str, expected: bool
) -> None:
    assert matches(when, title, text) is expected


FACTS: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({"lang": "ko"}, {"lang": "ko-KR"}, True),
    ({"lang": ["ko", "ja"]}, {"lang": "en"}, False),
    ({"publisher": "Sample Post"}, {"publisher": "sample post"}, True),
    ({"country": "kr"}, {"publisher": "Yonhap"}, True),
    ({"country": ["KR", "GB"]}, {"publisher": "Reuters"}, True),
    ({"country": "KR"}, {"publisher": "Reuters", "family": "yonhap"}, False),
    ({"country": "KR"}, {}, False),
    ({"domain": "sample.example"}, {"url": "https://news.sample.example/1"}, True),
    ({"domain": "ample.example"}, {"url": "https://sample.example/1"}, False),
    (
        {"published": {"after": "2026-05-30"}},
        {"published": datetime(2026, 5, 29, tzinfo=UTC)},
        False,
    ),
    (
        {"published": {"before": "2026-05-30"}},
        {"published": datetime(2026, 5, 29, tzinfo=UTC)},
        True,
    ),
    ({"phrase": "rocket", "in": "tag"}, {"tags": ("Rockets",)}, True),
    ({"phrase": "kim", "in": "author"}, {"author": "Jo Kim"}, True),
    ({"phrase": "sport", "in": "url"}, {"url": "https://sample.example/sport/1"}, True),
]


@pytest.mark.parametrize(("fact", "fields", "expected"), FACTS)
def test_facts_about_the_article_can_be_asked(
    fact: dict[str, Any], fields: dict[str, Any], expected: bool
) -> None:
    assert matches({"all": ["word", fact]}, "word", **fields) is expected


def test_weights_add_up_to_a_score() -> None:
    when = {
        "threshold": 3,
        "of": [{"phrase": "rocket", "weight": 2}, "satellite", {"phrase": "toy", "weight": -2}],
    }
    made = rule(when)

    both, spoiled = (Document(article(t)) for t in ("rocket satellite", "toy rocket satellite"))

    assert match_rule(made, both) is not None
    assert score(made.when, both) == 3
    assert match_rule(made, spoiled) is None


def test_an_exception_cancels_a_hit() -> None:
    made = rule("satellite", unless=["satellite television"])

    assert match_rule(made, Document(article("satellite rises"))) is not None
    assert match_rule(made, Document(article("satellite rises", "satellite television"))) is None


def test_evidence_points_into_the_original_text() -> None:
    found = match_rule(
        rule({"all": ["$dprk", "fire*"]}),
        Document(article("Ｎorth Korea’s missiles", "It fired ﬁve.")),
    )

    assert found is not None
    assert [(e.field, e.text, e.clause) for e in found.evidence] == [
        ("title", "Ｎorth Korea", "$dprk"),
        ("body", "fired", "fire*"),
    ]


def test_a_rule_that_raises_does_not_stop_the_others() -> None:
    good, broken = rule("kim"), rule("kim")
    object.__setattr__(broken, "id", "broken")
    object.__setattr__(broken, "when", "no clause at all")

    from watcher.matching.index import NoPrefilter

    matcher = Matcher([broken, good], prefilter=NoPrefilter)
    found = matcher.match(article("kim"))

    assert [m.rule for m in found] == ["r"]
    assert list(matcher.errors) == ["broken"]


def test_hostile_repetition_stays_cheap() -> None:
    text = "kim " * 30_000
    whens = [
        {"near": {"terms": ["kim", "launch"], "within": 5}},
        {"near": {"terms": ["kim", "kim", "launch"], "within": 5}},
        {"not_near": {"term": "kim", "other": "kim", "within": 5}},
        {"same": {"sentence": ["kim", "launch"]}},
    ]

    started = time.process_time()
    for when in whens:
        matches(when, "", text)

    # A quadratic search would take minutes; the bound is far from both.
    assert time.process_time() - started < 20
