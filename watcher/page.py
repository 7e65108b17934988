"""A text to try rules on: a web page, an article as JSON, or plain text with the headline first."""

import html
import json
import re
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from watcher.errors import FetchError, ParseError, WatcherError
from watcher.model import Article, Entry, HttpRequest, HttpResponse
from watcher.normalise import to_article
from watcher.ports import Door, FeedParser
from watcher.rules.schema import Sample
from watcher.rules.testing import article_of
from watcher.sources.article_page import read_article
from watcher.sources.dates import parse_date
from watcher.sources.html import html_to_line, html_to_text
from watcher.sources.markup import decoded_page
from watcher.stories.publishers import PublisherTable

ACCEPT = "text/html, application/xhtml+xml;q=0.9, text/plain;q=0.8"
MAX_PAGE = 5 * 1024 * 1024
DEADLINE = timedelta(seconds=30)
# What a page says of itself stands at its beginning.
_HEAD = 200_000
_META = re.compile(r"<meta\b([^<>]{1,2000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w:-]+)\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)""")
_TITLE = re.compile(r"<title\b[^<>]*>([^<]{1,2000})<", re.IGNORECASE)
_LANG = re.compile(r"<html\b[^<>]*?\blang\s*=\s*[\"']?([A-Za-z-]{2,20})", re.IGNORECASE)
_MARKUP = re.compile(r"\s*(<!doctype|<html|<\?xml|<head|<body|<article)\b", re.IGNORECASE)


class PageError(WatcherError):
    """What was given is no text that rules could be tried on."""


async def fetch_page(
    door: Door,
    url: str,
    *,
    publishers: PublisherTable,
    now: datetime,
    reader: FeedParser | None = None,
) -> tuple[Article, bool]:
    """Through the guarded door; raises `FetchError` or `PageError`.

    With a `reader` the text is that of feeds with `full_text`; says whether it is, for not
    every page has an article in it.
    """
    request = HttpRequest(url, headers={"Accept": ACCEPT}, timeout=DEADLINE, max_bytes=MAX_PAGE)
    response = await door.request(request)
    if response.status != 200:
        raise FetchError(f"http_{response.status}", url, status=response.status)
    kind = response.headers.get("content-type", "")
    if kind and not kind.lower().startswith(("text/", "application/xhtml")):
        raise PageError(f"{url}: is {kind.split(';')[0]}, no page: give its text on standard input")
    text = await _full_text(reader, response, kind) if reader is not None else ""
    markup = decoded(response.body, kind)
    page = read_page(markup, url=response.url, publishers=publishers, now=now, text=text)
    return page, bool(text)


async def _full_text(reader: FeedParser, response: HttpResponse, kind: str) -> str:
    try:
        return await reader.ask(read_article, response.body, url=response.url, content_type=kind)
    except ParseError:
        return ""


def decoded(body: bytes, content_type: str = "") -> str:
    """By what the server says, then the page itself."""
    return decoded_page(body, content_type or None).body.decode("utf-8", "replace")


def read_text(text: str, *, publishers: PublisherTable, now: datetime) -> Article:
    """JSON in the form of a rule's test, a page, or a headline with its text below it."""
    if not text.strip():
        raise PageError("standard input: is empty: give a headline, its text on the lines below it")
    if text.lstrip().startswith("{"):
        return _of_json(text)
    if _MARKUP.match(text):
        return read_page(text, url="", publishers=publishers, now=now)
    title, _, rest = text.strip().partition("\n")
    return article_of(Sample(title=title.strip(), text=html_to_text(rest), published=now))


def _of_json(text: str) -> Article:
    try:
        raw: Any = json.loads(text)
        known = {key: raw[key] for key in Sample.model_fields if raw.get(key) is not None}
        return article_of(Sample.model_validate(known))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise PageError(f"standard input: {where}: {first['msg'].lower()}") from error
    except ValueError as error:
        raise PageError(f"standard input: is not JSON ({error}): close what is open") from error


def read_page(
    markup: str, *, url: str, publishers: PublisherTable, now: datetime, text: str = ""
) -> Article:
    """Title, language and date as the page says them.

    Without a `text` it is that of the article where the page marks one, else of all the page.
    """
    head = markup[:_HEAD]
    said = dict(_said(head))
    titled = _TITLE.search(head)
    lang = _LANG.search(head)
    entry = Entry(
        guid=url or None,
        url=url or None,
        title=html_to_line(said.get("og:title") or (titled[1] if titled else "")),
        text=text or html_to_text(_article_of(markup)),
        author=said.get("author"),
        published=parse_date(said.get("article:published_time")),
        publisher=said.get("og:site_name"),
        lang=lang[1].lower() if lang else None,
    )
    return to_article(
        entry, id="page", feed="page", feed_publisher=None, feed_lang=None,
        publishers=publishers, now=now,
    )  # fmt: skip


def _said(head: str) -> list[tuple[str, str]]:
    """The first word of each `<meta>`; a later one does not overrule it."""
    found = []
    for meta in _META.finditer(head):
        named = {
            key.lower(): html.unescape(value.strip("\"'"))
            for key, value in _ATTRIBUTE.findall(meta[1])
        }
        name = named.get("property") or named.get("name")
        if name and named.get("content"):
            found.append((name.lower(), named["content"]))
    return found[::-1]


def _article_of(markup: str) -> str:
    """The part that is the article, without the menus around it."""
    for name in ("article", "main"):
        begin = re.search(rf"<{name}\b", markup, re.IGNORECASE)
        ends = [found.end() for found in re.finditer(rf"</{name}\s*>", markup, re.IGNORECASE)]
        if begin and ends and ends[-1] > begin.start():
            return markup[begin.start() : ends[-1]]
    return markup
