"""Parsing in a child: a feed may cost the child, never the caller."""

import asyncio
import os
from datetime import timedelta

import pytest

from watcher.errors import ParseError
from watcher.model import ParsedFeed
from watcher.sources import pool as pool_module
from watcher.sources.pool import ParserPool

GOOD = (
    b"<rss version='2.0'><channel><title>Good</title><item><title>a</title></item></channel></rss>"
)


def _sleep(body: bytes, url: str, content_type: str | None) -> None:
    import time

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
    child = pool_module._Child(cpu_seconds=1)

    with pytest.raises(EOFError):
        child.ask((_spin, b"", "", None), 60)  # type: ignore[arg-type]
    child.end()


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


def test_a_child_is_replaced_after_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> list[str]:
        monkeypatch.setattr(pool_module, "FEEDS_PER_CHILD", 2)
        monkeypatch.setattr(pool_module, "_parse", _pid_or_sleep)
        async with ParserPool() as parser:
            return [await _parse(parser) for _ in range(4)]

    pids = asyncio.run(run())

    assert (pids[0] == pids[1], pids[1] == pids[2]) == (True, False)
