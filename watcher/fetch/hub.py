"""A request to a hub (WebSub §5.1): where it leads is chosen by a feed, so it goes through the door."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode, urljoin

from watcher.errors import BlockedError, FetchError
from watcher.fetch.feed import retry_after
from watcher.fetch.urls import check_url
from watcher.model import HttpRequest
from watcher.ports import Door

MAX_HOPS = 3
# What a hub says to people is not read.
_MAX_ANSWER = 64 * 1024


async def ask_hub(
    door: Door,
    hub: str,
    form: Mapping[str, str],
    *,
    now: datetime,
    deadline: timedelta = timedelta(seconds=30),
) -> None:
    """Return when the hub takes the request. Raises `FetchError` for all else.

    Follows 307 and 308 alone, with the same form; never from TLS to plain text, for the form
    holds a secret. No error shows any of it.
    """
    body = urlencode(form).encode("ascii")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    target = check_url(hub)
    for _ in range(MAX_HOPS + 1):
        request = HttpRequest(
            target.url, "POST", headers, body, deadline, max_bytes=_MAX_ANSWER, max_redirects=0
        )
        response = await door.request(request)
        if 200 <= response.status < 300:
            return
        if response.status not in {307, 308}:
            raise FetchError(
                f"http_{response.status}",
                target.host,
                status=response.status,
                retry_after=retry_after(response.headers.get("retry-after"), now),
            )
        try:
            location = urljoin(target.url, response.headers.get("location", "").strip())
        except ValueError as error:
            raise FetchError("bad_redirect", target.host, status=response.status) from error
        following = check_url(location, origin=target)
        if target.scheme == "https" and following.scheme != "https":
            raise BlockedError("bad_redirect", f"{target.host}: from https to http")
        target = following
    raise FetchError("too_many_redirects", f"{check_url(hub).host}: more than {MAX_HOPS}")
