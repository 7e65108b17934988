"""The feeds of the polling benchmark, and their server: plain asyncio, so that it is never the bottleneck."""

import asyncio
import gzip
import os
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random
from typing import Any

# One feed in so many has something new in the third cycle.
CHANGING = 20
TELLING = 50
_NOW = datetime.now(UTC).replace(microsecond=0)
_SYLLABLES = [f"{c}{v}" for c in "bdfghklmnprstvz" for v in "aeiou"]


def _vocabulary() -> list[str]:
    rng = Random(11)
    words = ("".join(rng.choices(_SYLLABLES, k=rng.randint(1, 4))) for _ in range(60_000))
    return list(dict.fromkeys(words))[:30_000]


_WORDS = _vocabulary()


def _text(rng: Random, words: int) -> str:
    """Words as often as Zipf says."""
    return " ".join(_WORDS[int(len(_WORDS) ** rng.random()) - 1] for _ in range(words))


def _html(rng: Random, size: int) -> str:
    parts = []
    while size > 0:
        parts.append(
            f"<p>{_text(rng, 40)} <a href='https://sample.example/{size}'>{_text(rng, 3)}</a> "
            f"<em>{_text(rng, 4)}</em>.</p>"
        )
        size -= len(parts[-1]) + 40
    return "".join(parts).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def feed(number: int, edition: int = 0) -> bytes:
    """RSS, or Atom for one in four; a later edition begins with two more entries."""
    rng = Random(number)
    entries = rng.randint(20, 50)
    size = int(10_000 * 20 ** rng.random()) // entries
    atom = number % 4 == 0
    write = _atom_entry if atom else _rss_item
    items = "".join(write(Random(f"{number}-{n}"), number, n, size) for n in range(entries))
    news = "".join(
        write(Random(f"{number}-{n}"), number, n, size) for n in (-2, -1)[2 - edition * 2 :]
    )
    if atom:
        head = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>Feed {number}</title><id>urn:f{number}</id>"
        return f"<?xml version='1.0'?>{head}{news}{items}</feed>".encode()
    head = f"<channel><title>Feed {number}</title><link>https://sample{number}.example/</link>"
    spaces = "xmlns:content='http://purl.org/rss/1.0/modules/content/' xmlns:dc='http://purl.org/dc/elements/1.1/'"
    return f"<?xml version='1.0'?><rss version='2.0' {spaces}>{head}{news}{items}</channel></rss>".encode()


def _rss_item(rng: Random, number: int, n: int, size: int) -> str:
    when = format_datetime(_NOW - timedelta(hours=n + 3), usegmt=True)
    content = _html(rng, size - 500)
    return (
        f"<item><title>{_text(rng, 9)}</title><link>https://sample{number}.example/{n}</link>"
        f"<guid isPermaLink='false'>{number}-{n}</guid><pubDate>{when}</pubDate><dc:creator>{_text(rng, 2)}"
        f"</dc:creator><category>{_text(rng, 1)}</category><description>{_html(rng, 100)}</description>"
        f"<content:encoded>{content}</content:encoded></item>"
    )


def _atom_entry(rng: Random, number: int, n: int, size: int) -> str:
    when = (_NOW - timedelta(hours=n + 3)).isoformat()
    content = _html(rng, size - 500)
    return (
        f"<entry><title>{_text(rng, 9)}</title><link href='https://sample{number}.example/{n}'/>"
        f"<id>urn:{number}-{n}</id><updated>{when}</updated><published>{when}</published>"
        f"<author><name>{_text(rng, 2)}</name></author><summary type='html'>{_html(rng, 100)}</summary>"
        f"<content type='html'>{content}</content></entry>"
    )


def _answer(number: int, edition: int, headline: str = "") -> tuple[bytes, bytes]:
    """The validator and the whole response."""
    etag = f'"{number}.{edition}"'.encode()
    body = feed(number, edition)
    if headline:
        when = format_datetime(_NOW, usegmt=True)
        told = (
            f"<item><title>{headline}</title><guid>{number}</guid><pubDate>{when}</pubDate></item>"
        )
        body = body.replace(b"<item>", f"{told}<item>".encode(), 1)
    body = gzip.compress(body, 6)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Encoding: gzip\r\nETag: "
    return etag, head + etag + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class _Server(asyncio.Protocol):
    """`GET /<edition>/<number>`; the answer of an edition stays as it is for ever."""

    def __init__(
        self, answers: dict[tuple[int, int], tuple[bytes, bytes]], now: list[int], count: int
    ) -> None:
        self._answers, self._now, self._count, self._seen = answers, now, count, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        while b"\r\n\r\n" in self._seen:
            head, _, self._seen = self._seen.partition(b"\r\n\r\n")
            self._transport.write(self._reply(head))

    def _reply(self, head: bytes) -> bytes:
        path = head.split(b" ", 2)[1]
        if path.startswith(b"/edition/"):
            self._now[0] = int(path.rpartition(b"/")[2])
            return b"HTTP/1.1 204 No Content\r\n\r\n"
        number = int(path.rpartition(b"/")[2]) % self._count
        edition = self._now[0] if number % CHANGING == 0 else 0
        etag, whole = self._answers[number, edition]
        if etag in head:
            return b"HTTP/1.1 304 Not Modified\r\nETag: " + etag + b"\r\n\r\n"
        return whole


def serve(ports: Any, count: int, core: int, headline: str = "") -> None:
    """Runs in a process of its own, until killed.

    A number beyond `count` is another name of one below; one document in fifty begins with the headline.
    """

    async def main() -> None:
        answers = {(n, 0): _answer(n, 0) for n in range(count)}
        answers |= {(n, 1): _answer(n, 1) for n in range(0, count, CHANGING)}
        if headline:
            answers |= {(n, 0): _answer(n, 0, headline) for n in range(1, count, TELLING)}
        now = [0]
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: _Server(answers, now, count), "127.0.0.1", 0, backlog=1000
        )
        ports.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    os.sched_setaffinity(0, {core})
    asyncio.run(main())
