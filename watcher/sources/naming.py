"""What a new feed is called, and whether an address is one that we have."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

MAX_ID = 50
# Titles that a thousand feeds have.
_PLAIN_TITLES = frozenset(
    str.split(
        "all articles atom blog feed home index latest latest-news main news posts rss untitled"
    )
)
# What hosts of feeds begin with, and what stands before the country.
_SERVICES = frozenset(("www", "feed", "feeds", "rss", "m", "news", "blog"))
_SECOND_LEVELS = frozenset(("ac", "co", "com", "go", "gob", "gov", "ne", "net", "or", "org"))
# A host, perhaps a port, perhaps a path.
_BARE = re.compile(r"(?!\d+$)[\w.-]+(?::\d+)?(?:[/?].*)?", re.DOTALL)


def address_of(text: str) -> str:
    """What people paste: without a scheme, or with `feed:` for one. Says nothing of its safety."""
    text = text.strip()
    if text.lower().startswith("feed:"):
        text = text[5:]
        text = f"http:{text}" if text.startswith("//") else text
    return f"https://{text}" if _BARE.fullmatch(text) else text


def address_key(url: str) -> str:
    """The same for addresses that differ in scheme, `www.`, default port, last slash or fragment."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").removesuffix("."), parts.port
    except ValueError:
        return url
    at = f":{port}" if port not in {None, 80, 443} else ""
    query = f"?{parts.query}" if parts.query else ""
    return f"{host.removeprefix('www.')}{at}{parts.path.rstrip('/')}{query}"


def free_id(title: str, url: str, taken: Collection[str]) -> str:
    """An id of the title, or of the host where that has no Latin letters or says nothing."""
    for name in (_slug(title), _host_name(url), "feed"):
        if len(name) > 1 and name not in _PLAIN_TITLES:
            break
    return next(candidate for candidate in _numbered(name) if candidate not in taken)


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1


def _slug(text: str) -> str:
    """Lower case letters and digits with `-` between words; empty when most letters are lost."""
    letters = [c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)]
    lost = sum(c.isalnum() and not c.isascii() for c in letters)
    if lost * 2 > sum(map(str.isalnum, letters)):
        return ""
    words = re.sub(r"['’]", "", "".join(letters)).lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", words))
    if len(slug) > MAX_ID:
        slug = slug[: MAX_ID + 1].rpartition("-")[0] or slug[:MAX_ID]
    return slug


def _host_name(url: str) -> str:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    labels = host.split(".")
    if not host.replace(".", "").isdigit():
        *labels, _country = labels if len(labels) > 1 else [*labels, ""]
        if len(labels) > 1 and labels[-1] in _SECOND_LEVELS:
            labels.pop()
        while len(labels) > 1 and labels[0] in _SERVICES:
            labels.pop(0)
    return _slug("-".join(labels))
