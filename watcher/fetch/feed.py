"""The conditional GET of a feed (RFC 9110 §13, RFC 9111 §4)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from watcher.errors import FetchError
from watcher.fetch.links import links
from watcher.model import FeedState, HttpRequest, HttpResponse
from watcher.ports import Door

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
MAX_RETRY_AFTER = timedelta(days=7)
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,9})\"?", re.IGNORECASE)
# For statuses that say what is to be done.
_PHRASES = {
    401: "the server asks for a login: see headers in feeds.yaml",
    403: "the server refuses us",
    404: "there is nothing at this address",
    410: "the server says that it is gone for good",
    429: "the server asks for fewer requests",
    503: "the server is out of service for a while",
}


@dataclass(frozen=True, slots=True)
class FetchedFeed:
    """What came back; validators verbatim, and None unless this very response carried them.

    `hub` and `self_url` are those of its Link headers.
    """

    not_modified: bool
    url: str
    body: bytes = b""
    content_type: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    fresh_for: timedelta | None = None
    moved_to: str | None = None
    hub: str | None = None
    self_url: str | None = None


async def fetch_feed(
    door: Door,
    state: FeedState,
    *,
    now: datetime,
    headers: Mapping[str, str] | None = None,
    deadline: timedelta = timedelta(seconds=30),
    max_bytes: int = 10 * 1024 * 1024,
) -> FetchedFeed:
    """Raises `FetchError` for anything but 200 and 304; a 429 or 503 carries its Retry-After."""
    asked = {"Accept": ACCEPT, **(headers or {})}
    if state.etag:
        asked["If-None-Match"] = state.etag
    if state.last_modified:
        asked["If-Modified-Since"] = state.last_modified
    response = await door.request(
        HttpRequest(state.url, headers=asked, timeout=deadline, max_bytes=max_bytes)
    )
    got = response.headers
    if response.status == 304:
        if not (state.etag or state.last_modified):
            raise FetchError("unasked_304", "304 to a request without conditions", status=304)
        return FetchedFeed(
            True,
            response.url,
            etag=_verbatim(got, "etag") or state.etag,
            last_modified=_verbatim(got, "last-modified") or state.last_modified,
            fresh_for=fresh_for(got, now),
            moved_to=response.moved_to,
        )
    if response.status != 200:
        raise _status_error(response, now)
    named = links(got.get("link"), response.url)
    return FetchedFeed(
        False,
        response.url,
        response.body,
        got.get("content-type"),
        _verbatim(got, "etag"),
        _verbatim(got, "last-modified"),
        fresh_for(got, now),
        response.moved_to,
        named.get("hub"),
        named.get("self"),
    )


def _verbatim(headers: Mapping[str, str], name: str) -> str | None:
    """As received, or None when it holds bytes that can be neither stored nor sent back."""
    value = headers.get(name, "")
    return value if value.isprintable() and value else None


def _status_error(response: HttpResponse, now: datetime) -> FetchError:
    return FetchError(
        f"http_{response.status}",
        _PHRASES.get(response.status, ""),
        status=response.status,
        retry_after=retry_after(response.headers.get("retry-after"), now),
    )


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Seconds or an HTTP date (RFC 9110 §10.2.3); None when it says nothing usable."""
    if not value:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        wait = timedelta(seconds=min(int(value[:10]), 10**9))
    else:
        moment = http_date(value)
        if moment is None:
            return None
        wait = moment - now
    return min(wait, MAX_RETRY_AFTER) if wait > timedelta(0) else None


def fresh_for(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How much longer the response says it stays fresh (RFC 9111 §4.2); None when it does not say.

    `s-maxage` is for caches that many share, which we are not; `must-revalidate` and the like
    speak of what is stale. A cache on the way tells by `Age` how old the response already is.
    """
    control, until = headers.get("cache-control", ""), headers.get("expires")
    if "no-store" in control.lower() or "no-cache" in control.lower():
        return None
    lifetime, age = None, headers.get("age", "").strip()
    if found := _MAX_AGE.search(control):
        lifetime = timedelta(seconds=int(found[1]))
    elif expires := http_date(until or ""):
        # By the clock that wrote it, which may go wrong.
        lifetime = expires - (http_date(headers.get("date", "")) or now)
    if lifetime is not None and age.isascii() and age.isdigit():
        lifetime -= timedelta(seconds=int(age[:9]))
    return lifetime if lifetime is not None and lifetime > timedelta(0) else None


def http_date(value: str) -> datetime | None:
    """None for everything that is not a date (the standard parser raises on some)."""
    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
