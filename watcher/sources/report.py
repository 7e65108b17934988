"""A parsed feed as `watcher feeds parse` prints it."""

from datetime import datetime
from typing import Any

from watcher.model import Entry, ParsedFeed


def report(parsed: ParsedFeed) -> dict[str, Any]:
    """JSON-ready; times ISO 8601 UTC or null, text without markup, links absolute."""
    return {
        "format": parsed.format,
        "title": parsed.title,
        "link": parsed.link,
        "encoding": parsed.encoding,
        "parser": parsed.parser,
        "problems": list(parsed.problems),
        "articles": [_article(entry) for entry in parsed.entries],
    }


def _article(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.guid,
        "url": entry.url,
        "title": entry.title,
        "author": entry.author,
        "published": _iso(entry.published),
        "updated": _iso(entry.updated),
        "summary": entry.summary,
        "text": entry.text,
        "tags": list(entry.tags),
        "enclosures": [
            {"url": e.url, "type": e.type, "length": e.length} for e in entry.enclosures
        ],
        "publisher": entry.publisher,
        "lang": entry.lang,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
