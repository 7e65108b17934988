"""Where the demo's messages end: a small SMTP server and an HTTP server that keep what they get."""

import asyncio
import json
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiohttp import web

MAX_MESSAGE = 5 * 1024 * 1024


@dataclass(slots=True)
class MailSink:
    """SMTP as RFC 5321 asks of a receiver, without relaying; messages stay in memory."""

    messages: list[EmailMessage] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**20)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 demo sink ready\r\n")
            while await self._command(reader, writer):
                await writer.drain()
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _command(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        line = await reader.readline()
        if not line:
            return False
        verb = line[:4].upper().strip()
        if verb == b"EHLO":
            writer.write(f"250-demo sink\r\n250-8BITMIME\r\n250 SIZE {MAX_MESSAGE}\r\n".encode())
        elif verb == b"DATA":
            writer.write(b"354 go on, end with a dot\r\n")
            await writer.drain()
            self.messages.append(await self._data(reader))
            writer.write(b"250 kept\r\n")
        elif verb == b"QUIT":
            writer.write(b"221 bye\r\n")
            return False
        elif verb in {b"HELO", b"MAIL", b"RCPT", b"RSET", b"NOOP"}:
            writer.write(b"250 ok\r\n")
        else:
            writer.write(b"502 not known here\r\n")
        return True

    async def _data(self, reader: asyncio.StreamReader) -> EmailMessage:
        lines: list[bytes] = []
        while (line := await reader.readline()) not in {b".\r\n", b""}:
            # A leading dot was doubled by the sender (RFC 5321 §4.5.2).
            lines.append(line[1:] if line.startswith(b".") else line)
        return message_from_bytes(b"".join(lines), policy=policy.default)


@dataclass(slots=True)
class HookSink:
    """Answers `ok` to every POST and keeps path, headers and body."""

    calls: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    base: str = ""
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=MAX_MESSAGE)
        app.router.add_post("/{tail:.*}", self._post)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.base = f"http://{host}:{port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _post(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        self.calls.append((request.path, dict(request.headers), body))
        return web.Response(text="ok")
