"""What counts as new."""

from datetime import UTC, datetime

import pytest

from watcher.model import Article
from watcher.stories.claims import claims
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
    ("Rocket watched from Okinawa", "", "en-GB", ("Okinawa",)),
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


TRIP = (
    "Kim to visit Russia",
    "Kim Jong Un will travel to Russia for talks with Putin, officials in Seoul said.",
)
STAGES = [
    (
        ["Kim arrives in Vladivostok"],
        ("an arrival", "Vladivostok"),
        "what was only announced happens",
    ),
    (["Kim Arrives In Vladivostok"], ("an arrival",), "headlines in capitals name nobody"),
    (["Kim to meet Putin in Russia"], (), "announced again"),
    (["Kim could visit Russia soon"], (), "less sure than announced"),
    (["Putin and Kim hold talks"], ("talks, announced before",), "talks begin"),
    (["Kim visits Russia"], ("a visit, announced before",), "the visit itself"),
    (["Putin and Kim hold talks", "Putin and Kim meet"], (), "the same stage again"),
    (["Putin and Kim hold talks", "Talks end in Russia"], ("talks, now over",), "they end"),
    (["Kim ends visit to Russia"], ("a visit, now over",), "over at once"),
    (["Kremlin confirms Kim visit"], ("a confirmation", "a visit, announced before"), "confirmed"),
    (["Russia denies Kim visit planned"], ("a denial",), "denied: nothing happens"),
    (["Kim cancels visit"], ("a date or postponement",), "cancelled: nothing happens"),
    (["Kim and Putin sign treaty"], ("an agreement",), "never announced"),
    (["Kim and Putin to sign treaty"], ("plans for an agreement",), "a plan nobody knew"),
]


@pytest.mark.parametrize(("titles", "expected", "_why"), STAGES)
def test_an_event_is_new_when_it_comes_further(
    titles: list[str], expected: tuple[str, ...], _why: str
) -> None:
    *earlier, last = [report(title) for title in titles]

    assert novelty(last, [report(*TRIP), *earlier]) == expected


FOREIGN_STAGES = [
    ("Ким Чен Ын планирует посетить Россию", "ru", ()),
    ("Ким Чен Ын прибыл во Владивосток", "ru", ("an arrival",)),
    ("金正恩抵达俄罗斯", "zh", ("an arrival",)),
    ("金正恩将访问俄罗斯", "zh", ()),
    ("김정은 러시아 방문 예정", "ko", ()),
    ("김정은 블라디보스토크 도착", "ko", ("an arrival",)),
    ("金総書記とプーチン氏が会談", "ja", ("talks, announced before",)),
    ("Kim soll Russland besuchen", "de", ()),
]


@pytest.mark.parametrize(("title", "lang", "expected"), FOREIGN_STAGES)
def test_stages_are_told_apart_in_other_languages(
    title: str, lang: str, expected: tuple[str, ...]
) -> None:
    assert novelty(report(title, lang=lang), [report(*TRIP)]) == expected


TOLL = ("Quake kills 98", "At least 98 people were killed and 340 injured on Monday, police said.")
SMALL = [
    "About 100 killed in quake",
    "Quake kills 98 people, 350 injured",
    "Quake kills 98 at 14:30 local time",
    "Quake kills 98, struck at 6.45 am",
    "Quake on Tuesday 12 May kills 98",
    "May 12 quake kills 98",
    "98 killed in quake, 47-year-old rescued after 36 hours",
    "Quake kills 98 in 2026",
    "The 25th quake since March kills 98",
    "Quake kills 98, Reuters reports from Monday",
    "Quake of 2026-05-12 kills 98",
]


@pytest.mark.parametrize("title", SMALL)
def test_days_times_ages_and_rounded_figures_are_no_news(title: str) -> None:
    assert novelty(report(title), [report(*TOLL)]) == ()


GROWN = [
    ("Quake kills 160", ("the figure 160",)),
    ("Toll rises: 160 people killed", ("the figure 160 (98 before)",)),
    ("Quake damage at $1.5 billion", ("the figure 1.5 billion",)),
    ("2,000 homes lost in quake", ("the figure 2,000",)),
]


@pytest.mark.parametrize(("title", "expected"), GROWN)
def test_a_figure_is_news_when_it_says_something_else(
    title: str, expected: tuple[str, ...]
) -> None:
    assert novelty(report(title), [report(*TOLL)]) == expected


def test_a_department_has_not_departed_and_reports_postpone_nothing() -> None:
    found = claims("The State Department successor reports to a reporter in New York")

    assert found == []


def test_news_further_down_a_report_is_background() -> None:
    text = "The rocket flew south. " * 20 + "Years ago a launch failed and was denied."

    assert novelty(report("North Korea fires rocket", text), [FIRST]) == ()


def test_a_denial_in_an_old_background_paragraph_does_not_silence_a_real_one() -> None:
    first = report("Rocket launched", "It flew south. " * 40 + "Officials denied it years ago.")

    assert novelty(report("Pyongyang denies launch"), [first])[0] == "a denial"


def test_the_name_of_an_outlet_or_an_office_is_no_news() -> None:
    later = report("Rocket seen over sea, Foreign Minister tells Reuters on Friday")

    assert novelty(later, [FIRST]) == ()


def test_similarity_is_symmetric_and_bounded() -> None:
    left, right = "North Korea launches satellite", "Satellite launched by North Korea"

    assert similarity(left, right) == similarity(right, left)
    assert similarity(left, left) == 1.0
    assert similarity(left, "Ferry timetable changes") < 0.2 < similarity(left, right) <= 1.0
    assert similarity("", "x") == 0.0
