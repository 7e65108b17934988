"""The one outbound door (RELIABILITY I5): every request of the service goes through it.

Scheme and spelling are judged first, then every address the name resolves to;
the connection goes to a judged address; each redirect starts anew. Private
targets are reached by an exact `ip:port` allow entry only.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from types import TracebackType
from urllib.parse import urljoin

from watcher.errors import FetchError
from watcher.fetch.addresses import is_own, is_public, parse_allow
from watcher.fetch.dial import FRESH_SECONDS, KEPT_SECONDS, MOST_KEPT, Dialer, Lookup, system_lookup
from watcher.fetch.guard import Guard, guarding
from watcher.fetch.hosts import HostGate
from watcher.fetch.urls import Target, check_url
from watcher.fetch.wire import Answer, request_bytes
from watcher.model import HttpRequest, HttpResponse

REDIRECTS = frozenset((301, 302, 303, 307, 308))
PERMANENT = frozenset((301, 308))
# With the X-…-Key and X-…-Token that a feed's own headers may hold.
CREDENTIALS = re.compile(r"(proxy-)?authorization|cookie|x-.*(key|token)", re.IGNORECASE)


class GuardedDoor:
    """`async with GuardedDoor(...) as door: await door.request(...)`.

    `allow` and `own` hold `ip:port` entries: private targets that may be reached, and where
    this service itself listens, which is never asked.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        allow: Sequence[str] = (),
        own: Sequence[str] = (),
        per_host: int = 2,
        host_spacing: timedelta = timedelta(seconds=1),
        lookup: Lookup = system_lookup,
    ) -> None:
        self._own = {parse_allow(entry)[1] for entry in own}
        self._own_headers = {
            "User-Agent": user_agent,
            "Accept": "*/*",
            "Accept-Encoding": "gzip, deflate",
        }
        self._allow = frozenset(parse_allow(entry) for entry in allow)
        self._hosts = HostGate(per_host, host_spacing)
        # Polls of one host run side by side and each comes back for its connection.
        self._most_kept = max(per_host, MOST_KEPT)
        self._lookup = lookup
        self._dialer: Dialer | None = None

    async def __aenter__(self) -> "GuardedDoor":
        self._dialer = Dialer(self.may_reach, self._lookup, most_kept=self._most_kept)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._dialer is not None:
            await self._dialer.close()
            self._dialer = None

    def may_reach(self, address: str, port: int) -> bool:
        """Public, or exactly on the allow list; never a listener of our own."""
        if port in self._own and is_own(address):
            return False
        if is_public(address):
            return True
        try:
            return parse_allow(f"[{address}]:{port}") in self._allow
        except ValueError:
            return False

    def guarding(self) -> AbstractContextManager[Guard]:
        """See `ports.Door`."""
        return guarding(self.may_reach)

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
    ) -> Answer:
        given = {name.lower() for name in headers}
        sent = {k: v for k, v in self._own_headers.items() if k.lower() not in given}
        sent.update(headers)
        message = request_bytes(request.method, target, sent, request.body)
        if self._dialer is None:
            raise RuntimeError("the door is closed: use it inside `async with`")
        # What was kept may be closed by now, and only a GET can be sent twice.
        again = request.method == "GET"
        connection = self._dialer.kept(target.origin, KEPT_SECONDS if again else FRESH_SECONDS)
        old = connection is not None and again
        if connection is None:
            connection = await self._dialer.dial(target)
        try:
            answer = await connection.ask(message, request.max_bytes)
        except FetchError as error:
            if old and connection.silent:
                return await self._send(request, target, headers)
            detail = f"{target.host}: {error.detail}"
            raise FetchError(error.reason, detail, status=error.status) from error
        self._dialer.keep(target.origin, connection)
        return answer


def _joined(target: Target, location: str) -> str:
    try:
        return urljoin(target.url, location.strip())
    except ValueError as error:
        raise FetchError("bad_redirect", f"{target.host}: an address that can't be read") from error
