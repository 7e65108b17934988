"""URLs before anything is resolved: one parse decides what is checked and what is asked."""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import quote, urlsplit, urlunsplit

from watcher.errors import BlockedError, FetchError

MAX_URL = 2048
MAX_HOST = 253
_PORTS = {"http": 80, "https": 443}
# 127.1, 0x7f.1, 2130706433, 0177.0.0.1: numbers that a resolver reads as an address.
_NUMERIC = re.compile(r"(0x[0-9a-f]*|\d+)(\.(0x[0-9a-f]*|\d+)){0,3}\.?", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """A judged URL, rebuilt from its parts; `literal` says that the host is an address.

    `authority` and `path` (with its query) are as a request spells them.
    """

    url: str
    scheme: str
    host: str
    port: int
    literal: bool
    authority: str
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


@lru_cache(maxsize=8192)
def check_url(url: str, origin: Target | None = None) -> Target:
    """Raise `FetchError` (bad_url) or `BlockedError` for a URL we never ask.

    With `origin`, the URL came from a redirect or a page: only the ordinary
    ports and the origin's own port are allowed.
    """
    if len(url) > MAX_URL:
        raise FetchError("bad_url", f"longer than {MAX_URL} characters")
    if any(c <= " " or c in "\\\x7f" for c in url):
        raise FetchError("bad_url", "holds a space, control character or backslash")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise FetchError("bad_url", "host or port can't be read") from error
    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        raise BlockedError("blocked_scheme", f"{scheme or 'no scheme'}: only http and https")
    if "@" in parts.netloc:
        raise BlockedError("bad_url", "user information in the address: use the feed's headers")
    if port == 0 or not host:
        raise FetchError("bad_url", "no host or port 0")
    number = port or _PORTS[scheme]
    if origin is not None and number not in {80, 443, origin.port}:
        raise BlockedError("blocked_port", f"{host}: a redirect to port {number}")
    host, literal = _checked_host(host)
    shown = f"[{host}]" if ":" in host else host
    netloc = shown if number == _PORTS[scheme] else f"{shown}:{number}"
    try:
        # Bytes of a Location header that are no UTF-8 arrive as surrogates and leave as they were.
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._", errors="surrogateescape")
        query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]|{}", errors="surrogateescape")
    except UnicodeEncodeError as error:
        raise FetchError("bad_url", "characters that no address can have") from error
    url = urlunsplit((scheme, netloc, path, query, ""))
    asked = f"{path}?{query}" if query else path
    return Target(url, scheme, host, number, literal, netloc, asked)


def _checked_host(host: str) -> tuple[str, bool]:
    if len(host) > MAX_HOST:
        raise FetchError("bad_url", f"a host name longer than {MAX_HOST} characters")
    if "%" in host:
        raise BlockedError("bad_url", "an escaped or zoned host name")
    if ":" in host:
        try:
            return ip_address(host).compressed, True
        except ValueError as error:
            raise FetchError("bad_url", "an IPv6 address that can't be read") from error
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise FetchError("bad_url", "a host name that can't be encoded") from error
    if _NUMERIC.fullmatch(host):
        try:
            return ip_address(host).compressed, True
        except ValueError as error:
            raise BlockedError("bad_url", f"{host}: write addresses as four numbers") from error
    name = host.removesuffix(".").lower()
    if not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise FetchError("bad_url", "a host name with letters that names can't have")
    return name, False
