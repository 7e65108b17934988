"""RELIABILITY §2 and §3 A over loopback: single bad feeds, and what the others notice of them."""

import asyncio
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from feed_station import NOW, Station, feed, rss, watching
from raw_origin import opened, reply

from watcher.intake.polled import PollLimits
from watcher.model import FeedStatus
from watcher.polling import PollBounds

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def channel(items: str) -> bytes:
    return reply(f"<rss version='2.0'><channel><title>S</title>{items}</channel></rss>".encode())


def test_410_stops_the_polls_with_one_notice_until_somebody_revives_the_feed(
    tmp_path: Path,
) -> None:
    """A5."""

    async def script(station: Station) -> tuple[FeedStatus, int, int, str]:
        await station.poll(feed("Weather"))
        await station.poll(reply(b"", "410 Gone"))
        gone = station.state().status
        with station.store.begin() as tx:
            due = len(tx.feeds.claim_due(station.clock.now() + 90 * DAY, HOUR, 9))
            tx.feeds.revive("f", station.clock.now())
        again = await station.poll(feed("Weather"))
        return gone, due, len(station.ops.notices), again.outcome

    assert watching(tmp_path, script) == (FeedStatus.GONE, 0, 1, "not_modified")


@pytest.mark.parametrize(
    ("headers", "least"),
    [
        ({"Cache_Control": "max-age=43200"}, 12 * HOUR),
        ({"Cache_Control": "max-age=43200", "Age": "21600"}, 6 * HOUR),
        ({"Expires": "Sun, 31 May 2026 06:00:00 GMT", "Date": "Sun, 31 May 2026 00:00:00 GMT"}, 6 * HOUR),
        ({"Cache_Control": "max-age=99999999"}, DAY),
        ({"Cache_Control": "no-store, max-age=43200"}, timedelta(minutes=5)),
        ({"Cache_Control": "s-maxage=43200"}, timedelta(minutes=5)),
    ],
)  # fmt: skip
def test_what_the_server_calls_fresh_is_left_alone_for_a_day_at_most(
    tmp_path: Path, headers: dict[str, str], least: timedelta
) -> None:
    """A8."""

    async def script(station: Station) -> timedelta:
        await station.poll(feed("Weather", **headers))
        return station.state().next_poll_at - station.clock.now()

    wait = watching(tmp_path, script)

    assert least <= wait <= 1.1 * max(least, 15 * timedelta(minutes=1))


def test_an_edited_item_is_told_once_whatever_changes(tmp_path: Path) -> None:
    """A15: title, link, date."""

    async def script(station: Station) -> list[str]:
        def one(title: str, link: str, date: str) -> bytes:
            return channel(f"<item><guid isPermaLink='false'>g</guid><title>{title}</title><link>{link}</link><pubDate>{date}</pubDate></item>")  # fmt: skip

        dates = [format_datetime(NOW + n * HOUR) for n in range(3)]
        await station.poll(feed())
        await station.poll(one("Rocket flies", "https://sample.example/a", dates[0]))
        await station.poll(one("Rocket flies high", "https://sample.example/a", dates[0]))
        await station.poll(one("Rocket flies high", "https://sample.example/b", dates[0]))
        await station.poll(one("Rocket flies high", "https://sample.example/b", dates[2]))
        return station.desk.told

    assert watching(tmp_path, script) == ["Rocket flies"]


def test_a_feed_that_flips_between_two_versions_repeats_nothing(tmp_path: Path) -> None:
    """I7: a CDN with two minds, each with validators of its own."""

    async def script(station: Station) -> tuple[list[int], list[str]]:
        old, new = feed("Rocket one", "Weather", ETag='"a"'), feed("Rocket two", "Rocket one", "Weather", ETag='"b"')  # fmt: skip
        seen = [(await station.poll(answer)).new for answer in (old, new, old, new, old)]
        return seen, station.desk.told

    new, told = watching(tmp_path, script)

    assert new == [2, 1, 0, 0, 0]
    assert told == ["Rocket two"]


def test_one_date_in_the_future_stops_nothing(tmp_path: Path) -> None:
    """§2 39: novelty goes by identity."""

    async def script(station: Station) -> list[str]:
        def item(title: str, date: str) -> str:
            return f"<item><title>{title}</title><guid>{title}</guid><pubDate>{date}</pubDate></item>"  # fmt: skip

        future, past = "Mon, 01 Jan 2099 00:00:00 GMT", format_datetime(NOW - 9 * DAY)
        await station.poll(channel(item("Weather", past)))
        await station.poll(channel(item("Rocket of 2099", future) + item("Weather", past)))
        await station.poll(
            channel(item("A later rocket", format_datetime(NOW)) + item("Rocket of 2099", future))
        )
        return station.desk.told

    assert watching(tmp_path, script) == ["Rocket of 2099", "A later rocket"]


@pytest.mark.parametrize("date", ["", "0", "Thu, 01 Jan 1970 00:00:00 GMT", "32 May 2026", "1 May 99999", "25:61:61 +9999", "2026-02-29", "Tue, 19 Jan 2038 03:14:08 +1400"])  # fmt: skip
def test_no_date_keeps_an_item_from_being_told(tmp_path: Path, date: str) -> None:
    """D4."""

    async def script(station: Station) -> list[str]:
        await station.poll(feed())
        item = f"<item><title>Rocket</title><guid>r</guid><pubDate>{date}</pubDate></item>"
        await station.poll(channel(item))
        return station.desk.told

    assert watching(tmp_path, script) == ["Rocket"]


def test_what_a_feed_links_to_is_never_fetched(tmp_path: Path) -> None:
    """§2 10: pictures, enclosures, comments, hubs, icons, style sheets, imports."""

    async def script(station: Station) -> int:
        trap = f"http://127.0.0.1:{station.origin.port}/trap"
        body = f"""<?xml version='1.0'?><?xml-stylesheet type='text/xsl' href='{trap}'?>
        <!DOCTYPE rss SYSTEM '{trap}'>
        <rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom' xmlns:xi='http://www.w3.org/2001/XInclude'>
        <channel><title>S</title><link>{trap}</link><image><url>{trap}</url></image>
        <atom:link rel='hub' href='{trap}'/><atom:link rel='next' href='{trap}'/><xi:include href='{trap}'/>
        <item><title>Rocket</title><link>{trap}</link><guid>g</guid><comments>{trap}</comments>
        <enclosure url='{trap}' length='1' type='image/png'/><description>&lt;img src='{trap}'&gt;</description>
        </item></channel></rss>"""
        await station.poll(feed())
        before = len(station.origin.requests)
        await station.poll(reply(body.encode()))
        return len(station.origin.requests) - before

    assert watching(tmp_path, script) == 1


def test_links_and_texts_of_any_length_are_stored(tmp_path: Path) -> None:
    """§2 41: longer than an index row, and cut between the bytes of a letter."""

    async def script(station: Station) -> tuple[int, bool, int]:
        await station.poll(feed())
        long = "https://sample.example/" + "a" * 9_000
        items = f"<item><title>Rocket {'한' * 3_000}</title><guid>{'g' * 9_000}</guid><link>{long}</link></item>"  # fmt: skip
        items += "<item><title>Rocket two</title><guid>2</guid></item>"
        report = await station.poll(channel(items))
        with station.store.begin() as tx:
            return report.new, bool(report.alerts), tx.articles.count()

    assert watching(tmp_path, script) == (2, True, 2)


def test_one_item_that_can_not_be_read_keeps_no_other_from_being_told(tmp_path: Path) -> None:
    """§2 40."""

    async def script(station: Station) -> list[str]:
        body = '{"version": "https://jsonfeed.org/version/1.1", "title": "S", "items": [%s]}'
        await station.poll(reply((body % "").encode()))
        items = 'null, {"id": null}, [1], {"id": "a", "title": "Rocket", "content_text": "x"}'
        await station.poll(reply((body % items).encode()))
        return station.desk.told

    assert watching(tmp_path, script) == ["Rocket"]


def test_a_feed_that_hangs_and_one_that_fails_keep_no_other_waiting(tmp_path: Path) -> None:
    """§2 45: the deadline is for the whole request."""

    async def script(station: Station) -> list[str]:
        async def answer(_reader: Any, writer: asyncio.StreamWriter, head: bytes) -> None:
            name = head.split()[1]
            if name == b"/f":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                for _ in range(100):
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.05)
            elif name == b"/f1":
                writer.transport.abort()
            else:
                writer.write(feed("Weather"))
            writer.close()

        station.origin.answer = answer
        bounds = PollBounds(timedelta(minutes=15))
        station.ingest._limits = PollLimits(bounds, timedelta(seconds=0.6))
        done: list[str] = []
        async with opened(station.origin.port, per_host=9) as door:
            station.ingest._door = door

            async def one(name: str) -> None:
                report = await station.ingest.poll(station.state(name))
                done.append(f"{name} {report.outcome}")

            await asyncio.gather(*(one(name) for name in ("f", "f1", "f2")))
        return done

    done = watching(tmp_path, script, feeds=3)

    assert done[-1] == "f timeout"
    assert "f2 ok" in done[:2]


def test_a_connection_that_breaks_within_a_body_stores_nothing(tmp_path: Path) -> None:
    """A12: reset instead of an end."""

    async def script(station: Station) -> tuple[bool, str | None, list[str]]:
        await station.poll(feed("Weather", ETag='"a"'))

        async def cut(_reader: Any, writer: asyncio.StreamWriter, _head: bytes) -> None:
            body = rss("Rocket")
            head = f'HTTP/1.1 200 OK\r\nETag: "b"\r\nContent-Length: {len(body) + 9}\r\n\r\n'
            writer.write(head.encode() + body)
            await writer.drain()
            writer.transport.abort()

        answer, station.origin.answer = station.origin.answer, cut
        failed = await station.poll(b"")
        etag = station.state().etag
        station.origin.answer = answer
        await station.poll(feed("Rocket", "Weather", ETag='"b"'))
        return bool(failed.error), etag, station.desk.told

    assert watching(tmp_path, script) == (True, '"a"', ["Rocket"])
