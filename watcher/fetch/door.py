"""The one outbound door (RELIABILITY I5): every request of the service goes through it.

Scheme and spelling are judged first, then every address the name resolves to;
the connection goes to a judged address; each redirect starts anew. Private
targets are reached by an exact `ip:port` allow entry only.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from watcher.errors import BlockedError, FetchError
from watcher.fetch.addresses import is_public, parse_allow
from watcher.fetch.body import read_body
from watcher.fetch.hosts import HostGate
from watcher.fetch.urls import Target, check_url
from watcher.model import HttpRequest, HttpResponse
from watcher.text import clean_line

REDIRECTS = frozenset((301, 302, 303, 307, 308))
PERMANENT = frozenset((301, 308))
# With the X-…-Key and X-…-Token that a feed's own headers may hold.
CREDENTIALS = re.compile(r"(proxy-)?authorization|cookie|x-.*(key|token)", re.IGNORECASE)
DNS_TIMEOUT = 5.0
CONNECT_TIMEOUT = 10.0
MAX_HEADER_BYTES = 64 * 1024
MAX_HEADERS = 256

Lookup = Callable[[str, int], Awaitable[list[str]]]
# The loop's own few threads would all hang on dead names, and healthy ones wait behind them.
_RESOLVERS = ThreadPoolExecutor(max_workers=32, thread_name_prefix="dns")


async def system_lookup(host: str, port: int) -> list[str]:
    """Every address of a name, by the machine's resolver."""
    found = await asyncio.get_running_loop().run_in_executor(
        _RESOLVERS, partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    )
    return list(dict.fromkeys(str(info[4][0]) for info in found))


class _JudgingResolver(AbstractResolver):
    """Hands aiohttp judged addresses only, so nothing can resolve differently later."""

    def __init__(self, lookup: Lookup, judge: Callable[[str, int], bool]) -> None:
        self._lookup = lookup
        self._judge = judge

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - the seam's shape
    ) -> list[ResolveResult]:
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
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


class GuardedDoor:
    """`async with GuardedDoor(...) as door: await door.request(...)`."""

    def __init__(
        self,
        *,
        user_agent: str,
        allow: Sequence[str] = (),
        per_host: int = 2,
        host_spacing: timedelta = timedelta(seconds=1),
        lookup: Lookup = system_lookup,
    ) -> None:
        self._agent = user_agent
        self._allow = frozenset(parse_allow(entry) for entry in allow)
        self._hosts = HostGate(per_host, host_spacing)
        self._lookup = lookup
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "GuardedDoor":
        connector = aiohttp.TCPConnector(
            resolver=_JudgingResolver(self._lookup, self.may_reach),
            use_dns_cache=False,
            limit=0,
            limit_per_host=0,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            headers={"User-Agent": self._agent},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
            # Security policies fill headers of many KB; the sum is checked by `_check_headers`.
            max_field_size=MAX_HEADER_BYTES,
            max_headers=MAX_HEADERS,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def may_reach(self, address: str, port: int) -> bool:
        """Public, or exactly on the allow list."""
        if is_public(address):
            return True
        try:
            return parse_allow(f"[{address}]:{port}") in self._allow
        except ValueError:
            return False

    async def request(self, request: HttpRequest) -> HttpResponse:
        """See `ports.Door`. GETs to one host are few at a time and spaced."""
        target = check_url(request.url)
        polite = request.method == "GET"
        async with self._hosts.turn(target.host if polite else None):
            try:
                async with asyncio.timeout(request.timeout.total_seconds()):
                    return await self._follow(request, target)
            except TimeoutError as error:
                seconds = request.timeout.total_seconds()
                raise FetchError(
                    "timeout", f"{target.host}: no whole answer in {seconds:g} s"
                ) from error

    async def _follow(self, request: HttpRequest, target: Target) -> HttpResponse:
        origin, permanent = target, True
        headers = dict(request.headers)
        moved_to: str | None = None
        for hop in range(request.max_redirects + 1):
            response = await self._send(request, target, headers)
            location = response.headers.get("location")
            if response.status not in REDIRECTS or request.max_redirects == 0:
                return HttpResponse(
                    response.status, target.url, response.headers, response.body, moved_to
                )
            if not location:
                raise FetchError(
                    "bad_redirect",
                    f"{target.host}: {response.status} without an address",
                    status=response.status,
                )
            if hop == request.max_redirects:
                break
            following = check_url(_joined(target, location), origin=origin)
            kept = headers
            if following.origin != target.origin:
                kept = {k: v for k, v in headers.items() if not CREDENTIALS.fullmatch(k)}
            # A move must not carry credentials along: the next poll would send them there.
            permanent = permanent and response.status in PERMANENT and len(kept) == len(headers)
            moved_to = following.url if permanent else moved_to
            headers = kept
            target = following
        raise FetchError("too_many_redirects", f"{origin.host}: more than {request.max_redirects}")

    async def _send(
        self, request: HttpRequest, target: Target, headers: Mapping[str, str]
    ) -> HttpResponse:
        if self._session is None:
            raise RuntimeError("the door is closed: use it inside `async with`")
        if target.literal and not self.may_reach(target.host, target.port):
            raise BlockedError("blocked_address", target.host)
        try:
            async with self._session.request(
                request.method,
                target.yarl(),
                headers={"Accept-Encoding": "gzip, deflate", **headers},
                data=request.body,
                allow_redirects=False,
            ) as answer:
                _check_headers(answer, target)
                body = await read_body(answer, request.max_bytes)
                plain = {name.lower(): value for name, value in answer.headers.items()}
                return HttpResponse(answer.status, target.url, plain, body)
        except FetchError:
            raise
        except aiohttp.ConnectionTimeoutError as error:
            raise FetchError(
                "connect", f"{target.host}: no connection in {CONNECT_TIMEOUT:g} s"
            ) from error
        except (aiohttp.ClientConnectorCertificateError, ssl.SSLError) as error:
            raise FetchError("tls", f"{target.host}: {_said(error)}") from error
        except aiohttp.ClientConnectorSSLError as error:
            raise FetchError("tls", f"{target.host}: {_said(error)}") from error
        except aiohttp.ClientConnectorError as error:
            raise FetchError("connect", f"{target.host}: {_said(error)}") from error
        except aiohttp.ClientPayloadError as error:
            raise FetchError("truncated", f"{target.host}: the body ended early") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise FetchError("protocol", f"{target.host}: {_said(error)}") from error


def _joined(target: Target, location: str) -> str:
    try:
        return urljoin(target.url, location.strip())
    except ValueError as error:
        raise FetchError("bad_redirect", f"{target.host}: an address that can't be read") from error


def _check_headers(answer: aiohttp.ClientResponse, target: Target) -> None:
    size = sum(len(name) + len(value) for name, value in answer.raw_headers)
    if size > MAX_HEADER_BYTES:
        raise FetchError("too_large", f"{target.host}: {size} bytes of headers")


def _said(error: Any) -> str:
    """The cause in the system's or the parser's words; never the URL, which may hold a secret."""
    if isinstance(error, aiohttp.ClientResponseError):
        # Before the colon: what follows repeats the server's bytes.
        return clean_line(error.message.partition(":")[0], 120)
    inner = getattr(error, "os_error", None) or error
    return str(getattr(inner, "strerror", None) or type(inner).__name__)
