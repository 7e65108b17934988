"""Ids for new feeds, and when two addresses are one feed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.sources.naming import MAX_ID, address_key, free_id


@pytest.mark.parametrize(
    ("title", "url", "expected"),
    [
        ("Northern Wire – World", "https://x.example/", "northern-wire-world"),
        ("L’Écho du Café", "https://x.example/", "lecho-du-cafe"),
        ("북한 소식", "https://rss.donga.example.co.kr/total.xml", "donga-example"),
        ("Новости", "https://www.tass.example/rss", "tass"),
        ("", "https://feeds.wire.co.uk/all", "wire"),
        ("RSS", "https://news.example.org/", "example"),
        ("", "http://192.0.2.7:8080/feed", "192-0-2-7"),
        ("", "http://[2001:db8::1]/", "2001-db8-1"),
        ("", "http://뉴스.example/", "feed"),
        ("", "http://[", "feed"),
        ("a" * 80 + " b", "https://x.example/", "a" * MAX_ID),
        ("word " * 30, "https://x.example/", "-".join(["word"] * 10)),
    ],
)
def test_ids_come_from_the_title_or_the_host(title: str, url: str, expected: str) -> None:
    assert free_id(title, url, set()) == expected


def test_a_taken_id_gets_a_number() -> None:
    assert free_id("Wire", "https://x.example/", {"wire", "wire-2"}) == "wire-3"


@given(st.text(), st.text())
def test_ids_are_always_ids(title: str, url: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*", free_id(title, url, {"feed"}))


SAME = "https://news.example/rss"


@pytest.mark.parametrize(
    "url",
    [
        "http://news.example/rss", "https://www.news.example/rss", "https://NEWS.example/rss/",
        "https://news.example:443/rss", "http://news.example:80/rss#top", " https://news.example./rss ",
    ],
)  # fmt: skip
def test_the_same_feed_is_known_however_it_is_spelled(url: str) -> None:
    assert address_key(url) == address_key(SAME)


@pytest.mark.parametrize(
    "url",
    [
        "https://news.example/RSS", "https://news.example/rss?lang=en", "https://news.example:8443/rss",
        "https://en.news.example/rss", "https://news.example/", "https://news.example/rss?", "http://[",
    ],
)  # fmt: skip
def test_other_feeds_stay_others(url: str) -> None:
    assert (address_key(url) == address_key(SAME)) == url.endswith("rss?")
