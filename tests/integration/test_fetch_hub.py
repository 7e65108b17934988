"""Requests to hubs over real sockets."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from raw_origin import Origin, opened, reply

from watcher.errors import BlockedError, FetchError
from watcher.fetch.feed import FetchedFeed, fetch_feed
from watcher.fetch.hub import MAX_HOPS, ask_hub
from watcher.model import FeedState, HttpRequest, HttpResponse

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
FORM = {"hub.mode": "subscribe", "hub.topic": "https://news.example/?a=1&b=ü", "hub.secret": "hush"}


def asked(*answers: bytes) -> list[dict[str, list[str]]]:
    """The forms that a hub which answers like this gets to see."""
    forms: list[dict[str, list[str]]] = []

    async def answer(reader: Any, writer: asyncio.StreamWriter, head: bytes) -> None:
        size = next(
            int(x[15:]) for x in head.split(b"\r\n") if x[:15].lower() == b"content-length:"
        )
        assert head.startswith(b"POST ")
        assert b"application/x-www-form-urlencoded" in head
        forms.append(parse_qs((await reader.readexactly(size)).decode()))
        writer.write(answers[min(len(forms), len(answers)) - 1])

    async def run() -> None:
        async with Origin(answer) as origin, opened(origin.port) as door:
            await ask_hub(door, f"http://127.0.0.1:{origin.port}/hub", FORM, now=NOW)

    try:
        asyncio.run(run())
    except FetchError as error:
        error.add_note(f"{len(forms)} forms")
        raise
    return forms


def moved(status: str, location: str) -> bytes:
    return reply(b"", status, Location=location)


@pytest.mark.parametrize("status", ["202 Accepted", "204 No Content", "200 OK"])
def test_a_hub_that_accepts_has_seen_the_form(status: str) -> None:
    assert asked(reply(b"", status)) == [{name: [value] for name, value in FORM.items()}]


@pytest.mark.parametrize("status", ["307 Temporary Redirect", "308 Permanent Redirect"])
def test_a_redirect_is_asked_the_same(status: str) -> None:
    forms = asked(moved(status, "/other"), reply(b"", "202 Accepted"))

    assert len(forms) == 2
    assert forms[0] == forms[1]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "400 Bad", "500 No"])
def test_everything_else_is_a_failure_that_shows_no_secret(status: str) -> None:
    with pytest.raises(FetchError) as caught:
        asked(reply(b"hush", status, Location="/other"))

    assert caught.value.status == int(status[:3])
    assert "hush" not in str(caught.value)


def test_a_circle_of_redirects_ends() -> None:
    with pytest.raises(FetchError) as caught:
        asked(moved("307 Again", "/hub"))

    assert caught.value.reason == "too_many_redirects"
    assert caught.value.__notes__ == [f"{MAX_HOPS + 1} forms"]


@pytest.mark.parametrize("location", ["http://127.0.0.1:22/", "ftp://a.example/", "http://[::1", "http://10.0.0.1/"])  # fmt: skip
def test_a_redirect_leads_nowhere_it_must_not(location: str) -> None:
    with pytest.raises(FetchError):
        asked(moved("308 Moved", location))


def test_a_hub_that_is_busy_says_until_when() -> None:
    with pytest.raises(FetchError) as caught:
        asked(reply(b"", "503 Busy", Retry_After="600"))

    assert caught.value.retry_after == timedelta(minutes=10)


class Lowering:
    """A door behind which a hub that speaks TLS sends us to one that does not."""

    async def request(self, request: HttpRequest) -> HttpResponse:
        assert request.url.startswith("https://")
        return HttpResponse(308, request.url, {"location": "http://hub.example/"})


def test_a_redirect_from_tls_to_plain_text_is_refused() -> None:
    with pytest.raises(BlockedError):
        asyncio.run(ask_hub(Lowering(), "https://hub.example/", FORM, now=NOW))  # type: ignore[arg-type]


# ── where a feed says that its hub is ──


def fetched(*lines: str) -> FetchedFeed:
    async def answer(_reader: Any, writer: asyncio.StreamWriter, _head: bytes) -> None:
        head = "".join(f"{line}\r\n" for line in lines)
        writer.write(reply().replace(b"\r\n\r\n", f"\r\n{head}\r\n".encode()))

    async def run() -> FetchedFeed:
        async with Origin(answer) as origin, opened(origin.port) as door:
            state = FeedState("f", f"http://127.0.0.1:{origin.port}/feed", NOW)
            return await fetch_feed(door, state, now=NOW)

    return asyncio.run(run())


def test_link_headers_are_read_in_one_line_or_several() -> None:
    one = fetched('Link: <https://hub.example/>; rel="hub", <https://news.example/f>; rel="self"')
    two = fetched(
        "Link: <https://hub.example/>; rel=hub", "LINK: <https://news.example/f>; rel=self"
    )

    assert (one.hub, one.self_url) == ("https://hub.example/", "https://news.example/f")
    assert (two.hub, two.self_url) == (one.hub, one.self_url)


def test_a_feed_without_link_headers_names_no_hub() -> None:
    assert (fetched().hub, fetched().self_url) == (None, None)
