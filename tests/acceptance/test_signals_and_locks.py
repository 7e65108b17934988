"""How the daemon ends, and that there is only one (RELIABILITY I1–I3)."""

import asyncio
import signal
import time

from aiohttp import web

from tests.acceptance.stage import NEWS, Stage, rss, settled, until

OLD = ("Old harbour news", "Nothing of interest.")


def asked_for(stage: Stage, name: str) -> bool:
    return any(path == name for path, _ in stage.requests)


def test_sigterm_lets_a_poll_under_way_end_and_loses_nothing(stage: Stage) -> None:
    stage.feeds["news"] = rss(OLD)
    stage.configure()
    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))

    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(1)
        return web.Response(body=rss(NEWS, OLD))

    stage.feeds["news"], stage.requests[:] = slow, []
    daemon = stage.start()
    until(lambda: asked_for(stage, "news"))
    code = daemon.stop()
    with stage.daemon():
        until(lambda: stage.mails("launches"))
        settled(1)

    assert code == 0
    assert daemon.events("stopped")
    assert len(stage.mails("launches")) == len(stage.calls("hook")) == 1


def test_a_second_sigterm_ends_it_at_once(stage: Stage) -> None:
    async def never(_: web.Request) -> web.Response:
        await asyncio.sleep(20)
        return web.Response(body=rss(OLD))

    stage.feeds["news"] = never
    stage.configure(http={"allow": [f"127.0.0.1:{stage.port}"], "timeout": "20s"})
    daemon = stage.start()
    until(lambda: asked_for(stage, "news"))
    daemon.process.send_signal(signal.SIGTERM)
    until(lambda: daemon.events("stopping"))
    began = time.monotonic()
    daemon.process.send_signal(signal.SIGTERM)
    code = daemon.process.wait(10)

    assert code == -signal.SIGTERM
    assert time.monotonic() - began < 5


def test_ctrl_c_is_a_clean_end_too(stage: Stage) -> None:
    stage.feeds["news"] = rss(OLD)
    stage.configure()
    daemon = stage.start()
    until(lambda: daemon.events("polled"))
    daemon.process.send_signal(signal.SIGINT)

    assert daemon.process.wait(30) == 0
    assert "Traceback" not in (stage.folder / "daemon.log").read_text()


def test_a_second_daemon_on_the_same_store_says_so_and_exits_3(stage: Stage) -> None:
    stage.feeds["news"] = rss(OLD)
    stage.configure()
    with stage.daemon() as first:
        until(lambda: first.events("polled"))
        second = stage.cli("run")
        stage.feeds["news"] = rss(NEWS, OLD)
        until(lambda: stage.mails("launches"))

    assert second.returncode == 3
    assert "another" in second.stderr
    assert "watcher.db" in second.stderr
    assert "Traceback" not in second.stderr


def test_other_commands_work_beside_the_daemon(stage: Stage) -> None:
    stage.feeds["news"] = rss(NEWS, OLD)
    stage.configure()
    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))
        found = stage.cli("search", "satellite")

    assert found.returncode == 0
    assert "satellite" in found.stdout


def test_a_daemon_that_slept_past_its_leases_sends_nothing_twice(stage: Stage) -> None:
    stage.feeds["news"] = rss(OLD)
    stage.configure()
    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))
        stage.feeds["news"] = rss(NEWS, OLD)
        until(lambda: stage.mails("launches"))
        daemon.process.send_signal(signal.SIGSTOP)
        time.sleep(2)
        daemon.process.send_signal(signal.SIGCONT)
        polls = len(daemon.events("polled"))
        until(lambda: len(daemon.events("polled")) > polls)
        settled(1)

    assert len(stage.mails("launches")) == len(stage.calls("hook")) == 1
