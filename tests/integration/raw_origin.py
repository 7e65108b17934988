"""A raw HTTP server on loopback whose every byte a test writes, and a door that may reach it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from watcher.errors import FetchError
from watcher.fetch.door import GuardedDoor
from watcher.model import HttpRequest, HttpResponse

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[None]]


class Origin:
    """A raw HTTP server: the test writes the bytes of every answer."""

    def __init__(self, answer: Handler) -> None:
        self.answer, self.connections = answer, 0
        self.requests: list[bytes] = []

    async def __aenter__(self) -> "Origin":
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**22)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(head)
                await self.answer(reader, writer, head)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


def says(*pieces: bytes, close: bool = True) -> Handler:
    async def answer(_reader: Any, writer: asyncio.StreamWriter, _head: bytes) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if close:
            writer.close()

    return answer


def reply(body: bytes = b"hello", status: str = "200 OK", **headers: str) -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body)}",
        *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def opened(*ports: int, **options: Any) -> Any:
    spacing = options.pop("host_spacing", timedelta(0))
    async with GuardedDoor(
        user_agent="watcher-test",
        allow=[f"127.0.0.1:{p}" for p in ports],
        host_spacing=spacing,
        **options,
    ) as door:
        yield door


def ask(answer: Handler, path: str = "/", **request: Any) -> HttpResponse:
    async def run() -> HttpResponse:
        async with Origin(answer) as origin, opened(origin.port) as door:
            limits = {"timeout": timedelta(seconds=5), "max_bytes": 100_000} | request
            found: HttpResponse = await door.request(
                HttpRequest(f"http://127.0.0.1:{origin.port}{path}", **limits)
            )
            return found

    return asyncio.run(run())


def refusal(answer: Handler, **request: Any) -> FetchError:
    with pytest.raises(FetchError) as caught:
        ask(answer, **request)
    return caught.value
