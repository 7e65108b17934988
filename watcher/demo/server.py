"""The outlets on loopback: each feed in its format, holding what is published by the demo's clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from html import escape

from aiohttp import web

from watcher.demo.formats import document
from watcher.demo.newsday import NewsDay
from watcher.ports import Clock

# As many entries as a feed usually shows.
SHOWN = 40


class DayServer:
    """Serves `/ID/feed` and the article pages; `requests` and `unchanged` count what was asked."""

    def __init__(self, day: NewsDay, clock: Clock) -> None:
        self._day = day
        self.clock = clock
        self._pages = {(piece.outlet, piece.path): piece for piece in day.pieces}
        self.requests = 0
        self.unchanged = 0

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/{outlet}/feed", self._feed),
            web.get("/{outlet}{path:/.+}", self._page),
        ]

    async def _feed(self, request: web.Request) -> web.Response:
        self.requests += 1
        outlet = self._day.outlets.get(request.match_info["outlet"])
        if outlet is None:
            raise web.HTTPNotFound
        pieces = self._day.published(outlet.id, self.clock.now())[:SHOWN]
        body, content_type = document(outlet, pieces, self._day.outlets)
        etag = f'"{sha256(body).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == etag:
            self.unchanged += 1
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=body, headers={"ETag": etag, "Content-Type": content_type})

    async def _page(self, request: web.Request) -> web.Response:
        place = (request.match_info["outlet"], request.match_info["path"])
        piece = self._pages.get(place)
        if piece is None or piece.at > self.clock.now():
            raise web.HTTPNotFound
        outlet = self._day.outlets[piece.outlet]
        return web.Response(
            text=f"""<!doctype html><html lang="{outlet.lang}"><meta charset="utf-8">
<title>{escape(piece.title)}</title><p>{escape(outlet.name)} (an invented outlet)</p>
<h1>{escape(piece.title)}</h1><time datetime="{piece.at.isoformat()}">{piece.at:%H:%M} UTC</time>
<p>{escape(piece.text)}</p></html>
""",
            content_type="text/html",
        )


@asynccontextmanager
async def serving(routes: list[web.RouteDef]) -> AsyncIterator[int]:
    """An HTTP server on a free port of 127.0.0.1; gives the port."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
