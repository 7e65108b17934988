"""Words found by their stem, in the languages a rule or concept names."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from watcher.matching.document import Document
from watcher.matching.evaluate import holds
from watcher.matching.matcher import Matcher
from watcher.model import Article
from watcher.rules.compile import Rule, compile_concepts, compile_rule
from watcher.rules.schema import ConceptSpec, RuleSpec

NOW = datetime(2026, 5, 30, tzinfo=UTC)


def rule(when: object, stems: tuple[str, ...], **concepts: ConceptSpec) -> Rule:
    made, problems = compile_concepts(concepts)
    found, issues = compile_rule(RuleSpec(id="r", when=when, stems=stems), made)
    assert found is not None, (issues, problems)
    return found


def caught(made: Rule, title: str) -> bool:
    article = Article("a", "f", "https://sample.example/1", title, "", NOW)
    hits = Matcher([made]).hits(article)
    assert bool(hits) == (holds(made.when, Document(article)) is not None)
    return bool(hits)


@pytest.mark.parametrize(
    ("term", "language", "title"),
    [
        ("запуск", "ru", "О запусках спутников"),
        ("северокорейский спутник", "ru", "Обломки северокорейского спутника"),
        ("Rakete", "de", "Die Raketen von gestern"),
        ("lanzamiento", "es", "Los lanzamientos fallidos"),
        ("launch", "en", "Launching soon"),
        ("réunion", "fr", "REUNION"),
    ],
)
def test_a_word_is_found_in_other_endings(term: str, language: str, title: str) -> None:
    assert caught(rule(term, (language,)), title)


@pytest.mark.parametrize("title", ["О запусках", "Запуск"])
def test_without_stems_only_the_word_itself_is_found(title: str) -> None:
    assert caught(rule("запуск", ()), title) is (title == "Запуск")


def test_another_word_of_the_same_beginning_is_not_found() -> None:
    assert not caught(rule("запуск", ("ru",)), "Запущенный сад")


def test_nearness_counts_stemmed_words() -> None:
    near = rule({"near": {"terms": ["запуск", "спутник"], "within": 1}}, ("ru",))

    assert caught(near, "О запусках этих спутников")
    assert not caught(near, "О запусках этих больших спутников")


def test_terms_of_a_concept_follow_their_own_language() -> None:
    concept = ConceptSpec(terms={"ru": ("спутник",), "en": ("rocket",)}, stems=("ru",))
    made = rule("$thing", (), thing=concept)

    assert caught(made, "О спутниках")
    assert caught(made, "rockets")
    assert not caught(made, "rocketing")


def test_a_wildcard_and_an_exact_term_stay_as_they_are() -> None:
    assert not caught(rule("запуск?", ("ru",)), "О запусках")
    assert not caught(rule({"exact": "Rakete"}, ("de",)), "Raketen")


def test_a_language_without_a_stemmer_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValidationError, match=r"no stems for 'ko': choose of .*\bru\b"):
        RuleSpec(id="r", when="x", stems=("ko",))
