"""Parsing in a child: a feed may cost the child, never the caller."""

import asyncio
from datetime import timedelta

import pytest

from watcher.errors import ParseError
from watcher.sources import pool as pool_module
from watcher.sources.pool import ParserPool

GOOD = (
    b"<rss version='2.0'><channel><title>Good</title><item><title>a</title></item></channel></rss>"
)


def _sleep(body: bytes, url: str, content_type: str | None) -> None:
    import time

    time.sleep(60)


def _die(body: bytes, url: str, content_type: str | None) -> None:
    import os

    os._exit(1)


def _hog(body: bytes, url: str, content_type: str | None) -> int:
    return len(bytearray(8 * 1024**3))


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
