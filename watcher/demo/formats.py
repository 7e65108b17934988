"""A news day's feeds as their outlets serve them: RSS 2.0, RSS 1.0, Atom 1.0, JSON Feed 1.1."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from html import escape

from watcher.demo.newsday import Outlet, Piece

Outlets = Mapping[str, Outlet]


def document(outlet: Outlet, pieces: Sequence[Piece], outlets: Outlets) -> tuple[bytes, str]:
    """The feed's bytes and its content type."""
    write, content_type = _FORMATS[outlet.format]
    return write(outlet, pieces, outlets).encode(), content_type


def link(outlet: Outlet, piece: Piece) -> str:
    return f"https://{outlet.domain}{piece.path}"


def _rss20(outlet: Outlet, pieces: Sequence[Piece], outlets: Outlets) -> str:
    items = "".join(
        f"""<item><title>{escape(_title(p, outlets))}</title><link>{link(_home(p, outlets), p)}</link>
<guid isPermaLink="false">{outlet.id}:{p.id}</guid><pubDate>{format_datetime(p.at)}</pubDate>
<description>{escape(p.text)}</description>{_source(p, outlets)}</item>
"""
        for p in pieces
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>{escape(outlet.name)}</title><link>https://{outlet.domain}/</link>
<description>A sample feed of watcher's demo</description><language>{outlet.lang}</language>
{items}</channel></rss>
"""


def _title(piece: Piece, outlets: Outlets) -> str:
    return f"{piece.title} - {outlets[piece.source].name}" if piece.source else piece.title


def _home(piece: Piece, outlets: Outlets) -> Outlet:
    return outlets[piece.outlet]


def _source(piece: Piece, outlets: Outlets) -> str:
    if not piece.source:
        return ""
    source = outlets[piece.source]
    return f'<source url="https://{source.domain}/feed">{escape(source.name)}</source>'


def _rss10(outlet: Outlet, pieces: Sequence[Piece], outlets: Outlets) -> str:
    links = [link(_home(p, outlets), p) for p in pieces]
    sequence = "".join(f'<rdf:li rdf:resource="{url}"/>' for url in links)
    items = "".join(
        f"""<item rdf:about="{url}"><title>{escape(p.title)}</title><link>{url}</link>
<description>{escape(p.text)}</description><dc:date>{_iso(p.at)}</dc:date></item>
"""
        for url, p in zip(links, pieces, strict=True)
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://{outlet.domain}/feed"><title>{escape(outlet.name)}</title>
<link>https://{outlet.domain}/</link><description>A sample feed of watcher's demo</description>
<dc:language>{outlet.lang}</dc:language><items><rdf:Seq>{sequence}</rdf:Seq></items></channel>
{items}</rdf:RDF>
"""


def _atom10(outlet: Outlet, pieces: Sequence[Piece], outlets: Outlets) -> str:
    entries = "".join(
        f"""<entry><id>tag:{outlet.domain},2026:{p.id}</id><title>{escape(p.title)}</title>
<link rel="alternate" href="{link(_home(p, outlets), p)}"/><published>{_iso(p.at)}</published>
<updated>{_iso(p.at)}</updated><content type="html">{escape(f"<p>{escape(p.text)}</p>")}</content></entry>
"""
        for p in pieces
    )
    updated = _iso(pieces[0].at) if pieces else "2026-05-29T00:00:00Z"
    return f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{outlet.lang}"><title>{escape(outlet.name)}</title>
<id>tag:{outlet.domain},2026:feed</id><updated>{updated}</updated>
<author><name>{escape(outlet.name)}</name></author>
<link rel="alternate" href="https://{outlet.domain}/"/>
{entries}</feed>
"""


def _json11(outlet: Outlet, pieces: Sequence[Piece], outlets: Outlets) -> str:
    return json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": outlet.name,
            "home_page_url": f"https://{outlet.domain}/",
            "language": outlet.lang,
            "items": [
                {
                    "id": f"{outlet.id}:{p.id}",
                    "url": link(_home(p, outlets), p),
                    "title": p.title,
                    "content_text": p.text,
                    "date_published": _iso(p.at),
                }
                for p in pieces
            ],
        },
        ensure_ascii=False,
        indent=1,
    )


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


_FORMATS: dict[str, tuple[Callable[[Outlet, Sequence[Piece], Outlets], str], str]] = {
    "rss20": (_rss20, "application/rss+xml; charset=utf-8"),
    "rss10": (_rss10, "application/rdf+xml; charset=utf-8"),
    "atom10": (_atom10, "application/atom+xml; charset=utf-8"),
    "json11": (_json11, "application/feed+json; charset=utf-8"),
}
