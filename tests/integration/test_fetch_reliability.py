"""RELIABILITY §2 and §3 A, C over loopback: what a server does, and what the feed's record says then.

The real door, parser and store; only the clock is turned by hand.
"""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from feed_station import Station, feed, rss, watching
from raw_origin import Origin, opened, reply

from watcher.errors import BlockedError, FetchError
from watcher.fetch import dial
from watcher.fetch.door import GuardedDoor
from watcher.intake.polled import PollLimits
from watcher.model import FeedStatus, HttpRequest
from watcher.store.engine import open_store

# ── A. HTTP and feed ──


def test_a_new_etag_with_the_old_body_is_nothing_new(tmp_path: Path) -> None:
    """A2; and the other way round the body wins."""

    async def script(station: Station) -> list[str]:
        await station.poll(feed("Weather", ETag='"1"'))
        same = await station.poll(feed("Weather", ETag='"2"'))
        assert station.state().etag == '"2"'
        changed = await station.poll(feed("Rocket", "Weather", ETag='"2"'))
        return [same.outcome, changed.outcome, *station.desk.told]

    assert watching(tmp_path, script) == ["not_modified", "ok", "Rocket"]


def test_a_304_that_nobody_asked_for_is_an_error_and_the_next_poll_reads_the_feed(
    tmp_path: Path,
) -> None:
    """A2."""

    async def script(station: Station) -> list[str]:
        first = await station.poll(reply(b"", "304 Not Modified"))
        second = await station.poll(feed("Weather"))
        return [first.outcome, second.outcome]

    assert watching(tmp_path, script) == ["unasked_304", "ok"]


@pytest.mark.parametrize("status", ["301 Moved", "308 Permanent"])
def test_the_address_changes_when_three_polls_agree(tmp_path: Path, status: str) -> None:
    """A3."""

    async def script(station: Station) -> list[str]:
        seen = []
        for _ in range(4):
            station.clock.turn_to(station.clock.now() + timedelta(hours=1))
            station.answers[:] = [reply(b"", status, Location="/new"), feed("Weather")]
            await station.ingest.poll(station.state())
            seen.append(station.state().url.rpartition("/")[2])
        assert any("has moved for good" in notice for notice in station.ops.notices)
        return seen

    # The fourth answer is a redirect too, of the new address to itself.
    assert watching(tmp_path, script)[:3] == ["f", "f", "new"]


@pytest.mark.parametrize("status", ["302 Found", "303 See Other", "307 Temporary"])
def test_a_passing_redirect_is_followed_and_forgotten(tmp_path: Path, status: str) -> None:
    """A4."""

    async def script(station: Station) -> list[str]:
        outcomes = []
        for _ in range(5):
            station.clock.turn_to(station.clock.now() + timedelta(hours=1))
            station.answers[:] = [
                reply(b"", status, Location="//" + here(station) + "/x"),
                feed("W"),
            ]
            outcomes.append((await station.ingest.poll(station.state())).outcome)
        return [*outcomes, station.state().url.rpartition("/")[2]]

    assert watching(tmp_path, script) == ["ok", *["not_modified"] * 4, "f"]


def here(station: Station) -> str:
    return f"127.0.0.1:{station.origin.port}"


@pytest.mark.parametrize("status", ["404 Not Found", "401 Unauthorized", "403 Forbidden", "500 x"])
def test_a_week_of_errors_costs_a_few_requests_and_one_notice(tmp_path: Path, status: str) -> None:
    """A5, A7: never given up, at most once a day in the end, and it recovers alone."""

    async def script(station: Station) -> tuple[int, int, str, FeedStatus]:
        await station.poll(feed("Weather"))
        station.answers[:] = [reply(b"", status)]
        end = station.clock.now() + timedelta(days=7)
        while (due := station.state().next_poll_at) < end:
            station.clock.turn_to(due)
            await station.ingest.poll(station.state())
        asked, notices = len(station.origin.requests), len(station.ops.notices)
        recovered = await station.poll(feed("Weather"), after=timedelta(days=1))
        return asked, notices, recovered.outcome, station.state().status

    asked, notices, outcome, status_after = watching(tmp_path, script)
    assert 8 <= asked <= 20
    assert (notices, outcome, status_after) == (1, "not_modified", FeedStatus.OK)


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_retry_after_moves_the_next_poll(tmp_path: Path, status: str) -> None:
    """A6, A7."""

    async def script(station: Station) -> timedelta:
        await station.poll(reply(b"", status, Retry_After="86400"))
        return station.state().next_poll_at - station.clock.now()

    assert watching(tmp_path, script) == timedelta(days=1)


def test_twenty_restarts_in_an_hour_poll_nothing_early(tmp_path: Path) -> None:
    """A9."""

    async def script(station: Station) -> datetime:
        await station.poll(feed("Weather", Cache_Control="max-age=7200"))
        return station.clock.now()

    polled_at = watching(tmp_path, script)
    for minutes in range(3, 63, 3):
        store = open_store(tmp_path / "store.db")
        with store.begin() as tx:
            tx.feeds.end_leases()
            now = polled_at + timedelta(minutes=minutes)
            due = tx.feeds.claim_due(now, timedelta(minutes=5), 10)
        store.close()

        assert due == []


TRUNCATED = [
    b"HTTP/1.1 200 OK\r\nETag: \"cut\"\r\nContent-Length: 9000\r\n\r\n" + rss("Rocket"),
    b"HTTP/1.1 200 OK\r\nETag: \"cut\"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<rss ",
    b"HTTP/1.1 200 OK\r\nETag: \"cut\"\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n<rss ",
    b"HTTP/1.1 200 OK\r\nETag: \"cut\"\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\x1f\x8b\x08\0\0",
]  # fmt: skip


@pytest.mark.parametrize("answer", TRUNCATED, ids=["length", "chunks", "chunk garbage", "gzip"])
def test_of_a_body_cut_short_neither_items_nor_validators_are_kept(
    tmp_path: Path, answer: bytes
) -> None:
    """A12."""

    async def script(station: Station) -> tuple[str, str | None, bool, list[str]]:
        await station.poll(feed("Weather"))
        cut = await station.poll(answer)
        etag = station.state().etag
        await station.poll(feed("Rocket", "Weather"))
        asked = b"if-none-match" in station.origin.requests[-1].lower()
        return cut.error, etag, asked, station.desk.told

    error, etag, asked, told = watching(tmp_path, script)
    assert error
    assert (etag, asked, told) == (None, False, ["Rocket"])


def test_a_login_page_or_nothing_at_all_is_an_error(tmp_path: Path) -> None:
    """A14."""

    async def script(station: Station) -> list[str]:
        page = await station.poll(reply(b"<!doctype html><title>Log in</title>"))
        empty = await station.poll(reply(b""))
        return [page.outcome, empty.outcome]

    assert watching(tmp_path, script) == ["not_a_feed", "empty"]


def test_a_feed_is_known_by_what_it_is_and_not_by_what_it_is_called(tmp_path: Path) -> None:
    """A14."""

    async def script(station: Station) -> str:
        return (await station.poll(feed("Weather", Content_Type="text/html"))).outcome

    assert watching(tmp_path, script) == "ok"


def test_a_feed_that_is_empty_for_one_poll_tells_nothing_twice(tmp_path: Path) -> None:
    """A14."""

    async def script(station: Station) -> list[str]:
        await station.poll(feed("Weather"))
        await station.poll(feed("Rocket", "Weather"))
        await station.poll(feed())
        await station.poll(feed("Rocket", "Weather"))
        return station.desk.told

    assert watching(tmp_path, script) == ["Rocket"]


def test_one_guid_in_two_feeds_is_two_articles_and_one_story(tmp_path: Path) -> None:
    """A15: a guid is a feed's own."""

    async def script(station: Station) -> tuple[int, int, int]:
        for name in ("f", "f1"):
            station.answers[:] = [feed()]
            await station.ingest.poll(station.state(name))
        for name in ("f", "f1"):
            station.answers[:] = [feed("Rocket reaches orbit after long delay")]
            await station.ingest.poll(station.state(name))
        with station.store.begin() as tx:
            return tx.articles.count(), len(tx.stories.recent(9)), len(station.desk.told)

    assert watching(tmp_path, script, feeds=2) == (2, 1, 1)


def test_a_feed_of_five_thousand_items_never_repeats_one(tmp_path: Path) -> None:
    """§2 36: what was seen is remembered without an end."""

    async def script(station: Station) -> list[int]:
        titles = [f"t{n}" for n in range(4_000)]
        station.ingest._limits = PollLimits(max_body=2**22)
        reports = [
            await station.poll(feed(*titles)),
            await station.poll(feed(*titles[:10])),
            await station.poll(feed(*reversed(titles))),
        ]
        return [report.new for report in reports]

    assert watching(tmp_path, script) == [4_000, 0, 0]


# ── C. network tricks ──


def test_a_name_server_that_is_silent_costs_seconds_and_not_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """C9."""
    monkeypatch.setattr(dial, "DNS_TIMEOUT", 0.1)

    async def silent(_host: str, _port: int) -> list[str]:
        await asyncio.sleep(30)
        return []

    async def run() -> str:
        async with opened(lookup=silent) as door:
            with pytest.raises(FetchError) as caught:
                await door.request(HttpRequest("http://sample.example/"))
            return caught.value.reason

    assert asyncio.run(run()) == "dns"


def test_a_label_of_four_thousand_bytes_is_refused_before_anyone_is_asked() -> None:
    """C9, §2 14."""

    async def run() -> tuple[str, int]:
        asked = 0

        async def lookup(_host: str, _port: int) -> list[str]:
            nonlocal asked
            asked += 1
            return []

        async with opened(lookup=lookup) as door:
            with pytest.raises(FetchError) as caught:
                await door.request(HttpRequest(f"http://{'a' * 4000}.example/"))
            return caught.value.reason, asked

    assert asyncio.run(run()) == ("bad_url", 0)


def test_a_kept_connection_stays_with_the_address_that_was_judged() -> None:
    """C5: the name flips while the connection lives; the new answer is never asked."""

    async def answer(_reader: Any, writer: asyncio.StreamWriter, _head: bytes) -> None:
        writer.write(reply())

    async def run() -> tuple[int, int, list[list[str]]]:
        answers = [["127.0.0.1"], ["127.0.0.2"]]

        async def lookup(_host: str, _port: int) -> list[str]:
            return answers.pop(0)

        async with Origin(answer) as origin, opened(origin.port, lookup=lookup) as door:
            for _ in range(2):
                await door.request(HttpRequest(f"http://sample.example:{origin.port}/"))
            return len(origin.requests), origin.connections, answers

    assert asyncio.run(run()) == (2, 1, [["127.0.0.2"]])


def test_an_allow_entry_opens_one_port_of_one_address() -> None:
    """C10."""

    async def answer(_reader: Any, writer: asyncio.StreamWriter, _head: bytes) -> None:
        writer.write(reply())

    async def run() -> tuple[int, int]:
        async with (
            Origin(answer) as open_one,
            Origin(answer) as shut,
            opened(open_one.port) as door,
        ):
            await door.request(HttpRequest(f"http://127.0.0.1:{open_one.port}/"))
            for host in (f"127.0.0.1:{shut.port}", f"127.0.0.2:{open_one.port}"):
                with pytest.raises(BlockedError):
                    await door.request(HttpRequest(f"http://{host}/"))
            return open_one.connections, shut.connections

    assert asyncio.run(run()) == (1, 0)


def test_a_redirect_from_https_to_http_takes_no_credentials_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """C6, §2 12: another scheme is another origin."""
    sent: list[tuple[str, dict[str, str]]] = []

    async def send(
        _self: GuardedDoor, _request: HttpRequest, target: Any, headers: dict[str, str]
    ) -> Any:
        from watcher.fetch.wire import Answer

        sent.append((target.url, dict(headers)))
        moved = {"location": "http://sample.example/b"} if len(sent) == 1 else {}
        return Answer(301 if moved else 200, moved, b"")

    monkeypatch.setattr(GuardedDoor, "_send", send)

    async def run() -> None:
        async with opened() as door:
            headers = {"Authorization": "secret", "X-Other": "o"}
            await door.request(HttpRequest("https://sample.example/a", headers=headers))

    asyncio.run(run())

    assert sent[0][1].get("Authorization") == "secret"
    assert sent[1] == ("http://sample.example/b", {"X-Other": "o"})
