"""The sample outlets over real HTTP on loopback, showing what is published by the demo's clock."""

from collections.abc import Sequence
from html import escape

from aiohttp import web

from watcher.demo.formats import CONTENT_TYPES, write_feed
from watcher.demo.newsday import Item, Outlet
from watcher.ports import Clock

IN_FEED = 20


class NewsServer:
    """Feeds at `/OUTLET/feed`, articles at `/OUTLET/NUMBER`; conditional GET by ETag."""

    def __init__(self, outlets: Sequence[Outlet], items: Sequence[Item], clock: Clock) -> None:
        self._outlets = {outlet.id: outlet for outlet in outlets}
        self._items = items
        self._clock = clock
        self._runner: web.AppRunner | None = None
        self.base = ""
        self.polls = 0
        self.unchanged = 0

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1; `base` is known afterwards."""
        app = web.Application()
        app.router.add_get("/{outlet}/feed", self._feed)
        app.router.add_get("/{outlet}/{number}", self._article)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base = f"http://{host}:{port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _feed(self, request: web.Request) -> web.Response:
        outlet = self._outlets.get(request.match_info["outlet"])
        if outlet is None:
            raise web.HTTPNotFound
        self.polls += 1
        now = self._clock.now()
        shown = [i for i in self._items if i.outlet == outlet.id and i.at <= now][-IN_FEED:]
        etag = f'"{outlet.id}-{shown[-1].number if shown else "none"}"'
        if request.headers.get("If-None-Match") == etag:
            self.unchanged += 1
            return web.Response(status=304, headers={"ETag": etag})
        body = write_feed(outlet, shown, self.base)
        return web.Response(
            body=body, headers={"ETag": etag, "Content-Type": CONTENT_TYPES[outlet.format]}
        )

    async def _article(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        item = next((i for i in self._items if str(i.number) == number), None)
        if item is None:
            raise web.HTTPNotFound
        title = escape(item.title)
        page = f"<!doctype html><title>{title}</title><h1>{title}</h1><p>{escape(item.text)}</p>"
        return web.Response(text=page, content_type="text/html")
