"""`full_text: true`: the pages of new entries, over loopback; whatever a page does, no entry is lost."""

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from feed_station import Station, build
from raw_origin import Origin, opened, reply

from watcher.intake.full_text import led_away, why_unfit
from watcher.intake.polled import PollReport
from watcher.model import Article, Entry
from watcher.sources.pool import ParserPool

HTML = {"Content_Type": "text/html; charset=utf-8"}


def article(words: str, count: int = 12) -> bytes:
    """A page with menus and one article; `words` are in its last sentence only."""
    lines = "".join(
        f"<p>Sentence {n} of the report tells how the morning went at the harbour office.</p>"
        for n in range(count)
    )
    menu = "<nav>" + "<a href='/x'>Section</a> " * 30 + "</nav>"
    return (
        f"<html><head><title>Report</title></head><body>{menu}<article><h1>Report from the harbour"
        f"</h1>{lines}<p>At its end it speaks of {words}.</p></article></body></html>"
    ).encode()


def rss(port: int, *names: str, text: str = "") -> bytes:
    items = "".join(
        f"<item><title>Report from the harbour {name}</title><guid isPermaLink='false'>{name}</guid>"
        f"<link>http://127.0.0.1:{port}/{name}</link><description>{text}</description></item>"
        for name in names
    )
    return f"<rss version='2.0'><channel><title>S</title>{items}</channel></rss>".encode()


class Site:
    """One origin: its feed, and pages by their name."""

    def __init__(self) -> None:
        self.feed: Callable[[int], bytes] = rss
        self.pages: dict[str, Any] = {}
        self.asked: list[str] = []
        self.port = 0

    async def answer(
        self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
    ) -> None:
        name = head.split(b" ")[1].decode()[1:]
        if name == "f":
            writer.write(reply(self.feed(self.port)))
            return
        self.asked.append(name)
        page = self.pages.get(name, reply(b"gone", "404 Not Found", **HTML))
        if callable(page):
            await page(writer)
        else:
            writer.write(page)


def on_site(
    folder: Path,
    script: Callable[[Site, Station], Awaitable[Any]],
    deadline: timedelta = timedelta(seconds=20),
    **more: Any,
) -> Any:
    """A station with its baseline behind it; the child is a real one."""

    async def run() -> Any:
        site = Site()
        async with (
            Origin(site.answer) as origin,
            opened(origin.port) as door,
            ParserPool(deadline=timedelta(seconds=10)) as reader,
        ):
            site.port = origin.port
            settings: dict[str, Any] = {"full_text": True, **more}
            station = build(folder, origin, door, reader=reader, page_time=deadline, **settings)
            try:
                await poll(station)
                return await script(site, station)
            finally:
                station.writer.close()
                station.store.close()

    return asyncio.run(run())


async def poll(station: Station) -> PollReport:
    station.clock.turn_to(station.clock.now() + timedelta(hours=1))
    return await station.ingest.poll(station.state())


def stored(station: Station, name: str) -> Article:
    with station.store.begin() as tx:
        found = tx.articles.find(f"http://127.0.0.1:{station.origin.port}/{name}")
    assert found is not None
    return found


def test_a_rule_finds_what_only_the_page_says(tmp_path: Path) -> None:
    async def script(site: Site, station: Station) -> tuple[PollReport, Article]:
        site.pages["a"] = reply(article("a rocket"), **HTML)
        site.feed = lambda port: rss(port, "a", text="Read more")
        return await poll(station), stored(station, "a")

    report, found = on_site(tmp_path, script)

    assert (report.new, report.alerts) == (1, 1)
    assert "speaks of a rocket" in found.text
    assert "Section" not in found.text


def test_what_is_known_is_neither_asked_again_nor_revised(tmp_path: Path) -> None:
    """The hash is of what the feed says; a restart changes nothing."""

    async def run() -> tuple[list[tuple[int, int]], list[str], str]:
        site, seen = Site(), []
        site.pages = {name: reply(article(name * 5), **HTML) for name in "ab"}
        async with (
            Origin(site.answer) as origin,
            opened(origin.port) as door,
            ParserPool() as reader,
        ):
            site.port = origin.port
            for documents in ([b"", b"a"], [b"b", b"ba "], [b"ab"]):
                station = build(tmp_path, origin, door, reader=reader, full_text=True)
                station.clock.turn_to(station.clock.now() + timedelta(days=len(seen)))
                for names in documents:
                    site.feed = lambda port, n=names: rss(port, *n.decode().strip()) + n  # type: ignore[misc]
                    report = await poll(station)
                    seen.append((report.new, report.revised))
                text = stored(station, "a").text
                station.writer.close()
                station.store.close()
        return seen, site.asked, text

    seen, asked, text = asyncio.run(run())

    assert seen == [(0, 0), (1, 0), (1, 0), (0, 0), (0, 0)]
    assert asked == ["a", "b"]
    assert "speaks of aaaaa" in text


def test_a_baseline_asks_for_no_page_but_of_those_that_are_told(tmp_path: Path) -> None:
    async def run() -> tuple[list[str], int]:
        site = Site()
        site.pages = {name: reply(article("rocket"), **HTML) for name in "abc"}
        site.feed = lambda port: rss(port, *"abc")
        async with (
            Origin(site.answer) as origin,
            opened(origin.port) as door,
            ParserPool() as reader,
        ):
            site.port = origin.port
            station = build(tmp_path, origin, door, reader=reader, full_text=True, initial=1)
            report = await poll(station)
            station.writer.close()
            station.store.close()
            return site.asked, report.alerts

    asked, alerts = asyncio.run(run())

    assert (len(asked), alerts) == (1, 1)


def test_a_revision_without_its_page_keeps_the_text_that_was_read(tmp_path: Path) -> None:
    async def script(site: Site, station: Station) -> tuple[int, str]:
        site.pages["a"] = reply(article("a rocket"), **HTML)
        site.feed = lambda port: rss(port, "a", text="First words.")
        await poll(station)
        site.pages.clear()
        site.feed = lambda port: rss(port, "a", text="Second words.")
        report = await poll(station)
        return report.revised, stored(station, "a").text

    revised, text = on_site(tmp_path, script)

    assert revised == 1
    assert text.startswith("Second words.")
    assert "speaks of a rocket" in text


async def hang(_writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    for _ in range(600):
        writer.write(b"<p>")
        await asyncio.sleep(0.1)


async def stream(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while True:
        writer.write(b"<p>rocket</p>" * 10_000)
        await writer.drain()


def bomb() -> bytes:
    packed = gzip.compress(b"<p>rocket " * 5_000_000)
    return reply(packed, Content_Type="text/html", Content_Encoding="gzip")


def moved(to: str) -> bytes:
    return reply(b"", "302 Found", Location=to)


TROUBLE: dict[str, Any] = {
    "hangs": hang,
    "drips": drip,
    "never ends": stream,
    "is gone": reply(b"rocket " * 100, "404 Not Found", **HTML),
    "wants a login": reply(b"rocket " * 100, "403 Forbidden", **HTML),
    "is a film": reply(b"rocket " * 100, Content_Type="video/mp4"),
    "leads inside": moved("http://10.0.0.1/rocket"),
    "leads to another port": moved("http://127.0.0.1:9/rocket"),
    "leads to the front page": moved("/"),
    "is a bomb": bomb(),
    "is deep": reply(b"<div>" * 100_000 + b"rocket", **HTML),
    "is wide": reply(b"<p>rocket</p>" * 80_000, **HTML),
    "is short": reply(b"<p>rocket</p>", **HTML),
    "is of something else": reply(article("rocket").replace(b"harbour", b"x").replace(b"Report from the x", b"Accept our partners").replace(b"report", b"y"), **HTML),
    "is empty": reply(b"", **HTML),
    "is no text": reply(bytes(range(256)) * 100, **HTML),
}  # fmt: skip


@pytest.mark.parametrize("name", TROUBLE)
def test_an_entry_whose_page_is_no_use_is_stored_with_what_the_feed_says(
    name: str, tmp_path: Path
) -> None:
    """RELIABILITY §3: in bounded time, and the front page is not taken for the article."""

    async def script(site: Site, station: Station) -> tuple[PollReport, str]:
        site.pages = {"a": TROUBLE[name], "": reply(article("rocket"), **HTML)}
        site.feed = lambda port: rss(port, "a", text="Words of the feed.")
        return await poll(station), stored(station, "a").text

    report, text = on_site(tmp_path, script, deadline=timedelta(seconds=2))

    assert (report.outcome, report.new, report.error) == ("ok", 1, "")
    assert (text, report.alerts) == ("Words of the feed.", 0)


def test_pages_that_hang_hold_up_no_page_that_answers(tmp_path: Path) -> None:
    async def script(site: Site, station: Station) -> tuple[PollReport, bool]:
        site.pages = {"a": hang, "b": reply(article("a rocket"), **HTML)}
        site.feed = lambda port: rss(port, "a", "b")
        return await poll(station), "rocket" in stored(station, "b").text

    began = time.perf_counter()
    report, has_text = on_site(tmp_path, script, deadline=timedelta(seconds=2))

    assert (report.new, report.alerts, has_text) == (2, 1, True)
    assert time.perf_counter() - began < 20


def test_a_host_that_asks_for_rest_is_left_alone(tmp_path: Path) -> None:
    async def script(site: Site, station: Station) -> tuple[int, int]:
        busy = reply(b"", "429 Too Many Requests")
        site.pages = dict.fromkeys("abcdefgh", busy)
        site.feed = lambda port: rss(port, *"abcdefgh")
        return (await poll(station)).new, len(site.asked)

    new, asked = on_site(tmp_path, script)

    assert new == 8
    assert asked <= 2


def test_the_same_text_on_several_pages_is_none_of_theirs(tmp_path: Path) -> None:
    """A notice about cookies, or a login in the words of the site."""

    async def script(site: Site, station: Station) -> list[str]:
        site.pages = {name: reply(article("a rocket"), **HTML) for name in "ab"}
        site.feed = lambda port: rss(port, "a", "b")
        await poll(station)
        return [stored(station, name).text for name in "ab"]

    assert on_site(tmp_path, script) == ["", ""]


def test_a_page_is_read_in_the_encoding_it_has_and_not_in_the_one_it_claims(
    tmp_path: Path,
) -> None:
    async def script(site: Site, station: Station) -> str:
        body = article("Köln and a rocket").decode()
        site.pages["a"] = reply(body.encode(), Content_Type="text/html; charset=iso-8859-1")
        site.feed = lambda port: rss(port, "a")
        await poll(station)
        return stored(station, "a").text

    assert "Köln" in on_site(tmp_path, script)


def test_a_feed_without_the_key_asks_for_no_page(tmp_path: Path) -> None:
    async def script(site: Site, station: Station) -> list[str]:
        site.feed = lambda port: rss(port, "a")
        await poll(station)
        return site.asked

    assert on_site(tmp_path, script, full_text=False) == []


@pytest.mark.parametrize(
    ("asked", "answered", "away"),
    [
        ("https://a.example/x/1", "https://a.example/x/1?id=2", False),
        ("https://a.example/x/1", "https://b.example/other/1", False),
        ("https://a.example/x/1", "https://a.example/", True),
        ("https://a.example/x/1", "https://login.example/login?to=x", True),
        ("https://a.example/x/1", "https://a.example/consent/start", True),
        ("https://a.example/login/1", "https://a.example/login/2", False),
    ],
)
def test_front_pages_and_walls_are_told_from_articles(
    asked: str, answered: str, away: bool
) -> None:
    assert led_away(asked, answered) is away


def test_a_text_in_letters_without_spaces_is_not_judged_by_its_words() -> None:
    entry = Entry(None, None, "東京で新しい発表がありました")

    assert why_unfit("発" * 300, entry) == ""
