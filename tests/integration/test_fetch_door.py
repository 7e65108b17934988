"""The door against real servers on loopback: limits, redirects, resolvers, canaries."""

import asyncio
import gzip
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from raw_origin import Handler, Origin, ask, opened, refusal, reply, says

from watcher.errors import BlockedError, FetchError
from watcher.fetch.door import GuardedDoor
from watcher.fetch.feed import fetch_feed, fresh_for, retry_after
from watcher.fetch.urls import check_url
from watcher.model import FeedState, HttpRequest

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)


def test_a_plain_answer_comes_through() -> None:
    found = ask(says(reply(b"body", ETag='"x"')))

    assert (found.status, found.body, found.headers["etag"]) == (200, b"body", '"x"')


def test_the_request_names_us_and_carries_no_baggage() -> None:
    """RELIABILITY A16."""

    async def run() -> bytes:
        async with (
            Origin(says(reply(b"", Set_Cookie="a=b"), close=False)) as origin,
            opened(origin.port) as door,
        ):
            for _ in range(2):
                await door.request(HttpRequest(f"http://127.0.0.1:{origin.port}/"))
            return origin.requests[1]

    head = asyncio.run(run()).lower()
    assert b"user-agent: watcher-test" in head
    assert b"accept-encoding: gzip, deflate\r\n" in head
    assert b"cookie" not in head
    assert b"referer" not in head


@pytest.mark.parametrize("encode", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
def test_compressed_bodies_are_read(encode: Callable[[bytes], bytes]) -> None:
    name = "gzip" if encode is gzip.compress else "deflate"

    assert ask(says(reply(encode(b"x" * 5000), Content_Encoding=name))).body == b"x" * 5000


BOMB = gzip.compress(b"\0" * 50_000_000)
TROUBLE: list[tuple[str, Handler, str]] = [
    ("gzip bomb", says(reply(BOMB, Content_Encoding="gzip")), "too_large"),
    ("gzip bomb on 404", says(reply(BOMB, "404 Not Found", Content_Encoding="gzip")), "too_large"),
    ("gzip bomb on redirect", says(reply(BOMB, "302 Found", Content_Encoding="gzip", Location="/x")), "too_large"),
    ("long body", says(reply(b"x" * 200_000)), "too_large"),
    ("endless body", says(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 50_000] * 10), "too_large"),
    ("gzip in gzip", says(reply(b"x", Content_Encoding="gzip, gzip")), "bad_encoding"),
    ("unasked brotli", says(reply(b"x", Content_Encoding="br")), "bad_encoding"),
    ("damaged gzip", says(reply(b"no gzip", Content_Encoding="gzip")), "bad_encoding"),
    ("cut gzip", says(reply(gzip.compress(bytes(range(256)) * 50)[:-20], Content_Encoding="gzip")), "truncated"),
    ("short body", says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"), "truncated"),
    ("cut chunks", says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), "truncated"),
    ("chunk garbage", says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab"), "truncated|protocol"),
    ("no http", says(b"SSH-2.0-sample\r\n\r\n"), "protocol"),
    ("closed at once", says(), "protocol|connect"),
    ("many headers", says(b"HTTP/1.1 200 OK\r\n" + b"Set-Cookie: a=b\r\n" * 10_000 + b"\r\n"), "too_large|protocol"),
    ("long header", says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"), "too_large|protocol"),
    ("redirect to nowhere", says(reply(b"", "302 Found")), "bad_redirect"),
    ("redirect loop", says(reply(b"", "302 Found", Location="/again"), close=False), "too_many_redirects"),
    ("redirect to file", says(reply(b"", "302 Found", Location="file:///etc/passwd")), "blocked_scheme"),
    ("redirect to metadata", says(reply(b"", "302 Found", Location="http://169.254.169.254/")), "blocked_address"),
    ("redirect with user", says(reply(b"", "302 Found", Location="http://a@127.0.0.1/")), "bad_url"),
    ("redirect to another port", says(reply(b"", "307 Temporary", Location="http://127.0.0.1:6379/")), "blocked_port"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answer", "reason"), TROUBLE, ids=[case[0] for case in TROUBLE])
def test_trouble_has_a_name(name: str, answer: Handler, reason: str) -> None:
    """RELIABILITY A4, A11, A12, B4, C6."""
    assert refusal(answer).reason in reason.split("|")


async def _never(_reader: Any, _writer: asyncio.StreamWriter, _head: bytes) -> None:
    await asyncio.sleep(30)


async def _drip(_reader: Any, writer: asyncio.StreamWriter, _head: bytes) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(300):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("answer", [_never, _drip], ids=["silence", "drip"])
def test_a_request_ends_with_its_deadline(answer: Handler) -> None:
    assert refusal(answer, timeout=timedelta(seconds=0.4)).reason == "timeout"


def test_permanent_redirects_are_reported_only_when_every_hop_is() -> None:
    async def hop(_reader: Any, writer: asyncio.StreamWriter, head: bytes) -> None:
        path = head.split()[1]
        table = {
            b"/a": ("301 Moved", "/b"),
            b"/b": ("308 Moved", "/end"),
            b"/c": ("302 Found", "/d"),
            b"/d": ("301 Moved", "/end"),
        }
        status, location = table.get(path, ("200 OK", ""))
        writer.write(reply(b"end", status, **({"Location": location} if location else {})))

    lasting, passing = ask(hop, "/a"), ask(hop, "/c")

    assert lasting.moved_to is not None
    assert lasting.moved_to.endswith("/end")
    assert passing.moved_to is None
    assert passing.url.endswith("/end")


def test_credentials_stay_with_their_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2018-20060: another port is another origin. That the port is refused has its own test."""
    monkeypatch.setattr("watcher.fetch.door.check_url", lambda url, origin=None: check_url(url))

    async def run() -> tuple[bytes, bytes, str | None]:
        async with Origin(says(reply(b"there"))) as there:
            moved = reply(b"", "301 Moved", Location=f"http://127.0.0.1:{there.port}/")
            async with Origin(says(moved)) as here, opened(here.port, there.port) as door:
                headers = {"Authorization": "secret", "Cookie": "c", "X-Other": "o"}
                headers |= {"X-Api-Key": "k", "X-Auth-Token": "t"}
                url = f"http://127.0.0.1:{here.port}/"
                answer = await door.request(HttpRequest(url, headers=headers))
                return here.requests[0], there.requests[0], answer.moved_to

    here, there, moved_to = asyncio.run(run())

    assert b"Authorization: secret" in here
    assert b"X-Api-Key: k" in here
    assert b"Authorization" not in there
    assert b"Cookie" not in there
    assert b"X-Api-Key" not in there
    assert b"X-Auth-Token" not in there
    assert b"X-Other: o" in there
    assert moved_to is None


RESOLUTIONS: list[tuple[str, list[str]]] = [
    ("private", ["127.0.0.1"]),
    ("mixed", ["93.184.216.34", "127.0.0.1"]),
    ("private v6", ["::1"]),
    ("mapped", ["::ffff:127.0.0.1"]),
    ("nothing", []),
]


@pytest.mark.parametrize(("name", "addresses"), RESOLUTIONS, ids=[case[0] for case in RESOLUTIONS])
def test_a_name_with_any_refused_address_is_not_reached(name: str, addresses: list[str]) -> None:
    """RELIABILITY C4: the canary sees no connection."""

    async def run() -> int:
        async def lookup(_host: str, _port: int) -> list[str]:
            return addresses

        async with (
            Origin(says(reply())) as canary,
            GuardedDoor(user_agent="t", lookup=lookup) as door,
        ):
            with pytest.raises(BlockedError):
                await door.request(HttpRequest(f"http://sample.example:{canary.port}/"))
            return canary.connections

    assert asyncio.run(run()) == 0


def test_a_name_that_flips_between_answers_is_judged_each_time() -> None:
    """RELIABILITY C5: rebinding gains nothing, also not on a connection kept alive."""

    async def run() -> int:
        answers: list[list[str]] = []

        async def lookup(_host: str, _port: int) -> list[str]:
            return answers.pop(0)

        async with (
            Origin(says(reply(), close=True)) as origin,
            opened(origin.port, lookup=lookup) as door,
        ):
            answers[:] = [["127.0.0.1"], ["127.0.0.2"]]
            await door.request(HttpRequest(f"http://sample.example:{origin.port}/"))
            with pytest.raises(BlockedError):
                await door.request(HttpRequest(f"http://sample.example:{origin.port}/"))
            return origin.connections

    assert asyncio.run(run()) == 1


def test_names_that_do_not_resolve_are_the_feeds_trouble() -> None:
    async def run() -> str:
        async def lookup(_host: str, _port: int) -> list[str]:
            raise OSError("SERVFAIL")

        async with GuardedDoor(user_agent="t", lookup=lookup) as door:
            with pytest.raises(FetchError) as caught:
                await door.request(HttpRequest("http://sample.example/"))
            return caught.value.reason

    assert asyncio.run(run()) == "dns"


def test_one_host_sees_few_requests_at_once_and_a_pause_between() -> None:
    """RELIABILITY A10."""

    async def run() -> tuple[int, list[float]]:
        now = most = 0
        starts: list[float] = []

        async def slow(_reader: Any, writer: asyncio.StreamWriter, _head: bytes) -> None:
            nonlocal now, most
            starts.append(asyncio.get_running_loop().time())
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.2)
            now -= 1
            writer.write(reply())

        async with (
            Origin(slow) as origin,
            opened(origin.port, per_host=2, host_spacing=timedelta(seconds=0.05)) as door,
        ):
            await asyncio.gather(
                *(
                    door.request(HttpRequest(f"http://127.0.0.1:{origin.port}/{n}"))
                    for n in range(6)
                )
            )
        return most, [b - a for a, b in pairwise(starts)]

    most, gaps = asyncio.run(run())
    assert most <= 2
    assert all(gap > 0.03 for gap in gaps)


# ── the conditional GET ──


def fetch(answer: Handler, **state: Any) -> Any:
    async def run() -> Any:
        async with Origin(answer) as origin, opened(origin.port) as door:
            known = FeedState("f", f"http://127.0.0.1:{origin.port}/feed", NOW, **state)
            return await fetch_feed(door, known, now=NOW), origin.requests[0]

    return asyncio.run(run())


def test_validators_travel_verbatim_both_ways() -> None:
    """RELIABILITY A1."""
    found, head = fetch(
        says(reply(b"<rss/>", ETag='W/"a,b"', Last_Modified="no date")),
        etag='"old "',
        last_modified="yesterday",
    )

    assert b'If-None-Match: "old "\r\n' in head
    assert b"If-Modified-Since: yesterday\r\n" in head
    assert (found.etag, found.last_modified) == ('W/"a,b"', "no date")


def test_a_304_keeps_or_renews_the_validators() -> None:
    """RELIABILITY A2."""
    kept, _ = fetch(says(b"HTTP/1.1 304 Not Modified\r\n\r\n"), etag='"a"')
    renewed, _ = fetch(says(b'HTTP/1.1 304 Not Modified\r\nETag: "b"\r\n\r\n'), etag='"a"')

    assert (kept.not_modified, kept.etag, renewed.etag) == (True, '"a"', '"b"')


def test_a_304_nobody_asked_for_is_an_error() -> None:
    with pytest.raises(FetchError) as caught:
        fetch(says(b"HTTP/1.1 304 Not Modified\r\n\r\n"))

    assert caught.value.reason == "unasked_304"


@pytest.mark.parametrize("status", [204, 301, 400, 401, 403, 404, 410, 429, 500, 502, 503])
def test_any_other_status_is_the_feeds_trouble(status: int) -> None:
    with pytest.raises(FetchError) as caught:
        fetch(says(reply(b"", f"{status} x", Retry_After="120")))

    assert caught.value.status in {status, None}
    if status != 301:
        assert caught.value.retry_after == timedelta(seconds=120)


WAITS = [
    ("120", timedelta(seconds=120)),
    ("Sat, 30 May 2026 13:00:00 GMT", timedelta(hours=1)),
    ("Sat, 30 May 2026 11:00:00 GMT", None),
    ("999999999", timedelta(days=7)),
    ("0", None),
    ("-5", None),
    ("soon", None),
    ("", None),
    (None, None),
]


@pytest.mark.parametrize(("value", "wait"), WAITS)
def test_retry_after_is_seconds_or_a_date(value: str | None, wait: timedelta | None) -> None:
    """RELIABILITY A6."""
    assert retry_after(value, NOW) == wait


@pytest.mark.parametrize(
    ("headers", "fresh"),
    [
        ({"cache-control": "public, max-age=3600"}, timedelta(hours=1)),
        ({"cache-control": "no-store, max-age=3600"}, None),
        ({"expires": "Sat, 30 May 2026 14:00:00 GMT"}, timedelta(hours=2)),
        ({"expires": "0"}, None),
        ({"cache-control": "s-maxage=9"}, None),
        ({"cache-control": "max-age=0, must-revalidate"}, None),
        ({"cache-control": "private, must-revalidate, max-age=60"}, timedelta(minutes=1)),
        ({"cache-control": "no-cache, max-age=60"}, None),
        ({"cache-control": "s-maxage=9, max-age=3600", "age": "600"}, timedelta(minutes=50)),
        ({"cache-control": "max-age=60", "age": "61"}, None),
        ({"cache-control": "max-age=60", "age": "old"}, timedelta(minutes=1)),
        (
            {"expires": "Tue, 01 Jan 2030 01:00:00 GMT", "date": "Tue, 01 Jan 2030 00:00:00 GMT"},
            timedelta(hours=1),
        ),
        ({"expires": "Fri, 29 May 2026 14:00:00 GMT"}, None),
        ({}, None),
    ],
)
def test_freshness_is_what_the_server_says(
    headers: dict[str, str], fresh: timedelta | None
) -> None:
    """RELIABILITY A8."""
    assert fresh_for(headers, NOW) == fresh
