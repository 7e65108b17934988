"""Items as RSS 2.0, RSS 1.0, Atom and JSON Feed documents."""

import json
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape

from watcher.demo.newsday import Item, Outlet

CONTENT_TYPES = {
    "rss20": "application/rss+xml; charset=utf-8",
    "rss10": "application/rdf+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json",
}


def write_feed(outlet: Outlet, items: Sequence[Item], base: str) -> bytes:
    """The feed document, newest first."""
    newest = sorted(items, key=lambda item: item.at, reverse=True)
    writer = {"rss20": _rss20, "rss10": _rss10, "atom": _atom, "json": _json}[outlet.format]
    return writer(outlet, newest, base).encode()


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _rss20(outlet: Outlet, items: Sequence[Item], base: str) -> str:
    body = "".join(
        f"<item><title>{escape(i.title)}</title><link>{base}{i.path}</link>"
        f'<guid isPermaLink="false">{outlet.id}-{i.number}</guid>'
        f"<pubDate>{format_datetime(i.at)}</pubDate>"
        f"<description>{escape(f'<p>{escape(i.text)}</p>')}</description></item>\n"
        for i in items
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>'
        f"<title>{escape(outlet.name)}</title><link>{base}/{outlet.id}</link>"
        f"<description>Invented for a demo</description><language>{outlet.lang}</language>\n"
        f"{body}</channel></rss>\n"
    )


def _rss10(outlet: Outlet, items: Sequence[Item], base: str) -> str:
    listed = "".join(f'<rdf:li rdf:resource="{base}{i.path}"/>' for i in items)
    body = "".join(
        f'<item rdf:about="{base}{i.path}"><title>{escape(i.title)}</title>'
        f"<link>{base}{i.path}</link><dc:date>{_iso(i.at)}</dc:date>"
        f"<description>{escape(i.text)}</description></item>\n"
        for i in items
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns="http://purl.org/rss/1.0/">\n'
        f'<channel rdf:about="{base}/{outlet.id}"><title>{escape(outlet.name)}</title>'
        f"<link>{base}/{outlet.id}</link><description>Invented for a demo</description>"
        f"<items><rdf:Seq>{listed}</rdf:Seq></items></channel>\n{body}</rdf:RDF>\n"
    )


def _atom(outlet: Outlet, items: Sequence[Item], base: str) -> str:
    body = "".join(
        f"<entry><id>tag:sample.example,2026:{outlet.id}-{i.number}</id>"
        f'<title>{escape(i.title)}</title><link href="{base}{i.path}"/>'
        f"<published>{_iso(i.at)}</published><updated>{_iso(i.at)}</updated>"
        f'<content type="html">{escape(f"<p>{escape(i.text)}</p>")}</content></entry>\n'
        for i in items
    )
    updated = _iso(items[0].at) if items else "2026-05-30T00:00:00Z"
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{outlet.lang}">'
        f"<id>tag:sample.example,2026:{outlet.id}</id><title>{escape(outlet.name)}</title>"
        f'<link href="{base}/{outlet.id}"/><updated>{updated}</updated>\n{body}</feed>\n'
    )


def _json(outlet: Outlet, items: Sequence[Item], base: str) -> str:
    return json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": outlet.name,
            "home_page_url": f"{base}/{outlet.id}",
            "language": outlet.lang,
            "items": [
                {
                    "id": f"{outlet.id}-{i.number}",
                    "url": f"{base}{i.path}",
                    "title": i.title,
                    "content_text": i.text,
                    "date_published": _iso(i.at),
                }
                for i in items
            ],
        },
        ensure_ascii=False,
    )
