"""A page that lists news, read as a feed."""

import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from watcher.errors import ParseError
from watcher.model import Entry, ParsedFeed
from watcher.sources.index_page import MAX_ITEMS, read_index
from watcher.sources.settings import PageSettings
from watcher.sources.written_dates import written_date

URL = "https://harbour.example/notices/index.html"


def read(
    markup: str | bytes, items: str = "li", kind: str = "text/html", **more: str
) -> ParsedFeed:
    body = markup.encode() if isinstance(markup, str) else markup
    return read_index(PageSettings(items=items, **more), body, URL, kind)


def only(markup: str, items: str = "li", **more: str) -> Entry:
    (entry,) = read(markup, items, **more).entries
    return entry


def test_items_alone_are_enough() -> None:
    entry = only(
        "<ul><li><a href='/cat'>Ships</a><h3><a href='a1.html#top'> Berth \n 4 closes</a></h3>"
        "<time datetime='2026-05-30T10:00+02:00'>an hour ago</time><p>Until June.</p></li></ul>"
    )

    assert entry.title == "Berth 4 closes"
    assert entry.guid == entry.url == "https://harbour.example/notices/a1.html"
    assert entry.published == datetime(2026, 5, 30, 8, tzinfo=UTC)
    assert entry.summary == "Ships\n\nUntil June."


def test_every_part_can_be_selected() -> None:
    entry = only(
        "<li><h3>Not this</h3><a href='/x'>x</a><b class=t>This</b><a class=m href='/y'>more</a>"
        "<i class=d>3 June 2026, 14:05</i><p>one</p><p class=s>two</p></li>",
        link=".m",
        title=".t",
        date=".d",
        text=".s",
    )

    assert (entry.url, entry.title, entry.summary) == ("https://harbour.example/y", "This", "two")
    assert entry.published == datetime(2026, 6, 3, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("markup", "title", "path"),
    [
        ("<li><a href='/a'>Words</a></li>", "Words", "/a"),
        ("<li><a href='/cat'>Cat</a><a href='/a'><h2>Head</h2><p>More</p></a></li>", "Head", "/a"),
        ("<li><a href='/a'><img alt='Picture'></a></li>", "Picture", "/a"),
        ("<li><a href='/a' aria-label='Label'></a></li>", "Label", "/a"),
        ("<li><a href='#x'>1</a><a href='mailto:a@b'>2</a><a href='javascript:x()'>3</a>"
         "<a href='/a'>4</a></li>", "4", "/a"),
        ("<li><a href='//harbour.example/a'>R &amp; D</a></li>", "R & D", "/a"),
    ],
)  # fmt: skip
def test_the_headline_and_its_link_are_found(markup: str, title: str, path: str) -> None:
    entry = only(markup)

    assert (entry.title, entry.url) == (title, f"https://harbour.example{path}")


def test_an_item_may_be_the_link_itself_and_a_row_of_a_table() -> None:
    links = read("<div><a class=n href=a>A</a><a class=n href=b>B</a></div>", "a.n")
    rows = read("<table><tr><td>30.05.2026<td><a href=a>A</a></tr></table>", "tr")

    assert [entry.title for entry in links.entries] == ["A", "B"]
    assert rows.entries[0].published == datetime(2026, 5, 30, tzinfo=UTC)


def test_base_and_repeated_links_are_followed_once() -> None:
    page = read(
        "<html lang=de><base href='/base/'><title> Notices </title>"
        "<li><a href='a'>A</a><li><a href='./a#x'>again</a><li><a href='b'>B</a>"
    )

    assert [entry.url for entry in page.entries] == [
        "https://harbour.example/base/a",
        "https://harbour.example/base/b",
    ]
    assert (page.title, page.lang, page.format) == ("Notices", "de", "page")
    assert page.entries[0].lang == "de"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<meta charset=windows-1251><li><a href=a>Порт</a>".encode("cp1251"), "text/html"),
        ("<li><a href=a>Порт</a>".encode("koi8-r"), "text/html; charset=koi8-r"),
        ("<li><a href=a>Порт</a>".encode(), "text/html; charset=iso-8859-1"),
        ("<li><a href=a>Порт</a>".encode("utf-16"), "text/html"),
    ],
)
def test_the_encoding_is_that_of_the_bytes(body: bytes, kind: str) -> None:
    assert read(body, kind=kind).entries[0].title == "Порт"


@pytest.mark.parametrize(
    "markup", ["<p>nothing</p>", "<li>no link</li>", "<li><a href='#'>x</a>", ""]
)
def test_a_page_without_items_is_trouble_and_no_silence(markup: str) -> None:
    with pytest.raises(ParseError) as caught:
        read(markup)

    assert caught.value.reason == "no_items"
    assert "'li'" in caught.value.detail


def test_a_part_that_is_in_no_item_is_told() -> None:
    page = read("<li><a href=a>A</a>", date=".when", text=".what")

    assert page.problems == (
        "page.date: '.when' finds nothing in any of the 1 items",
        "page.text: '.what' finds nothing in any of the 1 items",
    )


def test_more_items_than_are_kept_are_left_out() -> None:
    page = read("".join(f"<li><a href={n}>{n}</a>" for n in range(MAX_ITEMS + 200)))

    assert len(page.entries) == MAX_ITEMS
    assert "left out" in page.problems[0]


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * 300_000,
        "<b><p>" * 100_000,
        "<li><a href=x>" * 600_000,
        "<table><td>" * 200_000,
        "<script>" * 100_000,
        "<!--" * 500_000,
        "<li " + "a=b " * 1_000_000,
        "<" * 3_000_000,
        "<li>" + "<a href='x" * 400_000,
        "<li><a href=a>" + "word " * 2_000_000,
    ],
    ids=lambda markup: markup[:12],
)
@pytest.mark.parametrize("items", ["li", "* * * * *", ":not(b) ~ :not(i) ~ :not(u)"])
def test_a_hostile_page_costs_less_than_two_seconds(markup: str, items: str) -> None:
    began = time.process_time()
    with suppress(ParseError):
        read(markup, items)

    assert time.process_time() - began < 2


def test_a_list_of_a_thousand_open_items_is_read() -> None:
    """HTML closes them by itself, and old pages leave it to it."""
    page = read("<table>" + "".join(f"<tr><td><a href={n}>{n}</a><td>x" for n in range(400)), "tr")

    assert len(page.entries) == 400


@pytest.mark.parametrize("selector", ["", "div[", "a,,b", "p:not(", "::before", "x" * 501])
def test_what_is_no_selector_is_refused_when_the_configuration_is_read(selector: str) -> None:
    with pytest.raises(ValidationError):
        PageSettings(items="li", text=selector)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("30 May 2026", "2026-05-30 00:00"),
        ("Sat, 30 May 2026 10:15:00 +0200", "2026-05-30 08:15"),
        ("2026-05-30 10:15", "2026-05-30 10:15"),
        ("May 30, 2026 at 10:15", "2026-05-30 10:15"),
        ("Monday, 3rd June 2026", "2026-06-03 00:00"),
        ("30.5.2026, 09:30 Uhr", "2026-05-30 09:30"),
        ("2026/05/30", "2026-05-30 00:00"),
        ("2026年5月30日", "2026-05-30 00:00"),
        ("2026년 5월 30일", "2026-05-30 00:00"),
        ("05/06/2026", None),
        ("31.02.2026", None),
        ("2026", None),
        ("two hours ago", None),
        ("Report of 30 May 2026 on ships", None),
    ],
)
def test_dates_are_read_as_people_write_them_and_never_guessed(text: str, day: str | None) -> None:
    found = written_date(text)

    assert (f"{found:%Y-%m-%d %H:%M}" if found else None) == day
