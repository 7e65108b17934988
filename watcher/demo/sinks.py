"""Where the demo's messages arrive: a small SMTP server and two webhooks, all on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

MAX_MAIL = 10 * 1024 * 1024
MAX_LINE = 64 * 1024
_HELP = b"502 5.5.1 not implemented"


@dataclass(frozen=True, slots=True)
class Mail:
    """One accepted message with its envelope."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


class MailSink:
    """Accepts every message (RFC 5321 without relaying) and keeps it in `mails`."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """Listen on a free port of 127.0.0.1; gives the port."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, limit=MAX_LINE)
        async with server:
            yield int(server.sockets[0].getsockname()[1])

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _Session(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass  # the peer went away, or sent a line without an end
        finally:
            writer.close()


class _Session:
    def __init__(
        self, sink: MailSink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._sink = sink
        self._reader = reader
        self._writer = writer
        self._greeted = False
        self._sender: str | None = None
        self._recipients: list[str] = []

    async def run(self) -> None:
        await self._say(b"220 demo ESMTP")
        while line := await self._reader.readline():
            verb, _, rest = line.decode("utf-8", "replace").rstrip("\r\n").partition(" ")
            if verb.upper() == "QUIT":
                await self._say(b"221 2.0.0 bye")
                return
            if verb.upper() == "DATA":
                await self._data()
            else:
                await self._say(self._answer(verb.upper(), rest))

    def _answer(self, verb: str, rest: str) -> bytes:
        if verb in {"EHLO", "HELO"}:
            self._reset()
            self._greeted = True
            extended = f"250-demo\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE {MAX_MAIL}".encode()
            return extended if verb == "EHLO" else b"250 demo"
        if verb == "NOOP":
            return b"250 2.0.0 ok"
        if verb == "RSET":
            self._reset()
            return b"250 2.0.0 ok"
        if verb == "MAIL":
            return self._mail(rest)
        if verb == "RCPT":
            return self._rcpt(rest)
        return _HELP

    def _mail(self, rest: str) -> bytes:
        if not self._greeted or self._sender is not None:
            return b"503 5.5.1 say EHLO first" if not self._greeted else b"503 5.5.1 nested MAIL"
        if not rest.upper().startswith("FROM:"):
            return b"501 5.5.4 MAIL FROM:<address>"
        address, *parameters = rest[5:].strip().split()
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.upper() == "SIZE" and value.isdecimal() and int(value) > MAX_MAIL:
                return b"552 5.3.4 too big"
        self._sender = address.strip("<>")
        return b"250 2.1.0 ok"

    def _rcpt(self, rest: str) -> bytes:
        if self._sender is None:
            return b"503 5.5.1 say MAIL first"
        if not rest.upper().startswith("TO:") or not rest[3:].strip(" <>"):
            return b"501 5.5.4 RCPT TO:<address>"
        self._recipients.append(rest[3:].split(maxsplit=1)[0].strip("<>"))
        return b"250 2.1.5 ok"

    async def _data(self) -> None:
        if self._sender is None or not self._recipients:
            await self._say(b"503 5.5.1 say MAIL and RCPT first")
            return
        await self._say(b"354 end with a dot")
        content = bytearray()
        while (line := await self._reader.readline()) not in {b".\r\n", b""}:
            if len(content) <= MAX_MAIL:
                content += line.removeprefix(b".")
        if not line:
            raise ConnectionError("the peer left inside DATA: nothing was accepted")
        if len(content) > MAX_MAIL:
            await self._say(b"552 5.3.4 too big")
        else:
            mail = Mail(self._sender, tuple(self._recipients), bytes(content))
            self._sink.mails.append(mail)
            await self._say(b"250 2.0.0 kept")
        self._reset()

    def _reset(self) -> None:
        self._sender = None
        self._recipients = []

    async def _say(self, line: bytes) -> None:
        self._writer.write(line + b"\r\n")
        await self._writer.drain()


@dataclass(frozen=True, slots=True)
class Post:
    """One accepted webhook call."""

    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class HookSinks:
    """A Slack-like webhook, which answers `ok`, and a plain one, which answers nothing."""

    slack: list[Post] = field(default_factory=list)
    hooks: list[Post] = field(default_factory=list)

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/slack/{token}", self._slack), web.post("/hook", self._hook)]

    async def _slack(self, request: web.Request) -> web.Response:
        post = await _post(request)
        if not isinstance(post.body, dict) or not post.body.get("text"):
            return web.Response(status=400, text="invalid_payload")
        self.slack.append(post)
        return web.Response(text="ok")

    async def _hook(self, request: web.Request) -> web.Response:
        self.hooks.append(await _post(request))
        return web.Response(status=204)


async def _post(request: web.Request) -> Post:
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise web.HTTPBadRequest from error
    return Post({name.lower(): value for name, value in request.headers.items()}, body)
