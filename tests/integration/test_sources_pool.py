"""Parsing in a child: a feed may cost the child, never the caller."""

import asyncio
import os
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from watcher.errors import ParseError
from watcher.model import ParsedFeed
from watcher.sources import pool as pool_module
from watcher.sources.pool import ParserPool

GOOD = (
    b"<rss version='2.0'><channel><title>Good</title><item><title>a</title></item></channel></rss>"
)


def _sleep(body: bytes, url: str, content_type: str | None) -> None:
    time.sleep(60)


def _die(body: bytes, url: str, content_type: str | None) -> None:
    os._exit(1)


def _hog(body: bytes, url: str, content_type: str | None) -> int:
    return len(bytearray(8 * 1024**3))


def _spin(body: bytes, url: str, content_type: str | None) -> None:
    while True:
        pass


def _pid_or_sleep(body: bytes, url: str, content_type: str | None) -> ParsedFeed:
    if body == b"sleep":
        _sleep(body, url, content_type)
    return ParsedFeed("rss20", str(os.getpid()), None, None, None, "fast", (), ())


async def _parse(parser: ParserPool, body: bytes = GOOD) -> str:
    return (await parser.parse(body, url="https://sample.example/", content_type=None)).title


def test_entries_and_errors_cross_the_border() -> None:
    async def run() -> tuple[str, str]:
        async with ParserPool() as parser:
            title = await _parse(parser)
            with pytest.raises(ParseError) as caught:
                await _parse(parser, b"nothing")
            return title, caught.value.reason

    assert asyncio.run(run()) == ("Good", "not_a_feed")


@pytest.mark.parametrize(
    ("work", "reason"),
    [(_sleep, "parse_timeout"), (_die, "parser_died"), (_hog, "too_complex|parser_died")],
    ids=["hang", "death", "memory"],
)
def test_a_child_that_fails_is_replaced(
    work: object, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> tuple[str, str]:
        async with ParserPool(deadline=timedelta(seconds=3)) as parser:
            await _parse(parser)
            with monkeypatch.context() as patch:
                patch.setattr(pool_module, "_parse", work)
                try:
                    await _parse(parser)
                    failed = "nothing"
                except ParseError as error:
                    failed = error.reason
                except MemoryError:
                    failed = "too_complex"
            return failed, await _parse(parser)

    failed, after = asyncio.run(run())
    assert failed in reason.split("|")
    assert after == "Good"


def test_the_loop_goes_on_while_a_feed_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> int:
        async with ParserPool(deadline=timedelta(seconds=1)) as parser:
            await _parse(parser)
            monkeypatch.setattr(pool_module, "_parse", _sleep)
            task, ticks = asyncio.create_task(_parse(parser)), 0
            while not task.done():
                await asyncio.sleep(0.02)
                ticks += 1
            with pytest.raises(ParseError):
                task.result()
            return ticks

    assert asyncio.run(run()) > 20


def test_one_that_hangs_costs_the_others_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> tuple[set[str], str, BaseException | None]:
        async with ParserPool(workers=2, deadline=timedelta(seconds=2)) as parser:
            monkeypatch.setattr(pool_module, "_parse", _pid_or_sleep)
            hanging = asyncio.create_task(_parse(parser, b"sleep"))
            await asyncio.sleep(0)
            seen = set()
            while not hanging.done():
                seen.add(await _parse(parser))
                await asyncio.sleep(0.05)
            return seen, await _parse(parser), hanging.exception()

    pids, after, error = asyncio.run(run())

    assert isinstance(error, ParseError)
    assert (len(pids), after in pids) == (1, True)


def test_the_kernel_ends_a_child_that_computes_too_long() -> None:
    """Also when the daemon is stopped and nobody counts the seconds."""

    async def run() -> None:
        child = await pool_module._Child.spawn(cpu_seconds=1)
        with pytest.raises(EOFError):
            await child.ask((_spin, b"", "", None), 60)
        child.end()
        await child.gone()

    asyncio.run(run())


def test_a_poll_that_is_given_up_leaves_no_child_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> str:
        async with ParserPool(deadline=timedelta(seconds=60)) as parser:
            await _parse(parser)
            with monkeypatch.context() as patch:
                patch.setattr(pool_module, "_parse", _sleep)
                given_up = asyncio.create_task(_parse(parser))
                await asyncio.sleep(0.1)
                given_up.cancel()
                await asyncio.wait([given_up])
            return await _parse(parser)

    assert asyncio.run(run()) == "Good"


def test_a_pool_that_closes_ends_a_child_that_still_starts() -> None:
    async def run() -> str:
        async with ParserPool() as parser:
            asked = asyncio.create_task(_parse(parser))
            while not parser._busy:
                await asyncio.sleep(0)
        with pytest.raises(ParseError) as caught:
            await asked
        return caught.value.reason

    assert asyncio.run(run()) == "parser_died"


def test_a_child_is_replaced_after_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> list[str]:
        monkeypatch.setattr(pool_module, "FEEDS_PER_CHILD", 2)
        monkeypatch.setattr(pool_module, "_parse", _pid_or_sleep)
        async with ParserPool() as parser:
            return [await _parse(parser) for _ in range(4)]

    pids = asyncio.run(run())

    assert (pids[0] == pids[1], pids[1] == pids[2]) == (True, False)


def test_what_a_parser_prints_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> str:
        async with ParserPool() as parser:
            monkeypatch.setattr(pool_module, "_parse", _chatty)
            return await _parse(parser)

    assert asyncio.run(run()) == "said"


def test_an_answer_of_many_megabytes_arrives_whole() -> None:
    async def run() -> int:
        async with ParserPool() as parser:
            return len(await parser.ask(_echo, b"x" * 10_000_000, url=""))

    assert asyncio.run(run()) == 40_000_000


def test_an_answer_beyond_all_measure_costs_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> str:
        monkeypatch.setattr(pool_module, "_ANSWER_BYTES", 1_000_000)
        async with ParserPool() as parser:
            with pytest.raises(ParseError) as caught:
                await parser.ask(_echo, b"x" * 1_000_000, url="")
            assert await _parse(parser) == "Good"
            return caught.value.reason

    assert asyncio.run(run()) == "parser_died"


def test_a_child_outlives_its_daemon_by_no_more_than_a_moment(tmp_path: Path) -> None:
    """Killed while a parser hangs: the kernel closes the daemon's end of the child's lifeline."""
    daemon = subprocess.Popen(
        [sys.executable, "-c", _HANGING, str(tmp_path / "pid")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    while not (child := _read(tmp_path / "pid")):
        assert daemon.poll() is None
        time.sleep(0.02)

    daemon.kill()
    daemon.wait()

    while Path(f"/proc/{child}").exists() and _state(child) != "Z":
        time.sleep(0.02)


def test_where_the_daemon_was_started_is_not_where_modules_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pickle.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)

    async def run() -> str:
        async with ParserPool() as parser:
            return await _parse(parser)

    assert asyncio.run(run()) == "Good"


_HANGING = """
import asyncio, sys
from test_sources_pool import _tell_and_sleep
from watcher.sources.pool import ParserPool

async def run():
    async with ParserPool() as parser:
        await parser.ask(_tell_and_sleep, sys.argv[1].encode(), url="")

asyncio.run(run())
"""


def _tell_and_sleep(body: bytes, url: str, content_type: str | None) -> None:
    # Not a file of any size: a parser may write none.
    os.symlink(str(os.getpid()), body)
    time.sleep(60)


def _read(link: Path) -> str:
    return os.readlink(link) if link.is_symlink() else ""


def _state(pid: str) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return "Z"


def _chatty(body: bytes, url: str, content_type: str | None) -> ParsedFeed:
    for stream in (sys.stdout, sys.stderr):
        stream.write("a library's warning\n")
        stream.flush()
    return ParsedFeed("rss20", "said", None, None, None, "fast", (), ())


def _echo(body: bytes, url: str, content_type: str | None) -> bytes:
    return body * 4
