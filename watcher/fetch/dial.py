"""Connections to judged addresses only, kept for a while."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aiohappyeyeballs import AddrInfoType, start_connection

from watcher.errors import BlockedError, FetchError
from watcher.fetch.urls import Target
from watcher.fetch.wire import Connection

DNS_TIMEOUT = 5.0
CONNECT_TIMEOUT = 10.0
# Long enough for the next feed of a host, too short for most servers to hang up first.
KEPT_SECONDS = 15.0
# What cannot be sent twice goes over a line that was in use a moment ago, or over a new one.
FRESH_SECONDS = 2.0
MOST_KEPT = 8
# IPv4 gets its turn when IPv6 is silent for so long (RFC 8305).
_HEAD_START = 0.25

Lookup = Callable[[str, int], Awaitable[list[str]]]
Origin = tuple[str, str, int]
# The loop's own few threads would all hang on dead names, and healthy ones wait behind them.
_RESOLVERS = ThreadPoolExecutor(max_workers=32, thread_name_prefix="dns")


async def system_lookup(host: str, port: int) -> list[str]:
    """Every address of a name, by the machine's resolver."""
    found = await asyncio.get_running_loop().run_in_executor(
        _RESOLVERS, partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    )
    return list(dict.fromkeys(str(info[4][0]) for info in found))


class Dialer:
    """Resolves, judges and connects in one step, so that nothing can resolve differently later."""

    def __init__(
        self, judge: Callable[[str, int], bool], lookup: Lookup, *, most_kept: int = MOST_KEPT
    ) -> None:
        """At most `most_kept` connections wait for one origin."""
        self._most_kept = most_kept
        self._judge = judge
        self._lookup = lookup
        self._kept: dict[Origin, list[tuple[float, Connection]]] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._tls: ssl.SSLContext | None = None

    async def dial(self, target: Target) -> Connection:
        """A new connection. Raises `BlockedError` before a packet is sent to a refused address."""
        addresses = await self._judged(target)
        loop = asyncio.get_running_loop()
        tls = self._context() if target.scheme == "https" else None
        reason = "connect"
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                raced = await start_connection(
                    [_info(address, target.port) for address in addresses],
                    happy_eyeballs_delay=_HEAD_START,
                    loop=loop,
                )
                reason = "tls" if tls else reason
                _, made = await loop.create_connection(
                    Connection, sock=raced, ssl=tls, server_hostname=target.host if tls else None
                )
        except TimeoutError as error:
            seconds = f"no connection in {CONNECT_TIMEOUT:g} s"
            raise FetchError(reason, f"{target.host}: {seconds}") from error
        except OSError as error:
            raise FetchError(reason, f"{target.host}: {_said(error)}") from error
        return made

    def kept(self, origin: Origin, idle: float = KEPT_SECONDS) -> Connection | None:
        """The one used last if it rested no longer than `idle`; `keep` takes it back."""
        waiting = self._kept.get(origin)
        while waiting:
            until, connection = waiting[-1]
            if (
                connection.reusable
                and until - asyncio.get_running_loop().time() < KEPT_SECONDS - idle
            ):
                return None
            waiting.pop()
            if connection.reusable:
                return connection
        return None

    def keep(self, origin: Origin, connection: Connection) -> None:
        """Closes it instead when it can't be used again, or enough wait for the same origin."""
        if not connection.reusable or len(self._kept.get(origin, ())) >= self._most_kept:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        self._kept.setdefault(origin, []).append((loop.time() + KEPT_SECONDS, connection))
        if self._sweeping is None:
            self._sweeping = loop.call_later(KEPT_SECONDS, self._sweep)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        for origin, waiting in list(self._kept.items()):
            for _, connection in (one for one in waiting if one[0] <= loop.time()):
                connection.close()
            self._kept[origin] = [one for one in waiting if one[1].reusable]
            if not self._kept[origin]:
                del self._kept[origin]
        self._sweeping = loop.call_later(KEPT_SECONDS, self._sweep) if self._kept else None

    async def close(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
        for waiting in self._kept.values():
            for _, connection in waiting:
                connection.close()
        self._kept.clear()
        await asyncio.sleep(0)  # aborted transports close their sockets on the next turn

    async def _judged(self, target: Target) -> list[str]:
        host, port = target.host, target.port
        if target.literal:
            if not self._judge(host, port):
                raise BlockedError("blocked_address", host)
            return [host]
        try:
            async with asyncio.timeout(DNS_TIMEOUT):
                addresses = await self._lookup(host, port)
        except TimeoutError as error:
            raise FetchError("dns", f"{host}: no answer in {DNS_TIMEOUT:g} s") from error
        except (OSError, UnicodeError) as error:
            raise FetchError("dns", f"{host}: {_said(error)}") from error
        refused = [address for address in addresses if not self._judge(address, port)]
        if refused or not addresses:
            # One bad answer spoils all: a name that mixes public and private is an attack.
            raise BlockedError(
                "blocked_address", f"{host} resolves to {', '.join(refused) or 'nothing'}"
            )
        return addresses

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls


def _info(address: str, port: int) -> AddrInfoType:
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, 0, "", (address, port, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port))


def _said(error: Exception) -> str:
    """The cause in the system's words; never the URL, which may hold a secret."""
    reason = getattr(error, "verify_message", None) or getattr(error, "reason", None)
    return str(reason or getattr(error, "strerror", None) or type(error).__name__)
