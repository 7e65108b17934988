"""Which articles become one story, and what counts as a copy."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from watcher.model import Article, Role, StoryStatus
from watcher.stories.features import address_words
from watcher.stories.grouping import StoryIndex

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
LAUNCH = "North Korea fires rocket carrying satellite, South Korea says"
BODY = (
    "North Korea launched a rocket carrying a satellite on Saturday evening, the military in Seoul said. "
    "It flew south from the Sohae site over the Yellow Sea. Japan told people in Okinawa to take cover."
)


def article(n: int, title: str, text: str = "", publisher: str = "", **fields: object) -> Article:
    name = publisher or f"Sample {n}"
    return Article(
        f"a{n}",
        "f",
        f"https://sample{n}.example/{n}",
        title,
        text,
        NOW,
        publisher=name,
        family=name.casefold(),
        lang="en",
        **fields,
    )  # type: ignore[arg-type]


def test_reports_of_one_event_are_one_story() -> None:
    index = StoryIndex()

    first = index.assign(article(1, LAUNCH, BODY), NOW)
    second = index.assign(
        article(
            2,
            "Seoul: rocket with satellite fired from North Korea's Sohae site",
            "The rocket flew over the Yellow Sea.",
        ),
        NOW,
    )
    other = index.assign(
        article(3, "Ferry timetable changes for summer", "Two crossings a day are added."), NOW
    )

    assert (first.is_new, first.role) == (True, Role.FIRST)
    assert second.story.id == first.story.id
    assert second.role is Role.REPORT
    assert other.story.id != first.story.id


def test_the_same_text_elsewhere_is_a_copy_and_counts_once() -> None:
    index = StoryIndex()
    index.assign(article(1, LAUNCH, BODY, "Sample Wire"), NOW)

    copied = index.assign(article(2, "Rocket launched by North", BODY, "Sample Mail"), NOW)

    assert copied.role is Role.COPY
    assert copied.story.families == {"sample wire"}
    assert copied.story.articles == 2


@pytest.mark.parametrize(
    ("title", "text", "role"),
    [
        (LAUNCH.upper(), "", Role.COPY),
        (LAUNCH + "!", BODY, Role.COPY),
        (
            LAUNCH,
            "Fishermen off Jeju saw a bright trail and heard nothing at all. " * 3,
            Role.REPORT,
        ),
        (LAUNCH.replace("fires", "launches"), "", Role.REPORT),
    ],
)
def test_one_headline_is_a_copy_unless_each_has_its_own_text(
    title: str, text: str, role: Role
) -> None:
    index = StoryIndex()
    index.assign(article(1, LAUNCH, BODY if text else ""), NOW)

    assert index.assign(article(2, title, text), NOW).role is role


def test_sister_sites_share_a_family_and_count_once() -> None:
    index = StoryIndex()
    index.assign(article(1, LAUNCH, BODY, "Sample Wire"), NOW)
    sister = replace(
        article(
            2,
            LAUNCH.replace("fires", "launches"),
            BODY[:150] + " More to come.",
            "Sample Wire Asia",
        ),
        family="sample wire",
    )

    assert index.assign(sister, NOW).role is Role.COPY


def test_the_same_link_is_the_same_story_whatever_the_words() -> None:
    index = StoryIndex()
    first = index.assign(article(1, LAUNCH, BODY), NOW)
    twin = replace(
        article(2, "Completely different headline here"),
        url="http://www.sample1.example/1?utm_source=x",
    )

    found = index.assign(twin, NOW)

    assert found.story.id == first.story.id
    assert found.reason == "same link"


def test_a_story_ends_with_its_window() -> None:
    index = StoryIndex(window=timedelta(hours=10))
    first = index.assign(article(1, LAUNCH, BODY), NOW)

    later = index.assign(article(2, LAUNCH, BODY), NOW + timedelta(hours=11))

    assert later.story.id != first.story.id


def test_stories_go_quiet_then_close_and_are_forgotten() -> None:
    index = StoryIndex(window=timedelta(hours=72))
    story = index.assign(article(1, LAUNCH, BODY), NOW).story

    quiet = index.expire(NOW + timedelta(hours=25))
    again = index.expire(NOW + timedelta(hours=26))
    closed = index.expire(NOW + timedelta(hours=73))

    assert [(s.id, s.status) for s in quiet] == [(story.id, StoryStatus.QUIET)]
    assert not again
    assert [s.status for s in closed] == [StoryStatus.CLOSED]
    assert len(index) == 0


def test_a_revision_stays_in_its_story_and_adds_nothing() -> None:
    index = StoryIndex()
    first = index.assign(article(1, LAUNCH, BODY), NOW)

    again = index.assign(article(1, "Corrected: nothing of the kind", ""), NOW)

    assert again.story == first.story
    assert again.reason == "revision"


def test_a_restored_index_goes_on_as_if_it_had_never_stopped() -> None:
    articles = [article(n, f"{LAUNCH} {n}", BODY + f" Update {n}.") for n in range(3)]
    straight, before, after = StoryIndex(), StoryIndex(), StoryIndex()
    for one in articles:
        straight.assign(one, NOW)
    kept = [before.assign(one, NOW) for one in articles[:2]]
    after.restore(
        [(kept[-1].story, [(a, k.role) for a, k in zip(articles[:2], kept, strict=True)])]
    )

    resumed = after.assign(articles[2], NOW)

    assert resumed.story.id == kept[0].story.id
    assert resumed.story.articles == 3


def test_grouping_is_deterministic() -> None:
    def run() -> list[str]:
        index = StoryIndex()
        titles = [
            LAUNCH,
            "Markets slip",
            "Rocket exploded after lift-off",
            "Markets slip again",
            "Satellite lost",
        ]
        return [
            index.assign(article(n, t, BODY if n % 2 == 0 else ""), NOW).story.id
            for n, t in enumerate(titles)
        ]

    assert run() == run()


def test_a_wires_next_take_is_a_report_when_it_claims_more() -> None:
    index = StoryIndex()
    index.assign(article(1, LAUNCH, BODY, "Sample Wire"), NOW)
    takes = [
        index.assign(article(n, title, BODY, publisher), NOW).role
        for n, (title, publisher) in enumerate(
            [
                ("UPDATE 1 - " + LAUNCH, "Sample Wire"),
                ("UPDATE 2 - Seoul says North Korea's satellite launch failed", "Sample Wire"),
                ("UPDATE 3 - Seoul says North Korean satellite launch failed", "Sample Wire"),
                ("North Korea denies its launch failed", "Sample Mail"),
            ],
            2,
        )
    ]

    assert takes == [Role.COPY, Role.REPORT, Role.COPY, Role.COPY]


def test_a_thing_is_one_word_by_any_of_its_names() -> None:
    index = StoryIndex()
    first = index.assign(article(1, "Quake hits Turkey, 20 dead"), NOW)

    assert index.assign(article(2, "Strong earthquake in Ankara"), NOW).story.id == first.story.id
    assert index.assign(article(3, "Strong storm in Lisbon"), NOW).story.id != first.story.id


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://a.example/2026/05/north-korea-fires_rocket.html?a-b-c-d", "north korea fires rocket"),
        ("https://a.example/world/asia-news/12345", ""),
        ("https://a.example/rss/articles/CBMiXk-ABc-DEf-GHi", ""),
        ("https://some-host-with-words.example/", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_a_link_says_as_much_as_its_readable_part(url: str, words: str) -> None:
    assert address_words(url) == words


@pytest.mark.parametrize(
    ("link", "joins"),
    [
        ("https://b.example/8", False),
        ("https://b.example/north-korea-fires-rocket-carrying-satellite-seoul-says", True),
    ],
)
def test_a_short_headline_is_recognised_by_the_words_of_its_link(link: str, joins: bool) -> None:
    index = StoryIndex()
    first = index.assign(article(1, LAUNCH, BODY), NOW)
    for n in range(2, 8):  # so that words are known for rare or common
        index.assign(article(n, f"Ferry number {n} timetable changes {n * 7}"), NOW)
    short = index.assign(replace(article(8, "It is up in the sky"), url=link), NOW)

    assert (short.story.id == first.story.id) is joins
