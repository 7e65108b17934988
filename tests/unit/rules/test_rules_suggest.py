"""Suggested terms tell the wanted texts from the others."""

from datetime import UTC, datetime

from watcher.model import Article
from watcher.rules.suggest import contrast, terms_of
from watcher.rules.terms import phrase

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)


def articles(*titles: str) -> list[Article]:
    return [Article("a", "f", "", title, "", NOW) for title in titles]


MISSED = articles(
    "Malligyong reaches orbit",
    "The Malligyong probe is silent",
    "Malligyong fails again in the north",
)
NOISE = articles(
    "The north in winter", "Again rain in the north", "The ferry is late again", "Orbit of the moon"
)


def test_the_word_that_the_missed_share_and_noise_lacks_comes_first() -> None:
    found = contrast(MISSED, NOISE, MISSED + NOISE)

    assert (found[0].term, found[0].inside, found[0].wanted) == ("malligyong", 3, 3)
    assert (found[0].outside, found[0].others) == (0, 4)


def test_words_that_stand_everywhere_are_not_suggested() -> None:
    terms = [one.term for one in contrast(MISSED, NOISE, MISSED + NOISE)]

    assert "the" not in terms
    assert "north" not in terms


def test_a_term_of_the_rule_is_not_suggested_to_it() -> None:
    found = contrast(
        MISSED, NOISE, MISSED + NOISE, known=terms_of(phrase("Malligyong", plurals=True))
    )

    assert "malligyong" not in [one.term for one in found]


def test_a_single_text_says_nothing_and_neither_does_none() -> None:
    assert contrast(MISSED[:1], NOISE, MISSED + NOISE) == []
    assert contrast([], NOISE, NOISE) == []


def test_scripts_without_spaces_give_pairs_that_a_rule_can_hold() -> None:
    wanted = articles("北朝鮮が衛星を発射", "衛星の打ち上げに失敗", "衛星は軌道に")
    others = articles("北朝鮮の天気", "北朝鮮の農業", "東京の天気")

    found = contrast(wanted, others, wanted + others)

    assert "衛星" in [one.term for one in found]


def test_the_same_texts_give_the_same_suggestions_in_any_order() -> None:
    first = contrast(MISSED, NOISE, MISSED + NOISE)

    assert contrast(MISSED[::-1], NOISE[::-1], NOISE + MISSED) == first
