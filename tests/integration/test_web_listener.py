"""The listener over real sockets: small, short, few requests, and answers that tell nothing."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from watcher.errors import ListenError
from watcher.web import listener
from watcher.web.listener import listening


async def echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


async def breaks(request: Request) -> Response:
    raise RuntimeError("a secret of the service")


async def sleeps(request: Request) -> Response:
    await asyncio.sleep(60)
    return PlainTextResponse("late")


ROUTES = [
    Route("/echo", echo, methods=["POST"]),
    Route("/breaks", breaks),
    Route("/sleeps", sleeps),
]


def served(talk: Callable[[int], Awaitable[bytes]]) -> bytes:
    async def run() -> bytes:
        async with listening("127.0.0.1:0", ROUTES) as port:
            return await talk(port)

    return asyncio.run(run())


async def ask(port: int, message: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(message)
    try:
        return await asyncio.wait_for(reader.read(), 20)
    finally:
        writer.close()


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()


def test_it_says_that_the_service_is_there() -> None:
    answer = served(lambda port: ask(port, get("/healthz")))

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\nok\n")


def test_every_answer_forbids_scripts_frames_sniffing_and_referrers() -> None:
    answer = served(lambda port: ask(port, get("/nowhere"))).lower()

    for header in (b"content-security-policy: default-src 'none'", b"frame-ancestors 'none'",
                   b"x-content-type-options: nosniff", b"referrer-policy: no-referrer"):  # fmt: skip
        assert header in answer


@pytest.mark.parametrize("path", ["/nowhere", "/echo"])
def test_what_is_not_served_or_not_that_way_is_not_found(path: str) -> None:
    answer = served(lambda port: ask(port, get(path)))

    assert answer.startswith(b"HTTP/1.1 404")
    assert answer.endswith(b"\r\n\r\nnot found\n")


def test_an_error_inside_tells_nothing_outside() -> None:
    answer = served(lambda port: ask(port, get("/breaks")))

    assert answer.startswith(b"HTTP/1.1 500")
    assert b"secret" not in answer
    assert b"uvicorn" not in answer


def test_a_handler_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "ANSWER_SECONDS", 0.2)
    answer = served(lambda port: ask(port, get("/sleeps")))

    assert answer.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow"])
def test_a_request_that_does_not_come_to_its_end_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(listener, "HEAD_SECONDS", 0.2)

    assert served(lambda port: ask(port, begun)) == b""


def test_a_second_request_on_a_kept_connection_is_cut_off_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listener, "HEAD_SECONDS", 0.2)
    answer = served(
        lambda port: ask(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HT")
    )

    assert answer.count(b"HTTP/1.1 200") == 1


def test_a_head_without_an_end_is_refused() -> None:
    answer = served(lambda port: ask(port, b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000))

    assert b"200" not in answer[:20]


def test_it_ends_also_while_somebody_waits_for_an_answer() -> None:
    async def leave(port: int) -> bytes:
        asking = asyncio.create_task(ask(port, get("/sleeps")))
        await asyncio.sleep(0.1)
        return b"" if asking.done() else b"left"

    assert served(leave) == b"left"


def test_a_taken_address_is_said_in_words() -> None:
    async def open_it(address: str) -> None:
        async with listening(address, []):
            pass

    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ListenError) as caught:
            asyncio.run(open_it(address))

    assert str(caught.value) == (
        f"web.listen: can't listen on {address} (address already in use): choose another address or port"
    )
