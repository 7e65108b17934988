"""The one listener: serves routes in the daemon's own loop, and outlives whoever dawdles.

What stands behind it is open to the world once `web.public_url` is set: requests are small,
short and few at once, and an answer tells nothing about the service or its errors.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import h11
import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from watcher.errors import ListenError

log = structlog.get_logger()

# A request head, and a whole request with its answer, take no longer than this.
HEAD_SECONDS = 10.0
ANSWER_SECONDS = 30.0
MAX_HEAD = 16 * 1024
MAX_CONNECTIONS = 100
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    b"cache-control": b"no-store",
}


@asynccontextmanager
async def listening(address: str, routes: Sequence[BaseRoute]) -> AsyncIterator[int]:
    """Serve the routes and `/healthz` at `host:port` until the block ends; gives the port.

    Port 0 takes any that is free. Raises `ListenError` when the address can't be had.
    """
    bound = _bind(address)
    server = _Server(
        Config(
            site(routes),
            http=_Patient,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MAX_CONNECTIONS,
            h11_max_incomplete_event_size=MAX_HEAD,
            timeout_graceful_shutdown=3,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    port = bound.getsockname()[1]
    log.info("listening", address=address, port=port)
    try:
        yield port
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await serving
        bound.close()


def site(routes: Sequence[BaseRoute]) -> Starlette:
    """The routes behind the limits and headers that hold for all of them."""
    return Starlette(
        routes=[Route("/healthz", _healthz), *routes],
        middleware=[Middleware(_Guarded)],
        exception_handlers={404: _nothing_here, 405: _nothing_here},
    )


async def _healthz(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _nothing_here(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("not found\n", status_code=404)


def _bind(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family, backlog=MAX_CONNECTIONS)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise ListenError(
            f"web.listen: can't listen on {address} ({why.lower()}): choose another address or port"
        ) from error


class _Guarded:
    """Limits the time of a request, adds the headers, and keeps errors to the log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                given = {name for name, _ in message["headers"]}
                more = [pair for pair in HEADERS.items() if pair[0] not in given]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._app(scope, receive, sending)
        except TimeoutError:
            failed = PlainTextResponse("too slow\n", status_code=408)
        except Exception:
            # The path may hold a token: it stays out of the log.
            log.exception("request_failed", method=scope.get("method"))
            failed = PlainTextResponse("something went wrong\n", status_code=500)
        else:
            return
        if not begun:
            await failed(scope, receive, sending)


class _Server(Server):
    """Signals are the daemon's."""

    @contextmanager
    def capture_signals(self) -> Any:
        yield


class _Patient(H11Protocol):
    """Closes a connection whose next request does not come to the end of its head in time."""

    _watch: asyncio.TimerHandle | None = None
    _served: object = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch = self.loop.call_later(HEAD_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._watch is not None:
            self._watch.cancel()

    def _look(self) -> None:
        if self.conn.their_state is h11.IDLE and self.cycle is self._served:
            self.transport.close()
            return
        self._served = self.cycle
        self._watch = self.loop.call_later(HEAD_SECONDS, self._look)
