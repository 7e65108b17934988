"""A bad feed is recorded on that feed; the others go on."""

import asyncio
import json

from aiohttp import web

from tests.acceptance.stage import NEWS, Stage, free_port, rss, until

OLD = ("Old harbour news", "Nothing of interest.")


async def error_500(_: web.Request) -> web.Response:
    return web.Response(status=500, text="no")


async def drip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(60):
        await response.write(b"<")
        await asyncio.sleep(0.5)
    return response


async def hang(_: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return web.Response()


async def huge(_: web.Request) -> web.Response:
    return web.Response(body=b"<rss>" + b" " * 300_000, content_type="application/rss+xml")


async def cut_short(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "5000", "ETag": '"never"'})
    await response.prepare(request)
    await response.write(rss(NEWS))
    request.transport.close()
    return response


BAD = {
    "error": error_500,
    "drip": drip,
    "hang": hang,
    "huge": huge,
    "short": cut_short,
    "page": b"<!doctype html><html><body>please log in</body></html>",
    "empty": b"",
    "bomb": b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss><channel>&b;</channel></rss>',
}
REASONS = {
    "missing": "http_404",
    "error": "http_500",
    "drip": "timeout",
    "hang": "timeout",
    "huge": "too_large",
    "short": "truncated",
    "empty": "empty",
}


def test_every_bad_feed_is_recorded_while_the_good_one_delivers(stage: Stage) -> None:
    stage.feeds.update(BAD, news=rss(OLD))
    names = [*BAD, "missing", "news"]
    stage.configure(
        feeds={name: f"{stage.base}/{name}" for name in names},
        http={"allow": [f"127.0.0.1:{stage.port}"], "timeout": "2s", "max_body": "100KiB"},
    )
    with stage.daemon() as daemon:
        until(lambda: any(e["feed"] == "news" for e in daemon.events("polled")))
        stage.feeds["news"] = rss(NEWS, OLD)
        until(lambda: stage.mails("launches"))
        until(lambda: {e["feed"] for e in daemon.events("polled")} == set(names))
        status = stage.cli("status", "--json")

    outcomes = {e["feed"]: e["outcome"] for e in daemon.events("polled")}
    assert {name: outcomes[name] for name in REASONS} == REASONS
    assert all(e.get("error") for e in daemon.events("polled") if e["feed"] in {*BAD, "missing"})
    assert set(json.loads(status.stdout)["feeds_in_trouble"]) == {*BAD, "missing"}


def test_a_body_cut_short_is_read_whole_the_next_time(stage: Stage) -> None:
    """Neither its articles nor its validators are kept: else a 304 would hide them for ever."""
    stage.feeds["news"] = rss(OLD)
    stage.configure()
    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))
        stage.feeds["news"] = cut_short
        until(lambda: any(e["outcome"] == "truncated" for e in daemon.events("polled")))
        stage.requests.clear()
        stage.feeds["news"] = rss(NEWS, OLD)
        until(lambda: stage.mails("launches"))

    assert all(headers.get("If-None-Match") != '"never"' for _, headers in stage.requests)


def test_it_keeps_running_when_every_feed_is_unreachable(stage: Stage) -> None:
    ports = [free_port(), free_port()]
    stage.configure(
        feeds={f"gone-{n}": f"http://127.0.0.1:{port}/" for n, port in enumerate(ports)},
        http={"allow": [f"127.0.0.1:{port}" for port in ports], "timeout": "1s"},
    )
    with stage.daemon() as daemon:
        until(lambda: len(daemon.events("polled")) >= 4)
        running = daemon.process.poll() is None
    reports = daemon.events("polled")

    assert running
    assert {e["feed"] for e in reports} == {"gone-0", "gone-1"}
    assert {e["outcome"] for e in reports} == {"connect"}
    assert daemon.process.returncode == 0


def test_a_private_address_that_is_not_allowed_is_never_asked(stage: Stage) -> None:
    stage.feeds["news"] = rss(NEWS)
    stage.configure(http={"allow": ["127.0.0.1:1"], "timeout": "1s"})
    with stage.daemon() as daemon:
        report = until(lambda: daemon.events("polled"))[0]

    assert report["outcome"] == "blocked_address"
    assert not stage.requests
