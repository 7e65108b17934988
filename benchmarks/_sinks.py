"""Loopback ends for benchmarks: an SMTP server, a webhook and a feed, in a thread of their own.

Bare asyncio instead of aiosmtpd and a web framework: the sink must not be what is measured.
"""

import asyncio
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass
class Arrival:
    """A whole message, noted before its reply is written: from here on a repeat is a duplicate."""

    id: str
    at: float
    body: bytes


@dataclass
class Sinks:
    """`with Sinks() as sinks`; `feed` is what GET answers, `webhook` and `mail` what has come."""

    keep: bool = True
    feed: bytes = b""
    etag: str = '"0"'
    mail: list[Arrival] = field(default_factory=list)
    webhook: list[Arrival] = field(default_factory=list)
    connections: int = 0
    mail_port: int = 0
    http_port: int = 0

    def __enter__(self) -> "Sinks":
        self._servers: list[asyncio.Server] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.mail_port = self._run(self._listen(self._smtp))
        self.http_port = self._run(self._listen(self._http))
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        talks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self, talk: Callable[..., Coroutine[Any, Any, None]]) -> int:
        async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await talk(reader, writer)
            except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass  # the other side was killed, or the sink is closing
            finally:
                writer.close()

        server = await asyncio.start_server(guarded, "127.0.0.1", 0, limit=2**24)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def _note(self, into: list[Arrival], name: bytes, body: bytes) -> None:
        into.append(Arrival(name.decode(), time.monotonic(), body if self.keep else b""))

    async def _smtp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                writer.write(b"250-sink\r\n250-8BITMIME\r\n250 SIZE 50000000\r\n")
            elif verb == b"DATA":
                writer.write(b"354 go on\r\n")
                body = await reader.readuntil(b"\r\n.\r\n")
                found = _ID.search(body)
                self._note(self.mail, found[1] if found else b"?", body)
                writer.write(b"250 kept\r\n")
            elif verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                return
            else:
                writer.write(b"250 ok\r\n")

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            headers = dict(
                line.split(b": ", 1) for line in head.lower().split(b"\r\n") if b": " in line
            )
            if head.startswith(b"POST"):
                body = await reader.readexactly(int(headers[b"content-length"]))
                self._note(self.webhook, headers.get(b"webhook-id", b"?"), body)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            elif headers.get(b"if-none-match") == self.etag.encode():
                writer.write(b"HTTP/1.1 304 Not Modified\r\n\r\n")
            else:
                lead = f"HTTP/1.1 200 OK\r\nETag: {self.etag}\r\nContent-Type: application/rss+xml"
                writer.write(f"{lead}\r\nContent-Length: {len(self.feed)}\r\n\r\n".encode())
                writer.write(self.feed)


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


@contextmanager
def apart() -> Iterator[tuple[int, int]]:
    """Sinks in a process of their own, which keep nothing: `(mail port, http port)`."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        mail, http = process.stdout.readline().split()
        yield int(mail), int(http)
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


if __name__ == "__main__":
    with Sinks(keep=False) as _sinks:
        print(_sinks.mail_port, _sinks.http_port, flush=True)
        sys.stdin.read()
