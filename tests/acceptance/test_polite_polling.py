"""The real daemon and a server that asks for a rest."""

from aiohttp import web

from tests.acceptance.stage import Stage, rss, settled, until

WEATHER = ("Weather in the harbour", "Nothing of interest.")


async def limited(_: web.Request) -> web.Response:
    return web.Response(status=429, headers={"Retry-After": "86400"})


def test_a_429_of_one_feed_rests_its_whole_host_and_fails_no_other(stage: Stage) -> None:
    """RELIABILITY A6."""
    stage.feeds.update(first=rss(WEATHER), second=rss(WEATHER))
    stage.configure(feeds={name: f"{stage.base}/{name}" for name in ("first", "second")})
    with stage.daemon() as daemon:
        until(lambda: len(daemon.events("polled")) >= 4)
        stage.feeds["first"] = limited
        until(lambda: any(e["outcome"] == "http_429" for e in daemon.events("polled")))
        settled(0.3)
        asked = len(stage.requests)
        settled(2.5)

    assert len(stage.requests) == asked
    assert {e["outcome"] for e in daemon.events("polled") if e["feed"] == "second"} <= {
        "ok",
        "not_modified",
    }
