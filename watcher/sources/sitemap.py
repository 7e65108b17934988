"""Google News sitemaps: addresses with title, date, publication and language."""

import xml.etree.ElementTree as ET

from watcher.errors import ParseError
from watcher.model import Entry, ParsedFeed
from watcher.sources.encoding import Decoded
from watcher.sources.entries import link
from watcher.sources.feed_dates import feed_date
from watcher.sources.html import Markup
from watcher.sources.limits import MAX_ENTRIES, refuse_hostile_xml
from watcher.text import clean_line

_SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
_NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"


def parse_sitemap(document: Decoded, *, url: str) -> ParsedFeed:
    """Raises `ParseError` for a sitemap without news: it has no titles to judge by."""
    refuse_hostile_xml(document.body)
    try:
        root = ET.fromstring(document.body)  # noqa: S314 - no entities (`refuse_hostile_xml`)
    except ET.ParseError as error:
        raise ParseError("not_a_feed", f"a sitemap that is not well-formed: {error}") from error
    if root.tag != f"{_SITEMAP}urlset":
        raise ParseError("not_a_feed", "a list of sitemaps: use the address of the one with news")
    found = [(page, news) for page in root if (news := page.find(f"{_NEWS}news")) is not None]
    if len(root) and not found:
        raise ParseError("not_a_feed", "a sitemap without news: its pages have no titles")
    markup = Markup()
    entries = tuple(_entry(page, news, url, markup) for page, news in found[:MAX_ENTRIES])
    problems = [document.problem] if document.problem else []
    if len(found) > MAX_ENTRIES:
        problems.append(
            f"{len(found) - MAX_ENTRIES} entries beyond the first {MAX_ENTRIES} were left out"
        )
    return ParsedFeed(
        format="news-sitemap",
        title=next((entry.publisher for entry in entries if entry.publisher), ""),
        link=None,
        lang=next((entry.lang for entry in entries if entry.lang), None),
        encoding=document.encoding,
        parser="fast",
        problems=tuple(problems),
        entries=entries,
    )


def _entry(page: ET.Element, news: ET.Element, url: str, markup: Markup) -> Entry:
    words = _text(news, f"{_NEWS}keywords").split(",")
    return Entry(
        guid=None,
        url=link(_text(page, f"{_SITEMAP}loc"), url),
        title=markup.line(_text(news, f"{_NEWS}title")),
        published=feed_date(_text(news, f"{_NEWS}publication_date")),
        updated=feed_date(_text(page, f"{_SITEMAP}lastmod")),
        tags=tuple(dict.fromkeys(tag for word in words[:200] if (tag := clean_line(word)))),
        publisher=markup.line(_text(news, f"{_NEWS}publication/{_NEWS}name")) or None,
        lang=_text(news, f"{_NEWS}publication/{_NEWS}language") or None,
    )


def _text(parent: ET.Element, path: str) -> str:
    return (parent.findtext(path) or "").strip()
