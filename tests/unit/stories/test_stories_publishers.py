"""Whose report it is, and whose text."""

from typing import Any

import pytest
from pydantic import ValidationError

from watcher.stories.publishers import PublisherSettings, PublisherTable

TABLE = PublisherTable(
    [
        PublisherSettings(
            name="Sample Wire",
            domains=("wire.example",),
            names=("サンプル電",),
            wire=True,
            marks=("(SWS)", "SWS —"),
        ),
        PublisherSettings(name="Sample Post", family="post-group", domains=("post.example",)),
        PublisherSettings(
            name="Sample Post Asia", family="post-group", domains=("asia.post.example",)
        ),
    ]
)

CASES: list[tuple[dict[str, Any], tuple[str, str, str]]] = [
    ({"publisher": "sample post"}, ("Sample Post", "post-group", "T")),
    ({"url": "https://asia.post.example/1"}, ("Sample Post Asia", "post-group", "T")),
    ({"url": "https://www.post.example/1"}, ("Sample Post", "post-group", "T")),
    ({"title": "Headline - Sample Wire"}, ("Sample Wire", "sample-wire", "Headline")),
    ({"title": "Headline - サンプル電"}, ("Sample Wire", "sample-wire", "Headline")),
    ({"title": "Headline - wire.example"}, ("Sample Wire", "sample-wire", "Headline")),
    ({"title": "Talks – a new start"}, ("Feed Outlet", "feed-outlet", "Talks – a new start")),
    ({"publisher": "Unknown Daily"}, ("Unknown Daily", "unknown-daily", "T")),
    (
        {"publisher": "Unknown Daily", "title": "Headline - Unknown Daily"},
        ("Unknown Daily", "unknown-daily", "Headline"),
    ),
    (
        {"publisher": "Post (Asia)", "publisher_url": "https://asia.post.example"},
        ("Sample Post Asia", "post-group", "T"),
    ),
    (
        {"title": "Headline - Small Town Gazette", "url": "https://news.google.com/rss/x"},
        ("Small Town Gazette", "small-town-gazette", "Headline"),
    ),
    (
        {"title": "Headline - Sample Post", "url": "https://news.google.com/rss/x"},
        ("Sample Post", "post-group", "Headline"),
    ),
    ({"publisher": "Sample Post", "author": "By Sample Wire"}, ("Sample Post", "sample-wire", "T")),
    (
        {"publisher": "Sample Post", "author": "Ann Example and Bo Example, Sample Wire"},
        ("Sample Post", "sample-wire", "T"),
    ),
    (
        {"publisher": "Sample Post", "author": "Ann Example of Sample Wirework"},
        ("Sample Post", "post-group", "T"),
    ),
    (
        {"publisher": "Sample Post", "text": "SEOUL (SWS) The rocket flew."},
        ("Sample Post", "sample-wire", "T"),
    ),
    ({"publisher": "Sample Post", "author": "SWS — staff"}, ("Sample Post", "sample-wire", "T")),
    (
        {"publisher": "Sample Post", "text": "x " * 400 + "(SWS)"},
        ("Sample Post", "sample-wire", "T"),
    ),
    (
        {"publisher": "Sample Post", "text": "x " * 300 + "(SWS)" + " y" * 300},
        ("Sample Post", "post-group", "T"),
    ),
]


def test_a_country_has_its_publishers_by_all_of_their_names() -> None:
    table = PublisherTable(
        [
            PublisherSettings(name="Sample Wire", names=("サンプル電",), country="JP"),
            PublisherSettings(name="Sample Post", country="JP"),
            PublisherSettings(name="Of The World"),
        ]
    )

    assert table.countries == {"JP": {"sample wire", "サンプル電", "sample post"}}


@pytest.mark.parametrize(("code", "todo"), [("UK", "write GB"), ("kr", "KR"), ("KO", "like KR")])
def test_what_is_no_code_of_a_country_is_refused(code: str, todo: str) -> None:
    with pytest.raises(ValidationError, match=todo):
        PublisherSettings(name="Sample Wire", country=code)


@pytest.mark.parametrize(("given", "expected"), CASES)
def test_a_report_is_attributed(given: dict[str, Any], expected: tuple[str, str, str]) -> None:
    known = {
        "publisher": None,
        "url": None,
        "title": "T",
        "author": None,
        "text": "",
        "feed_publisher": "Feed Outlet",
    }

    found = TABLE.resolve(**(known | given))

    assert (found.publisher, found.family, found.title) == expected
