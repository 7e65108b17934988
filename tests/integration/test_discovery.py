"""Candidates are asked and parsed, through the door, a bounded number of them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from raw_origin import Origin, opened, reply

from watcher.errors import FetchError
from watcher.intake import discovery as discovery_module
from watcher.intake.discovery import MOST_ASKED, Discovery, discover
from watcher.sources.discover import Why
from watcher.sources.pool import ParserPool

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)


def rss(title: str, *dates: str) -> bytes:
    items = "".join(f"<item><title>x</title><pubDate>{d}</pubDate></item>" for d in dates)
    return f"<rss version='2.0'><channel><title>{title}</title>{items}</channel></rss>".encode()


def found(pages: dict[str, bytes | str], path: str = "/") -> tuple[Discovery, list[str], str]:
    """What is found from `path`, what was asked, and the origin; a text is a status or a move."""

    async def run() -> tuple[Discovery, list[str], str]:
        async def answer(_reader: Any, writer: asyncio.StreamWriter, head: bytes) -> None:
            given = pages.get(head.split()[1].decode(), "404 Not Found")
            if isinstance(given, bytes):
                writer.write(reply(given))
            else:
                status, _, location = given.partition(" to ")
                writer.write(reply(b"", status, **({"Location": location} if location else {})))

        async with Origin(answer) as origin, opened(origin.port) as door, ParserPool() as parser:
            here = f"http://127.0.0.1:{origin.port}"
            result = await discover(door, parser, here + path, now=NOW)
            return result, [head.split()[1].decode() for head in origin.requests], here

    return asyncio.run(run())


def test_an_address_that_is_a_feed_is_the_answer() -> None:
    one, two = "Mon, 25 May 2026 12:00:00 GMT", "Sat, 30 May 2026 12:00:00 GMT"
    result, asked, here = found({"/rss": rss("Wire", one, two)}, "/rss")

    assert result.is_feed
    (feed,) = result.feeds
    assert (feed.url, feed.title, feed.format, feed.entries) == (f"{here}/rss", "Wire", "rss20", 2)
    assert (feed.per_day, feed.newest) == (0.4, NOW)
    assert asked == ["/rss"]


def test_declared_feeds_are_checked_and_comments_come_last() -> None:
    page = """
        <link rel=alternate type=application/rss+xml title="Comments" href=/comments.rss>
        <link rel=alternate type=application/rss+xml href=/gone.rss>
        <link rel=alternate type=application/rss+xml href=/page.rss>
        <link rel=alternate type=application/atom+xml title="Named by the page" href=/untitled.rss>
    """
    pages = {"/": page.encode(), "/page.rss": b"<html>no</html>"}
    result, _, here = found(pages | {"/comments.rss": rss("C"), "/untitled.rss": rss("")})

    assert [(f.url, f.title) for f in result.feeds] == [
        (f"{here}/untitled.rss", "Named by the page"),
        (f"{here}/comments.rss", "C"),
    ]
    errors = {miss.url.removeprefix(here): miss.error.partition(":")[0] for miss in result.tried}
    assert errors == {"/": "not_a_feed", "/gone.rss": "http_404", "/page.rss": "not_a_feed"}


def test_beside_comments_the_usual_places_are_tried() -> None:
    page = b'<link rel=alternate type=text/rss title="Comments" href=/comments.rss>'
    result, _, here = found({"/": page, "/comments.rss": rss("C"), "/feed": rss("F")})

    assert [f.url for f in result.feeds] == [f"{here}/feed", f"{here}/comments.rss"]


def test_usual_places_are_tried_when_the_page_says_nothing_and_the_first_is_enough() -> None:
    result, asked, here = found({"/": b"<p>Hello", "/rss.xml": rss("R"), "/index.xml": rss("I")})

    assert [(f.url, f.why) for f in result.feeds] == [(f"{here}/rss.xml", Why.USUAL)]
    assert sorted(asked) == ["/", "/feed", "/rss.xml"]


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found", "503 Busy"])
def test_a_page_that_is_refused_may_still_have_feeds(status: str) -> None:
    result, _, here = found({"/": status, "/feed": rss("F")})

    assert [f.url for f in result.feeds] == [f"{here}/feed"]


def test_addresses_that_lead_to_one_feed_are_one_and_a_move_for_good_is_followed() -> None:
    page = b"<a href=/old/rss>a</a><a href=/new/rss>b</a><a href=/new/rss/>c</a>"
    pages = {"/": page, "/old/rss": "301 Moved to /new/rss", "/new/rss": rss("N")}
    result, _, here = found(pages | {"/new/rss/": rss("N")})

    assert [f.url for f in result.feeds] == [f"{here}/new/rss"]


def test_nothing_found_says_what_was_tried() -> None:
    result, asked, _ = found({"/": b"<p>Hello"})

    assert result.feeds == ()
    assert len(result.tried) == len(asked) == 7


def test_a_page_with_a_thousand_links_costs_a_dozen_requests() -> None:
    page = "".join(f"<a href=/{n}/rss>x</a>" for n in range(1000)).encode()
    _, asked, _ = found({"/": page})

    assert len(asked) <= 1 + MOST_ASKED + 6


@pytest.mark.parametrize("page", [b"<div>" * 500_000, b"\0" * 100_000, b"<a href=/rss " * 100_000])
def test_a_hostile_page_leaves_the_usual_places(page: bytes) -> None:
    result, _, here = found({"/": page, "/feed": rss("F")})

    assert [f.url for f in result.feeds] == [f"{here}/feed"]


def test_a_page_leads_to_ordinary_ports_only() -> None:
    result, _, _ = found({"/": b"<a href='http://127.0.0.1:22/rss'>x</a>"})

    assert result.tried[1].error == "blocked_port: 127.0.0.1: a redirect to port 22"


def test_what_takes_too_long_is_a_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery_module, "ROUND_SECONDS", 0.2)

    async def run() -> Discovery:
        async def answer(_reader: Any, writer: asyncio.StreamWriter, head: bytes) -> None:
            if head.split()[1] != b"/":
                await asyncio.sleep(60)
            writer.write(reply(b"<a href=/slow.rss>x</a>"))

        async with (
            Origin(answer) as origin,
            opened(origin.port, host_spacing=timedelta(0)) as door,
            ParserPool() as parser,
        ):
            return await discover(door, parser, f"http://127.0.0.1:{origin.port}/", now=NOW)

    result = asyncio.run(run())

    assert {miss.error for miss in result.tried[1:]} == {"timeout"}


def test_an_address_that_may_not_be_asked_is_an_error() -> None:
    async def run() -> None:
        async with opened() as door, ParserPool() as parser:
            with pytest.raises(FetchError, match="blocked_address"):
                await discover(door, parser, "http://127.0.0.1:1/", now=NOW)

    asyncio.run(run())
