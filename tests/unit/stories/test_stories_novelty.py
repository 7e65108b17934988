"""What counts as new."""

from datetime import UTC, datetime

import pytest

from watcher.model import Article
from watcher.stories.novelty import novelty
from watcher.stories.similarity import similarity

NOW = datetime(2026, 5, 30, tzinfo=UTC)


def report(title: str, text: str = "", lang: str = "en") -> Article:
    return Article("a", "f", "", title, text, NOW, lang=lang)


FIRST = report(
    "North Korea fires rocket carrying satellite",
    "The rocket flew south, the military in Seoul said.",
)

CASES = [
    ("North Korea fires satellite rocket", "The rocket flew south.", "en", ()),
    ("Launch failed, officials say", "The rocket exploded.", "en", ("a failure",)),
    ("Pyongyang denies any launch", "", "en", ("a denial",)),
    ("Rocket flew 390 km", "", "en", ("the figure 390",)),
    ("It flew in 2026", "", "en", ()),
    (
        "Rocket watched from Okinawa",
        "People saw the rocket over Miyako Island.",
        "en",
        ("Okinawa", "Miyako Island"),
    ),
    ("朝鲜卫星发射失败", "", "zh", ("a failure",)),
    ("북한 위성 발사", "", "ko", ()),
]


@pytest.mark.parametrize(("title", "text", "lang", "expected"), CASES)
def test_a_report_is_new_by_what_it_adds(
    title: str, text: str, lang: str, expected: tuple[str, ...]
) -> None:
    assert novelty(report(title, text, lang), [FIRST]) == expected


def test_what_was_said_before_is_not_new_again() -> None:
    failed = report("Launch failed")

    assert novelty(report("Rocket failed shortly after launch"), [FIRST, failed]) == ()


def test_similarity_is_symmetric_and_bounded() -> None:
    left, right = "North Korea launches satellite", "Satellite launched by North Korea"

    assert similarity(left, right) == similarity(right, left)
    assert similarity(left, left) == 1.0
    assert similarity(left, "Ferry timetable changes") < 0.2 < similarity(left, right) <= 1.0
    assert similarity("", "x") == 0.0
