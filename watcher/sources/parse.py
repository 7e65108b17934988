"""Bytes to entries, by what the bytes are and not by what the server calls them."""

from watcher.errors import ParseError
from watcher.model import ParsedFeed
from watcher.sources.jsonfeed import parse_json
from watcher.sources.rss import parse_xml


def parse_feed(body: bytes, *, url: str, content_type: str | None = None) -> ParsedFeed:
    """Raise `ParseError` when it is not a feed; never anything else for any bytes."""
    # Servers write blank lines before the prolog, which strict XML forbids.
    body = body.lstrip(b" \t\r\n")
    start = body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if not start:
        raise ParseError("empty", "the answer has no content")
    try:
        if start in {b"{", b"["}:
            return parse_json(body, url=url)
        return parse_xml(body, url=url, content_type=content_type)
    except ParseError:
        raise
    except RecursionError as error:
        raise ParseError("too_complex", "nested too deeply") from error
    except Exception as error:
        # feedparser meets input its authors did not; the feed is at fault, the poll goes on.
        raise ParseError("parser_failed", type(error).__name__) from error
