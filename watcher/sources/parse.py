"""Bytes to entries, by what the bytes are and not by what the server calls them."""

import re

from watcher.errors import ParseError
from watcher.model import ParsedFeed
from watcher.sources.encoding import to_utf8
from watcher.sources.fast import parse_strictly
from watcher.sources.jsonfeed import parse_json
from watcher.sources.limits import PROLOG
from watcher.sources.rss import parse_xml
from watcher.sources.sitemap import parse_sitemap

_SITEMAP = re.compile(PROLOG.pattern + rb"<(?:urlset|sitemapindex)[\s>]")


def parse_feed(
    body: bytes, *, url: str, content_type: str | None = None, fast: bool = True
) -> ParsedFeed:
    """Raise `ParseError` when it is not a feed; never anything else for any bytes.

    Without `fast` all XML is left to feedparser, which it must agree with.
    """
    try:
        # Servers write blank lines before the prolog, which strict XML forbids.
        document = to_utf8(body.lstrip(b" \t\r\n"), content_type)
        start = document.body[:1]
        if not start:
            raise ParseError("empty", "the answer has no content")
        if start in {b"{", b"["}:
            return parse_json(document, url=url)
        if _SITEMAP.match(document.body):
            return parse_sitemap(document, url=url)
        found = parse_strictly(document, url=url) if fast else None
        return found or parse_xml(document, url=url)
    except ParseError:
        raise
    except RecursionError as error:
        raise ParseError("too_complex", "nested too deeply") from error
    except Exception as error:
        # feedparser meets input its authors did not; the feed is at fault, the poll goes on.
        raise ParseError("parser_failed", type(error).__name__) from error
