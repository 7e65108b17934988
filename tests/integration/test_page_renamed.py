"""A watched page that is built anew: old notices under new links alert nobody, what is new does."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from feed_station import Station, build
from raw_origin import Origin, opened, reply

from watcher.sources.settings import PageSettings

NOTICES = PageSettings(items="li")


def listed(*titles: str, link: str = "/notices/{}", text: str = "", date: str = "") -> bytes:
    """A page with a list, its links made of the titles."""
    when = f"<time datetime='{date}'></time>" if date else ""
    items = "".join(
        f"<li><a href='{link.format(t.replace(' ', '-'))}'>{t}</a>{when}<p>{text}</p></li>"
        for t in titles
    )
    page = f"<!doctype html><html><title>Office</title><body><ul>{items}</ul></body></html>"
    return reply(page.encode(), **{"Content-Type": "text/html"})


def watched(folder: Path, *pages: bytes, after: timedelta = timedelta(hours=1)) -> Any:
    """What was told, and the operator's notices, after these answers of one page."""
    import asyncio

    async def run() -> tuple[list[str], list[str]]:
        made: list[Station] = []

        async def answer(_reader: Any, writer: asyncio.StreamWriter, _head: bytes) -> None:
            writer.write(made[0].answers[0])
            writer.close()

        async with Origin(answer) as origin, opened(origin.port) as door:
            station = build(folder, origin, door, page=NOTICES)
            made.append(station)
            for page in pages:
                report = await station.poll(page, after=after)
                assert not report.error, report
            station.writer.close()
            station.store.close()
            return station.desk.told, station.ops.notices

    return asyncio.run(run())


OLD = [f"Rocket notice number {n} of the harbour" for n in range(1, 31)]
LONG = "Ships keep clear of the pad from noon to midnight, the harbour master has said."


@pytest.mark.parametrize("many", [8, 30], ids=["a short list", "a long list"])
@pytest.mark.parametrize(
    "was",
    [{}, {"text": LONG}, {"date": "2026-05-20"}, {"text": LONG, "date": "2026-05-20"}],
    ids=["links alone", "with texts", "with dates", "with both"],
)
def test_a_page_whose_links_are_all_new_tells_what_is_news(
    tmp_path: Path, many: int, was: dict[str, str]
) -> None:
    old = OLD[:many]
    told, _ = watched(
        tmp_path,
        listed(*old, **was),
        listed("Rocket falls into the bay", *old, link="/news/2026/{}.html", **was),
    )

    assert told == ["Rocket falls into the bay"]


def test_a_page_that_shows_its_archive_alerts_nobody_and_says_so(tmp_path: Path) -> None:
    archive = [f"Rocket archive piece {n}" for n in range(40)]

    told, notices = watched(tmp_path, listed(*OLD), listed(*archive))

    assert told == []
    assert len(notices) == 1
    assert "showed 40 old or undated entries under new names" in notices[0]
    assert "watcher feeds release f" in notices[0]


def test_a_page_built_anew_whose_items_are_elsewhere_is_trouble(tmp_path: Path) -> None:
    """Its old selector finds nothing: that is no page without news (`no_items`)."""
    with pytest.raises(AssertionError, match="no_items"):
        watched(tmp_path, listed(*OLD), reply(b"<html><body><div>New!</div></body></html>"))


def test_renamed_notices_are_known_from_then_on(tmp_path: Path) -> None:
    new = {"link": "/news/{}"}
    told, notices = watched(
        tmp_path, listed(*OLD[:9]), *(listed(*OLD[n:9], **new) for n in range(3))
    )

    assert told == []
    assert len(notices) == 1
