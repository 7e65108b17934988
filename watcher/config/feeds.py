"""feeds.yaml and publishers.yaml."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from watcher.config.files import FEEDS, PUBLISHERS
from watcher.config.problems import Loc
from watcher.config.reader import Reader
from watcher.config.rules import unique_ids
from watcher.config.secrets import SecretError, Secrets
from watcher.config.yaml import Document
from watcher.sources.article_page import is_installed
from watcher.sources.settings import FeedFile, FeedSettings
from watcher.stories.publishers import PublisherFile, PublisherSettings

INSTALL = "pip install 'watcher-alerts[fulltext]', or delete the line"
# Headers that are no secret.
OPEN_HEADERS = {"user-agent", "accept-language"}


def read_feeds(reader: Reader, secrets: Secrets) -> tuple[FeedSettings, ...]:
    """The enabled feeds, in the order of the file."""
    document = reader.document(FEEDS)
    if document is None:
        return ()
    unique_ids(reader, document, "feeds", {})
    _warn_of_same_url(reader, document)
    data = _with_headers(reader, document, secrets)
    model, kept = reader.model(document, data, FeedFile, "feeds")
    if model is not None and not is_installed():
        for feed, n in zip(model.feeds, kept, strict=True):
            if feed.full_text and feed.enabled:
                what = "full texts need trafilatura, which is not installed"
                reader.problem(document, ("feeds", n, "full_text"), what, INSTALL)
    return tuple(feed for feed in model.feeds if feed.enabled) if model else ()


def read_publishers(reader: Reader) -> tuple[PublisherSettings, ...]:
    """The outlets; a name or a domain belongs to one of them."""
    document = reader.document(PUBLISHERS)
    if document is None:
        return ()
    model, kept = reader.model(document, document.data, PublisherFile, "publishers")
    publishers = model.publishers if model else ()
    seen: dict[tuple[str, str], int] = {}
    for publisher, n in zip(publishers, kept, strict=True):
        for loc, key in _claims(publisher):
            if key in seen:
                first, _ = document.place(("publishers", seen[key]))
                what = f"{key[1]!r} is taken (by the publisher in line {first})"
                reader.problem(document, ("publishers", n, *loc), what, "keep one")
            seen.setdefault(key, n)
    return publishers


def _claims(publisher: PublisherSettings) -> Iterator[tuple[Loc, tuple[str, str]]]:
    """What only one publisher can have, and where it is written."""
    own = {publisher.name.casefold()}
    yield ("name",), ("name", publisher.name.casefold())
    for n, name in enumerate(publisher.names):
        if name.casefold() not in own:
            own.add(name.casefold())
            yield ("names", n), ("name", name.casefold())
    for n, domain in enumerate(dict.fromkeys(publisher.domains)):
        yield ("domains", n), ("domain", domain.casefold().removeprefix("www."))


def _entries(document: Document) -> list[Any]:
    entries = document.data.get("feeds") if isinstance(document.data, dict) else None
    return entries if isinstance(entries, list) else []


def _warn_of_same_url(reader: Reader, document: Document) -> None:
    seen: dict[str, int] = {}
    for n, entry in enumerate(_entries(document)):
        url = entry.get("url") if isinstance(entry, dict) else None
        if isinstance(url, str) and url in seen:
            first, _ = document.place(("feeds", seen[url], "url"))
            what = f"the feed of line {first} has the same url"
            reader.warning(document, ("feeds", n, "url"), what, "poll it once")
        elif isinstance(url, str):
            seen[url] = n


def _with_headers(reader: Reader, document: Document, secrets: Secrets) -> Any:
    """The data with `{env: NAME}` and `{file: PATH}` of headers resolved."""
    if not _entries(document):
        return document.data
    feeds = []
    for n, entry in enumerate(_entries(document)):
        headers = entry.get("headers") if isinstance(entry, dict) else None
        if isinstance(headers, dict):
            place = _Headers(reader, document, ("feeds", n, "headers"), secrets)
            quiet = entry.get("enabled") is False
            resolved = {k: place.resolved(k, v, quiet=quiet) for k, v in headers.items()}
            entry = {**entry, "headers": resolved}
        feeds.append(entry)
    return {**document.data, "feeds": feeds}


@dataclass(frozen=True, slots=True)
class _Headers:
    """The headers of one feed."""

    reader: Reader
    document: Document
    loc: Loc
    secrets: Secrets

    def resolved(self, name: str, value: Any, *, quiet: bool) -> Any:
        """The header's value; `quiet` for a disabled feed, which needs no secret."""
        match value:
            case {"env": source, **rest} if not rest:
                find: Callable[[object], str] = self.secrets.from_env
            case {"file": source, **rest} if not rest:
                find = self.secrets.from_file
            case str() if name.casefold() not in OPEN_HEADERS and not quiet:
                what, todo = "the secret stands in the file", "use {env: NAME} or {file: PATH}"
                self.reader.warning(self.document, (*self.loc, name), what, todo)
                return value
            case _:
                return value
        try:
            return find(source)
        except SecretError as error:
            if not quiet:
                self.reader.problem(self.document, (*self.loc, name), error.what, error.todo)
            # The feed goes on to the other checks; nothing is ever sent with this.
            return "-"
