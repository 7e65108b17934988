"""What every HTTP receiver needs: one POST, and what its status means."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from urllib.parse import urlsplit

from watcher.errors import (
    BlockedError,
    DeliveryError,
    FetchError,
    PermanentDeliveryError,
    TemporaryDeliveryError,
)
from watcher.model import HttpRequest, HttpResponse
from watcher.ports import Door
from watcher.text import clean_line

# Enough to read an error; a sink that answers with a film is not watched to its end.
MAX_REPLY = 64 * 1024
LONGEST_WAIT = timedelta(days=7)
_PARK = {401, 403, 404, 410}
_TEMPORARY = {408, 409, 423, 425, 429}


def short_hash(text: str, length: int = 12) -> str:
    """A stable, harmless name for anything."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


def redacted(url: str) -> str:
    """The host only: paths and queries of webhooks are passwords."""
    try:
        return urlsplit(url).hostname or "(no host)"
    except ValueError:
        return "(no host)"


def check_endpoint(url: str) -> str:
    """An absolute http(s) URL, or ValueError that doesn't repeat it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    odd = any(c <= " " or c == "\x7f" for c in url) or "\\" in url or len(url) > 2048
    if parts.scheme not in {"http", "https"} or not host or parts.username or odd:
        raise ValueError(
            "not a web address: write it like https://host/path, without user or spaces"
        )
    return url


async def post(
    door: Door,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    timeout: timedelta,  # noqa: ASYNC109
) -> HttpResponse:
    """Send once, follow nothing. Network errors are temporary, a refused address parks."""
    request = HttpRequest(
        url=url,
        method="POST",
        headers=headers,
        body=body,
        timeout=timeout,
        max_bytes=MAX_REPLY,
        max_redirects=0,
    )
    try:
        return await door.request(request)
    except BlockedError as error:
        # The door's words may hold the address it resolved to, never the path.
        what = (
            f"{redacted(url)}: the outbound door refused it ({error.reason}): list it in http.allow"
        )
        raise PermanentDeliveryError(what, code="blocked", park=True) from error
    except FetchError as error:
        if error.reason == "too_large" and error.status and 200 <= error.status < 300:
            return HttpResponse(status=error.status, url=url, headers={})
        code = str(error.status or error.reason)
        what = f"{redacted(url)}: {clean_line(error.reason, 80)}"
        raise TemporaryDeliveryError(what, code=code, retry_after=error.retry_after) from error


def refusal(response: HttpResponse, *, at: datetime) -> DeliveryError | None:
    """The error a status means, None for 2xx.

    401, 403, 404 and 410 park the receiver; a redirect is a failure of the peer's
    set-up, worth another try; other 4xx won't get better.
    """
    status = response.status
    if 200 <= status < 300:
        return None
    said = clean_line(response.body[:500].decode("utf-8", "replace"), 120)
    detail = redacted(response.url) + (f" said {said!r}" if said else " gave no reason")
    code = str(status)
    if status in _PARK:
        return PermanentDeliveryError(detail, code=code, park=True)
    if status < 400:
        where = redacted(response.headers.get("location", ""))
        what = f"{redacted(response.url)} sends us on to {where}: change the url"
        return TemporaryDeliveryError(what, code=code)
    if status >= 500 or status in _TEMPORARY:
        wait = retry_after(response.headers.get("retry-after"), at)
        return TemporaryDeliveryError(detail, code=code, retry_after=wait)
    return PermanentDeliveryError(detail, code=code)


def retry_after(value: str | None, at: datetime) -> timedelta | None:
    """Seconds or an HTTP date (RFC 9110 §10.2.3), at most a week; nonsense is None."""
    if not value:
        return None
    try:
        wait = (
            timedelta(seconds=int(value))
            if value.strip().isdecimal() and len(value) < 12
            else parsedate_to_datetime(value).replace(tzinfo=UTC) - at
        )
    except (ValueError, TypeError, OverflowError):
        return None
    return min(wait, LONGEST_WAIT) if wait > timedelta(0) else None
