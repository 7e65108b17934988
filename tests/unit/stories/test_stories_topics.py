"""Reports that share a rule but no words: joined when it is safe, told apart when not."""

from datetime import UTC, datetime, timedelta

import pytest

from watcher.model import Article
from watcher.stories.grouping import SAME_TOPIC, StoryIndex

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
RULE = frozenset({"launch"})
ENGLISH = "North Korea launches rocket with satellite"
KOREAN = "합참 “북한, 군사정찰위성 발사”"


def article(name: str, title: str, lang: str | None, text: str = "") -> Article:
    return Article(name, "f", f"https://{name}.example/", title, text, NOW, family=name, lang=lang)


def join(
    second: Article, after: timedelta, topics: frozenset[str] = RULE, text: str = ""
) -> tuple[bool, str]:
    index = StoryIndex()
    index.assign(article("one", ENGLISH, "en", text), NOW, RULE)
    found = index.assign(second, NOW + after, topics)
    return not found.is_new, found.reason


def test_a_foreign_report_of_the_same_rule_soon_after_joins() -> None:
    assert join(article("two", KOREAN, "ko"), timedelta(minutes=20)) == (True, SAME_TOPIC)


def test_without_a_shared_rule_nothing_joins_across_languages() -> None:
    assert not join(article("two", KOREAN, "ko"), timedelta(minutes=20), frozenset())[0]
    assert not join(article("two", KOREAN, "ko"), timedelta(0), frozenset({"other"}))[0]


@pytest.mark.parametrize(("text", "joined"), [("", False), ("It flew 228 kilometres.", True)])
def test_hours_later_a_shared_fact_is_needed(text: str, joined: bool) -> None:
    later = article("two", KOREAN, "ko", "228킬로미터를 비행했다.")

    assert join(later, timedelta(hours=6), text=text)[0] is joined


def test_after_half_a_day_the_rule_says_nothing_any_more() -> None:
    later = article("two", KOREAN, "ko", "228킬로미터를 비행했다.")

    assert not join(later, timedelta(hours=13), text="It flew 228 kilometres.")[0]


def test_the_same_language_needs_shared_words_whatever_the_rule() -> None:
    assert not join(article("two", "Ferry timetable changes", "en"), timedelta(0))[0]
    assert not join(article("two", "Ferry timetable changes", "en-GB"), timedelta(0))[0]


def test_an_unknown_language_is_not_taken_for_a_foreign_one() -> None:
    assert not join(article("two", KOREAN, None), timedelta(0))[0]


def test_a_broad_rule_with_many_stories_joins_nothing() -> None:
    index = StoryIndex()
    for n, title in enumerate(["Markets slip", "Ferry sinks", "Choir sings", "Bridge opens", "Cat rescued"]):  # fmt: skip
        index.assign(article(f"a{n}", title, "en"), NOW, RULE)

    assert index.assign(article("b", KOREAN, "ko"), NOW, RULE).is_new


def test_a_restored_story_knows_its_rules() -> None:
    first = article("one", ENGLISH, "en")
    before, after = StoryIndex(), StoryIndex()
    made = before.assign(first, NOW, RULE)
    after.restore([(made.story, [(first, made.role)])])
    after.note_topics(made.story.id, RULE)

    assert after.assign(article("two", KOREAN, "ko"), NOW, RULE).story.id == made.story.id


def test_a_closed_story_leaves_nothing_behind() -> None:
    index = StoryIndex()
    index.assign(article("one", ENGLISH, "en"), NOW, RULE)
    index.expire(NOW + timedelta(days=4))

    assert index.assign(article("two", KOREAN, "ko"), NOW + timedelta(days=4), RULE).is_new


def test_no_story_goes_on_for_ever() -> None:
    index = StoryIndex()
    ids = {
        index.assign(article(f"a{n}", ENGLISH, "en"), NOW + timedelta(days=n), RULE).story.id
        for n in range(40)
    }

    assert len(ids) == 3
