"""Languages as feeds and users write them."""

from datetime import UTC, datetime

import pytest

from watcher.languages import known_language, language_tag
from watcher.model import Article, Entry
from watcher.normalise import to_article
from watcher.stories.publishers import PublisherTable


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ("en", "en"),
        ("EN-us", "en-us"),
        (" zh_CN ", "zh-CN"),
        ("cs_CZ.UTF-8", "cs-CZ"),
        ("sr-Latn-RS", "sr-Latn-RS"),
        ("en, de", "en"),
        ("kr", "ko"),
        ("jp-JP", "ja-JP"),
        ("yue", "yue"),
    ],
)
def test_what_feeds_say_becomes_a_tag(said: str, tag: str) -> None:
    assert language_tag(said) == tag


@pytest.mark.parametrize("said", [None, "", "English (United States)", "xx", "und", "-", "日本語"])
def test_what_names_no_language_is_none(said: str | None) -> None:
    assert language_tag(said) is None


@pytest.mark.parametrize("tag", ["en", "pt-BR", "zh-hant", "YUE"])
def test_a_tag_is_taken_as_it_is_written(tag: str) -> None:
    assert known_language(tag) == tag


@pytest.mark.parametrize(
    ("tag", "todo"),
    [
        ("kr", "did you mean ko"),
        ("pt_BR", "did you mean pt-BR"),
        ("en, de", "did you mean en"),
        ("korean", "write its code"),
        ("xx", "write its code"),
        ("", "write its code"),
    ],
)
def test_a_wrong_one_is_refused_with_what_to_write(tag: str, todo: str) -> None:
    with pytest.raises(ValueError, match=todo):
        known_language(tag)


def article(said: str | None, given: str | None) -> Article:
    entry = Entry(guid="1", url="https://a.example/1", title="A1", lang=said)
    return to_article(
        entry, id="1", feed="f", feed_publisher=None, feed_lang=given, publishers=PublisherTable(),
        now=datetime(2026, 5, 30, tzinfo=UTC),
    )  # fmt: skip


def test_an_article_has_the_language_its_feed_means() -> None:
    assert article("zh_CN", "ko").lang == "zh-CN"


def test_a_feed_that_names_no_language_has_the_one_of_feeds_yaml() -> None:
    assert article("English (United States)", "en").lang == "en"
