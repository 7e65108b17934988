"""A page that lists news, for sites without a feed: each item that a selector finds is an entry.

For `ParserPool.ask`, as `partial(read_index, settings)`: pages are hostile, and so is the cost
of a selector on them.
"""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

from watcher.errors import ParseError
from watcher.model import Entry, ParsedFeed
from watcher.sources.dates import parse_date
from watcher.sources.entries import link
from watcher.sources.html import Markup
from watcher.sources.markup import tree_of
from watcher.sources.settings import PageSettings
from watcher.sources.written_dates import written_date
from watcher.text import clean_line, truncate

MAX_ITEMS = 500
MAX_SCANNED = 5_000
_MAX_ITEM = 100_000
_MAX_TITLE = 500
_MAX_TEXT = 20_000
_MAX_NODES = 200
_HEADINGS = "h1, h2, h3, h4, h5, h6"
_HEADLINES = ":is(h1, h2, h3, h4, h5, h6) a[href], a[href]:has(h1, h2, h3, h4, h5, h6)"
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
_TABLE = frozenset(("tr", "td", "th", "tbody"))


@dataclass(frozen=True, slots=True)
class _Item:
    entry: Entry
    found: frozenset[str]


def read_index(
    page: PageSettings, body: bytes, url: str, content_type: str | None = None
) -> ParsedFeed:
    """Raises `ParseError`: `no_items` when nothing on the page is one, so that nobody waits in vain."""
    try:
        return _read(page, body, url, content_type)
    except ParseError:
        raise
    except Exception as error:
        raise ParseError("parser_failed", type(error).__name__) from error


def _read(page: PageSettings, body: bytes, url: str, content_type: str | None) -> ParsedFeed:
    tree, document = tree_of(body, content_type)
    base = _base(tree, url)
    nodes = tree.css(page.items)
    if not nodes:
        what = f"{page.items!r} matches nothing on the page: look whether its layout has changed"
        raise ParseError("no_items", what)
    items = list(_items(nodes[:MAX_SCANNED], page, base, url))
    if not items:
        what = (
            f"none of the {len(nodes)} items of {page.items!r} has a link to follow: set page.link"
        )
        raise ParseError("no_items", what)
    title = tree.css_first("title")
    root = tree.css_first("html")
    said = ((root.attributes.get("lang") or "") if root is not None else "").strip().lower()
    lang = said if _LANGUAGE.fullmatch(said) else None
    problems = [document.problem] if document.problem else []
    problems += _unmatched(page, items)
    if len(items) > MAX_ITEMS or len(nodes) > MAX_SCANNED:
        problems.append(f"items beyond the first {min(len(items), MAX_ITEMS)} were left out")
    return ParsedFeed(
        format="page",
        title=clean_line(title.text(deep=True)[:1000], 200) if title is not None else "",
        link=url,
        lang=lang,
        encoding=document.encoding,
        parser="selector",
        problems=tuple(problems),
        entries=tuple(replace(item.entry, lang=lang) for item in items[:MAX_ITEMS]),
    )


def _base(tree: LexborHTMLParser, url: str) -> str:
    stated = tree.css_first("base[href]")
    try:
        return urljoin(url, (stated.attributes.get("href") or "").strip()) if stated else url
    except ValueError:
        return url


def _items(nodes: list[LexborNode], page: PageSettings, base: str, url: str) -> Iterator[_Item]:
    """Every link once; the first item that has it tells of it."""
    seen, markup = {url.partition("#")[0]}, Markup()
    for node in nodes:
        markup_of = (node.html or "")[:_MAX_ITEM]
        if node.tag in _TABLE:
            markup_of = f"<table>{markup_of}</table>"
        # A document of its own: what is taken out of one item is not missed in another.
        item = LexborHTMLParser(markup_of)
        made = _item(item, page, base, seen, markup)
        if made is not None and made.entry.url:
            seen.add(made.entry.url)
            yield made
            if len(seen) > MAX_ITEMS + 1:
                return


def _item(
    item: LexborHTMLParser, page: PageSettings, base: str, seen: set[str], markup: Markup
) -> _Item | None:
    anchor, address = _anchor(item, page, base)
    if anchor is None or address is None or address in seen:
        return None
    titled, title = _title(item, page, anchor, markup)
    published, dates = _date(item, page)
    parts = item.css(page.text) if page.text else []
    if page.text:
        text = "\n\n".join(filter(None, (markup.text(part.html or "") for part in parts[:50])))
    else:
        text = _rest(item, [*dates, *([titled] if titled is not None else [])], markup)
    found = {"text"} if parts else set()
    found |= {"title"} if page.title and titled is not None else set()
    found |= {"date"} if published else set()
    entry = Entry(
        guid=address,
        url=address,
        title=truncate(title, _MAX_TITLE),
        summary="" if text == title else text[:_MAX_TEXT],
        published=published,
    )
    return _Item(entry, frozenset(found))


def _anchor(
    item: LexborHTMLParser, page: PageSettings, base: str
) -> tuple[LexborNode | None, str | None]:
    """The link of the headline, else the first one; of `page.link` the first that leads anywhere."""
    wanted = page.link or _HEADLINES
    for selector in (wanted,) if page.link else (wanted, "a[href], area[href]"):
        for node in item.css(selector)[:200]:
            found = node if node.attributes.get("href") else node.css_first("a[href]")
            if found is not None and (address := _address(found.attributes.get("href"), base)):
                return found, address
    return None, None


def _address(href: str | None, base: str) -> str | None:
    """Absolute, http or https, without its fragment; a mere fragment leads nowhere."""
    if not href or href.lstrip().startswith("#"):
        return None
    found = link(href, base)
    return found.partition("#")[0] if found and found.startswith("http") else None


def _title(
    item: LexborHTMLParser, page: PageSettings, anchor: LexborNode, markup: Markup
) -> tuple[LexborNode | None, str]:
    """A heading's text, else the link's, else what the link or its picture is called."""
    for node in item.css(page.title or _HEADINGS)[:20]:
        if title := markup.line(node.html or ""):
            return node, title
    if title := markup.line(anchor.html or ""):
        return (None if page.title else anchor), title
    picture = anchor.css_first("img[alt]")
    names = (anchor.attributes.get("title"), anchor.attributes.get("aria-label"))
    alt = picture.attributes.get("alt") if picture is not None else None
    return None, clean_line(next(filter(None, (*names, alt)), ""))


def _date(item: LexborHTMLParser, page: PageSettings) -> tuple[datetime | None, list[LexborNode]]:
    """Of `page.date`, of `<time>`, or of an element that holds nothing but a date; and where it stood."""
    stated = item.css(page.date or "time")[:20]
    for node in stated:
        given = node.attributes
        texts = (given.get("datetime"), given.get("content"), node.text(deep=True)[:200])
        if moment := next(filter(None, (_date_of(text) for text in texts if text)), None):
            return moment, stated
    if page.date:
        return None, stated
    for node in item.css("span, p, div, td, small, em, i, b, li, dd")[:_MAX_NODES]:
        plain = node.child is not None and node.child.next is None and node.child.is_text_node
        if plain and (moment := _date_of((node.text(deep=True) or "")[:200])):
            return moment, [*stated, node]
    return None, stated


def _date_of(text: str) -> datetime | None:
    return written_date(text) or (parse_date(text) if len("20260530T") <= len(text) < 60 else None)


def _rest(item: LexborHTMLParser, taken: list[LexborNode], markup: Markup) -> str:
    """The item's text without its title and dates: those may be told by the clock, as "an hour ago"."""
    for node in _outermost(taken):
        node.decompose()
    body = item.body
    return markup.text(body.html or "") if body is not None else ""


def _outermost(nodes: list[LexborNode]) -> list[LexborNode]:
    """Without those inside others, which go with them."""
    found = {node.mem_id: node for node in nodes}
    return [node for node in found.values() if not _is_inside(node, found)]


def _is_inside(node: LexborNode, others: Container[int]) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.mem_id in others:
            return True
        parent = parent.parent
    return False


def _unmatched(page: PageSettings, items: list[_Item]) -> Iterator[str]:
    """Selectors that found nothing in any item."""
    for key in ("title", "date", "text"):
        selector = getattr(page, key)
        if selector and not any(key in item.found for item in items):
            yield f"page.{key}: {selector!r} finds nothing in any of the {len(items)} items"
