"""Messages over SMTP, with a deadline per phase, and what each failure means."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

import aiosmtplib

from watcher.errors import (
    DeliveryError,
    PermanentDeliveryError,
    StoreError,
    TemporaryDeliveryError,
)
from watcher.ports import Settled
from watcher.text import clean_line

QUIT_TIMEOUT = 5.0
AGAIN_TIMEOUT = 10.0
# Postfix's own limits are of this order; a fresh connection now and then spreads over its hosts.
MOST_PER_CONNECTION = 100
_CLOSING = 421
# Credentials or the account are refused: no other message will fare better.
_PARK = {530, 534, 535, 538}


@dataclass(frozen=True, slots=True)
class Server:
    """Where to submit; `token` is an OAuth 2 access token and goes before `password`.

    What `token_file` holds when a connection is made goes before `token`.
    """

    host: str
    port: int
    tls: Literal["starttls", "implicit", "none"]
    hello: str
    context: ssl.SSLContext | None = None
    username: str | None = None
    password: str | None = None
    token: str | None = None
    token_file: Path | None = None
    connect_timeout: timedelta = timedelta(seconds=30)
    command_timeout: timedelta = timedelta(minutes=5)
    data_timeout: timedelta = timedelta(minutes=10)

    def __repr__(self) -> str:
        return f"Server({self.host}:{self.port})"


class Session:
    """Submits messages: inside `kept()` over one connection, outside each over its own.

    A kept connection that doesn't take the next sender, because the server has closed it, or
    counts its mails, is replaced: nothing of the message has been said. From RCPT on a message
    belongs to its connection: what is lost then is the outcome of this attempt.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._keeping = False
        self._settled: Settled = _at_once
        self._idle: aiosmtplib.SMTP | None = None
        self._used = 0
        # After a refusal the server is still at that message.
        self._in_order = True

    @asynccontextmanager
    async def kept(self, settled: Settled) -> AsyncIterator[None]:
        """One message at a time, nothing of its text before `settled`; ends with QUIT."""
        self._keeping, self._settled = True, settled
        try:
            yield
        finally:
            self._keeping, self._settled = False, _at_once
            client, self._idle = self._idle, None
            if client is not None:
                await _leave(client)

    async def submit(self, sender: str, recipient: str, message: bytes) -> str:
        """The server's words after the final dot. Raises delivery errors only."""
        try:
            client = await self._begun(sender)
        except Exception as error:
            raise to_delivery_error(error, self._server.host) from error
        usable = self._in_order = False
        try:
            await client.rcpt(recipient)
            reply = await self._data(client, message)
            usable = self._in_order = True
            return clean_line(f"{reply.code} {reply.message}", 200)
        except StoreError:
            raise
        except Exception as error:
            # A refusal leaves the connection in order; 421 announces its end.
            code = getattr(error, "code", 421)
            usable = self._keeping and code != _CLOSING and client.is_connected
            raise to_delivery_error(error, self._server.host) from error
        finally:
            await self._put_back(client, usable=usable)

    async def _data(self, client: aiosmtplib.SMTP, message: bytes) -> aiosmtplib.SMTPResponse:
        """DATA in two steps, which the library does in one: what stands before us is marked between.

        `message` has CRLF line ends and no others (`_mime.build` sees to it).
        """
        timeout = self._server.data_timeout.total_seconds()
        asked = await client.execute_command(b"DATA", timeout=timeout)
        if asked.code != aiosmtplib.SMTPStatus.start_input:
            raise aiosmtplib.SMTPDataError(asked.code, asked.message)
        await self._settled()
        protocol = client.protocol
        if protocol is None or not client.is_connected:
            raise aiosmtplib.SMTPServerDisconnected("lost before the message")
        protocol.write(message.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        reply = await protocol.read_response(timeout=timeout)
        if reply.code != aiosmtplib.SMTPStatus.completed:
            raise aiosmtplib.SMTPDataError(reply.code, reply.message)
        return reply

    async def _begun(self, sender: str) -> aiosmtplib.SMTP:
        """A connection that has taken the sender, the kept one if it does."""
        client, self._idle = self._idle, None
        if client is not None and await self._goes_on(client, sender):
            self._used += 1
            return client
        self._used = 1
        client = await _open(self._server)
        try:
            await client.mail(sender)
        except BaseException:
            client.close()
            raise
        return client

    async def _goes_on(self, client: aiosmtplib.SMTP, sender: str) -> bool:
        if self._used >= MOST_PER_CONNECTION:
            await _leave(client)
            return False
        try:
            if not self._in_order:
                await client.rset(timeout=AGAIN_TIMEOUT)
            await client.mail(sender, timeout=AGAIN_TIMEOUT)
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            client.close()
            return False
        return True

    async def _put_back(self, client: aiosmtplib.SMTP, *, usable: bool) -> None:
        if usable and self._keeping:
            self._idle = client
        elif usable:
            await _leave(client)
        else:
            client.close()


async def _at_once() -> None:
    """Outside a drain there is no message before."""


async def _open(server: Server) -> aiosmtplib.SMTP:
    """Connected, encrypted and logged in as told."""
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        local_hostname=server.hello,
        use_tls=server.tls == "implicit",
        start_tls=False,  # the library's "maybe" would fall back to clear text
        tls_context=server.context,
        timeout=server.command_timeout.total_seconds(),
    )
    try:
        await _greet(client, server)
    except BaseException:
        client.close()
        raise
    return client


async def _greet(client: aiosmtplib.SMTP, server: Server) -> None:
    await client.connect(timeout=server.connect_timeout.total_seconds())
    if server.tls == "starttls":
        await client.starttls(server_hostname=server.host)
    if server.token_file is not None:
        await _show_renewed_token(client, server, server.token_file)
    elif server.token:
        await client.ehlo()
        await client.auth_xoauth2(server.username or "", server.token)
    elif server.username:
        await client.login(server.username, server.password or "")


async def _show_renewed_token(client: aiosmtplib.SMTP, server: Server, file: Path) -> None:
    """A token that is refused has expired, most likely, and its file will have another one soon."""
    try:
        token = (await asyncio.to_thread(file.read_text, "utf-8-sig")).strip()
    except (OSError, ValueError) as error:
        what = f"{server.host}: the token_file can't be read: check the program that renews it"
        raise TemporaryDeliveryError(what, code="token_file") from error
    await client.ehlo()
    try:
        await client.auth_xoauth2(server.username or "", token)
    except aiosmtplib.SMTPAuthenticationError as error:
        detail = f"{server.host} refused the token of token_file: it is read again at the next try"
        raise TemporaryDeliveryError(detail, code=str(error.code)) from error


async def _leave(client: aiosmtplib.SMTP) -> None:
    """The message is the server's after its 250: a failing QUIT changes nothing (alertmanager#4006)."""
    try:
        with suppress(aiosmtplib.SMTPException, OSError, asyncio.TimeoutError):
            await client.quit(timeout=QUIT_TIMEOUT)
    finally:
        client.close()


def to_delivery_error(error: Exception, host: str) -> DeliveryError:
    """4xx, timeouts and lost connections are worth a retry, 5xx is not; refused credentials park."""
    if isinstance(error, DeliveryError):
        return error
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _of_reply(error.code, error.message, host)
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        what = f"{host}: {_said(error)}: nothing was sent in clear: check tls and username"
        return TemporaryDeliveryError(what, code="not_offered")
    if certificate := _certificate(error):
        what = f"{host}: the certificate is not valid: {certificate}"
        return TemporaryDeliveryError(what, code="certificate")
    if isinstance(error, TimeoutError):
        return TemporaryDeliveryError(f"{host}: no answer in time", code="timeout")
    if isinstance(error, aiosmtplib.SMTPServerDisconnected):
        return TemporaryDeliveryError(f"{host}: connection lost", code="disconnected")
    if isinstance(error, aiosmtplib.SMTPException | OSError):
        return TemporaryDeliveryError(f"{host}: {_said(error)}", code="connect")
    return PermanentDeliveryError(f"{host}: {type(error).__name__}", code="invalid")


def _of_reply(code: int, message: str, host: str) -> DeliveryError:
    detail = f"{host} said {clean_line(message, 160)!r}"
    if code in _PARK:
        return PermanentDeliveryError(detail, code=str(code), park=True)
    if code >= 500:
        return PermanentDeliveryError(detail, code=str(code))
    return TemporaryDeliveryError(detail, code=str(code))


def _certificate(error: BaseException | None) -> str:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return clean_line(error.verify_message, 120)
        error = error.__cause__
    return ""


def _said(error: Exception) -> str:
    return clean_line(str(error), 160)
