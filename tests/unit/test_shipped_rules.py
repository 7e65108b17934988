"""The configuration we ship: its rules pass their own tests and hold on hand-labelled headlines.

The labelled headlines are in our own words. Tuning has seen them, so what they prove is that a
change loses nothing; docs/decisions/0020 has the figures of first contact.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from watcher.config.yaml import read_yaml
from watcher.matching.matcher import Matcher
from watcher.model import Article
from watcher.rules.compile import Rule, compile_concepts, compile_rules
from watcher.rules.schema import ConceptFile, RuleFile, Sample
from watcher.rules.testing import article_of, run_tests
from watcher.sources.settings import FeedFile
from watcher.stories.publishers import PublisherFile, PublisherTable

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config"
LABELLED = ROOT / "tests" / "data" / "labelled"
LANGUAGES = {"en", "ko", "ja", "zh", "ru", "de", "fr", "es"}
RULES = [
    "kim-jong-un-state-trip",
    "north-korea-satellite-launch",
    "north-korean-troops-in-russia",
    "russian-technology-transfer",
    "south-korea-arming-kyiv",
    "western-arms-restrictions-ukraine",
]
# A smaller set says little, and half of it should be hard to tell apart.
LEAST_ITEMS, LEAST_NOISE_SHARE = 150, 0.4
LEAST_TESTS = 15
PRECISION, RECALL = 0.97, 0.97


@dataclass(frozen=True, slots=True)
class Labelled:
    article: Article
    relevant: bool
    event: str | None
    lang: str


def data_of(path: Path) -> Any:
    document = read_yaml(path.read_bytes(), path.name)
    assert not document.problems
    return document.data


@cache
def shipped_rules() -> Mapping[str, Rule]:
    concepts, concept_problems = compile_concepts(
        ConceptFile.model_validate(data_of(CONFIG / "concepts.yaml")).concepts
    )
    specs = [
        spec
        for path in sorted((CONFIG / "rules").glob("*.yaml"))
        for spec in RuleFile.model_validate(data_of(path)).rules
    ]
    rules, problems = compile_rules(specs, concepts)
    assert not concept_problems
    assert not problems
    return {rule.id: rule for rule in rules}


@cache
def labelled(rule_id: str) -> tuple[Labelled, ...]:
    return tuple(_read(rule_id))


@cache
def caught(rule_id: str) -> frozenset[Labelled]:
    """What the rule matches of its labelled headlines."""
    matcher = Matcher([shipped_rules()[rule_id]])
    return frozenset(item for item in labelled(rule_id) if matches(matcher, item.article))


def _read(rule_id: str) -> Iterator[Labelled]:
    for item in data_of(LABELLED / f"{rule_id}.yaml")["items"]:
        sample = Sample(title=item["title"], text=item.get("text", ""), lang=item["lang"])
        assert item["label"] in {"relevant", "noise"}
        yield Labelled(
            article_of(sample), item["label"] == "relevant", item.get("event"), item["lang"]
        )


def matches(matcher: Matcher, article: Article) -> bool:
    return bool(matcher.match(article))


def test_the_six_rules_are_shipped() -> None:
    assert sorted(shipped_rules()) == RULES


@pytest.mark.parametrize("rule_id", RULES)
def test_a_shipped_rule_passes_the_tests_written_in_it(rule_id: str) -> None:
    rule = shipped_rules()[rule_id]
    matcher = Matcher([rule])

    outcomes = run_tests(rule, lambda _, article, __: (matches(matcher, article), ""))

    failed = [(o.expected, o.sample.title) for o in outcomes if not o.passed]
    assert len(outcomes) >= LEAST_TESTS
    assert not failed


@pytest.mark.parametrize("rule_id", RULES)
def test_a_shipped_rule_finds_what_a_person_called_relevant_and_little_else(rule_id: str) -> None:
    items, found = labelled(rule_id), caught(rule_id)

    wrong = [item.article.title for item in found if not item.relevant]
    missed = [i.article.title for i in items if i.relevant and i not in found]

    precision = 1 - len(wrong) / len(found)
    recall = 1 - len(missed) / sum(item.relevant for item in items)
    figures = f"n={len(items)} P={precision:.3f} R={recall:.3f}"
    assert precision >= PRECISION, f"{figures}, wrong: {wrong}"
    assert recall >= RECALL, f"{figures}, missed: {missed}"


@pytest.mark.parametrize("rule_id", RULES)
def test_every_labelled_event_is_found_at_least_once(rule_id: str) -> None:
    wanted = {item.event for item in labelled(rule_id) if item.relevant}

    found = {item.event for item in caught(rule_id)}

    assert wanted <= found


@pytest.mark.parametrize("rule_id", RULES)
def test_the_labelled_set_is_large_hard_and_speaks_eight_languages(rule_id: str) -> None:
    items = labelled(rule_id)
    noise = [item for item in items if not item.relevant]

    assert len(items) >= LEAST_ITEMS
    assert len(noise) >= LEAST_NOISE_SHARE * len(items)
    assert {i.lang for i in items} == {i.lang for i in noise} == LANGUAGES
    assert len({item.article.title for item in items}) == len(items)


def test_shipped_feeds_name_publishers_that_are_known() -> None:
    feeds = FeedFile.model_validate(data_of(CONFIG / "feeds.yaml")).feeds
    publishers = PublisherFile.model_validate(data_of(CONFIG / "publishers.yaml")).publishers
    known = {name for p in publishers for name in (p.name, *p.names)}

    unknown = {feed.publisher for feed in feeds if feed.publisher} - known

    assert len([feed for feed in feeds if feed.enabled]) >= 40
    assert len(publishers) >= 80
    assert unknown == set()


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("SEOUL, May 28 (Yonhap) -- The rocket exploded.", "yonhap"),
        ("MOSCOW, Sept 13 (Reuters) - The train arrived.", "reuters"),
        ("The Korean Central News Agency (KCNA) said on Tuesday that it failed.", "the-paper"),
        ("Troops march in a square. (Yonhap)", "the-paper"),
    ],
)
def test_a_wires_dateline_makes_a_copy_and_its_mention_does_not(text: str, family: str) -> None:
    file = PublisherFile.model_validate(data_of(CONFIG / "publishers.yaml"))
    table = PublisherTable(file.publishers)

    whose = table.resolve(
        publisher="The Paper",
        url=None,
        title="A title",
        author=None,
        text=text,
        feed_publisher=None,
    )

    assert whose.family == family
