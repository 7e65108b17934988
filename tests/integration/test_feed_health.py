"""What becomes of feeds that fail, fall silent, move or replay themselves, and what the operator hears of it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest
from feed_station import NOW, Station, feed, watching
from raw_origin import reply

from watcher.model import FeedStatus
from watcher.pace import Pace, stale_after

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BROKEN = reply(b"", "500 Server Error")


def dated(*entries: tuple[str, datetime], link: str = "https://sample.example/{}", guid: str = "{}", **headers: str) -> bytes:  # fmt: skip
    items = "".join(
        f"<item><title>{title}</title><guid isPermaLink='false'>{guid.format(title)}</guid>"
        f"<link>{link.format(title.replace(' ', '-'))}</link>"
        f"<pubDate>{format_datetime(at)}</pubDate></item>"
        for title, at in entries
    )
    body = f"<rss version='2.0'><channel><title>S</title>{items}</channel></rss>".encode()
    return reply(body, **headers)


def regular(gap: timedelta, until: datetime) -> Callable[[datetime], bytes]:
    """A feed of twenty entries that gets a new one every `gap`, and none after `until`."""

    def answer(now: datetime) -> bytes:
        newest = int((min(now, until) - NOW) / gap)
        shown = range(newest - 19, newest + 1)
        return dated(*((f"entry {n}", NOW + n * gap) for n in shown))

    return answer


# ── one notice for many ──


async def all_polled(station: Station, answer: bytes, names: list[str]) -> None:
    for name in names:
        station.answers[:] = [answer]
        await station.ingest.poll(station.state(name))


NAMES = ["f", *(f"f{n}" for n in range(1, 12))]


def test_an_hour_without_network_is_one_notice_and_breaks_no_feed(tmp_path: Path) -> None:
    """RELIABILITY I10."""

    async def script(station: Station) -> tuple[list[str], set[FeedStatus], set[FeedStatus]]:
        await station.run_until(NOW + 2 * HOUR, lambda _: feed("Weather"))
        await station.run_until(NOW + 8 * HOUR, lambda _: BROKEN)
        failing = {station.state(name).status for name in NAMES}
        await station.run_until(NOW + 10 * HOUR, lambda _: feed("Weather"))
        after = {station.state(name).status for name in NAMES}
        return station.ops.notices, failing, after

    notices, failing, after = watching(tmp_path, script, feeds=12)

    assert len(notices) == 2
    assert " feeds fail since 14:" in notices[0]
    assert "most feeds answer again" in notices[1]
    assert failing == after == {FeedStatus.OK}


def test_after_an_outage_all_feeds_are_asked_within_minutes_and_not_at_once(tmp_path: Path) -> None:
    """RELIABILITY A7: no burst on recovery."""

    async def script(station: Station) -> list[datetime]:
        await station.run_until(NOW + 6 * HOUR, lambda _: BROKEN)
        name = min(NAMES, key=lambda one: station.state(one).next_poll_at)
        station.clock.turn_to(station.state(name).next_poll_at)
        await all_polled(station, feed("Weather"), [name])
        waits = [station.state(one).next_poll_at - station.clock.now() for one in NAMES]
        return sorted(waits)[:-1]

    waits = watching(tmp_path, script, feeds=12)

    assert waits[-1] < 16 * timedelta(minutes=1)
    assert len(set(waits)) == len(waits)


def test_a_portal_that_answers_for_everybody_breaks_no_feed_and_takes_no_address(
    tmp_path: Path,
) -> None:
    """RELIABILITY I10: 301 to a login page, 200 with HTML."""
    page = reply(b"<!doctype html><title>Log in</title><form></form>")

    async def script(station: Station) -> tuple[int, set[str], set[FeedStatus]]:
        await all_polled(station, feed("Weather"), NAMES)
        for _ in range(6):
            station.clock.turn_to(station.clock.now() + HOUR)
            for name in NAMES:
                station.answers[:] = [reply(b"", "301 Moved", Location="/login"), page]
                await station.ingest.poll(station.state(name))
        states = [station.state(name) for name in NAMES]
        ends = {state.url.rpartition("/")[2] for state in states}
        return len(station.ops.notices), ends, {state.status for state in states}

    assert watching(tmp_path, script, feeds=12) == (1, set(NAMES), {FeedStatus.OK})


def test_a_few_broken_feeds_among_many_are_told_each(tmp_path: Path) -> None:
    async def script(station: Station) -> list[str]:
        for _ in range(4):
            station.clock.turn_to(station.clock.now() + HOUR)
            await all_polled(station, feed("Weather"), NAMES[2:])
            await all_polled(station, BROKEN, NAMES[:2])
        return [notice.split(" has ")[0] for notice in station.ops.notices]

    assert watching(tmp_path, script, feeds=12) == ["feed f", "feed f1"]


# ── silence ──


def test_a_feed_that_falls_silent_is_told_once_and_so_is_that_it_speaks(tmp_path: Path) -> None:
    async def script(station: Station) -> tuple[list[str], list[FeedStatus]]:
        await station.run_until(NOW + 18 * DAY, regular(12 * HOUR, until=NOW + 3 * DAY))
        seen = [station.state().status]
        await station.run_until(NOW + 20 * DAY, regular(12 * HOUR, until=NOW + 99 * DAY))
        return station.ops.notices, [*seen, station.state().status]

    notices, seen = watching(tmp_path, script)

    assert [("nothing new since" in n, "new entries again" in n) for n in notices] == [
        (True, False),
        (False, True),
    ]
    assert seen == [FeedStatus.STALE, FeedStatus.OK]


@pytest.mark.parametrize("gap", [DAY, 7 * DAY], ids=["daily", "weekly"])
def test_holidays_are_no_silence(tmp_path: Path, gap: timedelta) -> None:
    """Twelve days without a daily column, four weeks without a weekly one."""
    holidays = {DAY: 12, 7 * DAY: 28}[gap] * DAY

    async def script(station: Station) -> list[str]:
        stops = NOW + 28 * DAY
        await station.run_until(stops + holidays, regular(gap, until=stops))
        return station.ops.notices

    assert watching(tmp_path, script) == []


def test_a_feed_that_was_dead_before_we_came_is_marked_and_not_told(tmp_path: Path) -> None:
    async def script(station: Station) -> tuple[FeedStatus, list[str]]:
        answer = regular(HOUR, until=NOW - 30 * DAY)
        await station.run_until(NOW + 2 * DAY, answer)
        return station.state().status, station.ops.notices

    status, notices = watching(tmp_path, script)

    assert status is FeedStatus.STALE
    assert notices == []


# ── not modified, for ever ──


def conditional(station: Station) -> bool:
    return b"if-none-match" in station.origin.requests[-1].lower()


def test_a_server_that_says_not_modified_for_ever_is_found_out(tmp_path: Path) -> None:
    """RELIABILITY 42: the tag stays, the body doesn't."""

    async def script(station: Station) -> tuple[bool, bool, list[str]]:
        old, new = dated(("Weather", NOW), ETag='"x"'), dated(("Rocket", NOW + DAY), ("Weather", NOW), ETag='"x"')  # fmt: skip
        await station.poll(old)
        for _ in range(8):
            await station.poll(reply(b"", "304 Not Modified"), after=DAY)
        before = station.state().full_only
        await station.poll(new, after=DAY)
        asked_in_doubt = conditional(station)
        await station.poll(new)
        assert station.state().full_only
        return before or asked_in_doubt, conditional(station), station.desk.told

    assert watching(tmp_path, script) == (False, False, ["Rocket"])


def test_a_server_whose_not_modified_is_true_is_asked_in_full_once_a_week(tmp_path: Path) -> None:
    """RELIABILITY §4.8: conditions save the publisher's traffic."""

    async def script(station: Station) -> tuple[int, bool]:
        body = dated(("Weather", NOW), ETag='"x"')
        await station.poll(body)
        full = 0
        for _ in range(7 * 24):
            await station.poll(reply(b"", "304 Not Modified"))
            full += not conditional(station)
        await station.poll(body, after=2 * DAY)
        return full, station.state().full_only

    assert watching(tmp_path, script) == (0, False)


# ── moves ──


def test_a_stranger_on_the_old_domain_does_not_take_the_address_over(tmp_path: Path) -> None:
    """A feed, but none of the entries we know: a parked domain, or a new owner."""

    async def script(station: Station) -> tuple[str, list[str]]:
        await station.poll(feed("Weather"))
        for n in range(5):
            station.clock.turn_to(station.clock.now() + HOUR)
            moved = reply(b"", "301 Moved", Location="/parked")
            station.answers[:] = [moved, feed(f"Casino {n}")]
            await station.ingest.poll(station.state())
        return station.state().url.rpartition("/")[2], station.ops.notices

    assert watching(tmp_path, script) == ("f", [])


# ── hints ──


def test_what_a_feed_says_of_its_rhythm_holds_while_it_is_not_modified(tmp_path: Path) -> None:
    """RELIABILITY A8."""

    async def script(station: Station) -> list[tuple[bool, str]]:
        channel = b"<rss version='2.0'><channel><title>S</title><ttl>240</ttl></channel></rss>"
        seen = []
        for answer in (reply(channel, ETag='"x"'), reply(b"", "304 Not Modified")):
            await station.poll(answer)
            state = station.state()
            seen.append((state.next_poll_at - station.clock.now() >= 4 * HOUR, state.reason))
        return seen

    assert watching(tmp_path, script) == [(True, "ttl")] * 2


def test_operator_notices_go_to_the_operator_and_to_no_reader(tmp_path: Path) -> None:
    async def script(station: Station) -> tuple[int, int, list[str]]:
        for _ in range(3):
            await station.poll(BROKEN)
        return len(station.ops.notices), len(station.desk.notices), station.ops.told

    assert watching(tmp_path, script) == (1, 0, [])


def test_a_429_speaks_for_the_whole_host(tmp_path: Path) -> None:
    async def script(station: Station) -> list[timedelta | None]:
        limited = reply(b"", "429 Too Many Requests", Retry_After="3600")
        missing = reply(b"", "404 Not Found", Retry_After="3600")
        return [(await station.poll(answer)).rest for answer in (limited, missing)]

    assert watching(tmp_path, script) == [HOUR, None]


# ── archives under new names ──

LINK = "https://sample.example/{}"
RENAMED = {
    "guids": (LINK, "new-{}"),
    "links": ("https://sample.example/2026/{}.html", "{}"),
    "guids and links": ("https://sample.example/2026/{}.html", "new-{}"),
    "domain": ("https://moved.example/{}", "{}"),
    "http": ("http://sample.example/{}", "{}"),
    "trailing slash": (LINK + "/", "{}"),
    "utm": (LINK + "?utm_source=feed", "{}"),
    "www": ("https://www.sample.example/{}", "{}"),
}


@pytest.mark.parametrize(("link", "guid"), RENAMED.values(), ids=list(RENAMED))
def test_an_archive_under_new_names_tells_nothing_but_what_is_new(
    tmp_path: Path, link: str, guid: str
) -> None:
    """RELIABILITY 38, I6."""

    async def script(station: Station) -> tuple[list[str], int]:
        old = [(f"Rocket report {n}", NOW - n * DAY) for n in range(40)]
        await station.poll(dated(*old, link=LINK))
        fresh = ("Rocket seen tonight", station.clock.now())
        await station.poll(dated(fresh, *old, link=link, guid=guid))
        await station.poll(dated(fresh, *old, link=link, guid=guid, ETag='"other"'))
        return station.desk.told, len(station.ops.notices)

    told, notices = watching(tmp_path, script)

    assert told == ["Rocket seen tonight"]
    assert notices <= 1


GUID_IS_LINK = {"http": "http://sample.example/{}", "slash": LINK + "/", "utm": LINK + "?utm_medium=rss"}  # fmt: skip


@pytest.mark.parametrize("form", GUID_IS_LINK.values(), ids=list(GUID_IS_LINK))
def test_a_guid_that_is_a_link_is_the_same_in_every_spelling(tmp_path: Path, form: str) -> None:
    """RELIABILITY 38: it flips between http and https with each poll."""

    async def script(station: Station) -> list[int]:
        entries = [(f"Rocket {n}", NOW - n * HOUR) for n in range(3)]
        forms = [LINK, form, LINK, form]
        return [(await station.poll(dated(*entries, link=f, guid=f))).new for f in forms]

    assert watching(tmp_path, script) == [3, 0, 0, 0]


def test_the_rhythm_is_learned_from_the_first_document(tmp_path: Path) -> None:
    async def script(station: Station) -> Pace | None:
        await station.poll(dated(*((f"entry {n}", NOW - n * 6 * HOUR) for n in range(40))))
        return Pace.read(station.state().pace)

    pace = watching(tmp_path, script)

    assert pace is not None
    assert pace.entries > 30
    assert stale_after(pace) is not None


def test_a_week_with_twenty_restarts_costs_one_whole_answer_and_nothing_too_soon(
    tmp_path: Path,
) -> None:
    """RELIABILITY §4.8, A9: validators right each time, and no poll under the shortest wait."""
    times: list[datetime] = []

    async def script(station: Station) -> tuple[list[bool], list[datetime]]:
        shown = dated(*((f"entry {n}", NOW - n * 7 * HOUR) for n in range(20)), ETag='W/"a b"')
        unchanged = reply(b"", "304 Not Modified")

        def answer(now: datetime) -> bytes:
            times.append(now)
            return shown if len(times) == 1 else unchanged

        for n in range(1, 21):
            await station.run_until(NOW + n * 7 * DAY / 20, answer)
            url = station.state().url
            with station.store.begin() as tx:
                tx.feeds.end_leases()
                tx.feeds.sync([("f", url)], station.clock.now(), timedelta(0))
        right = [b'If-None-Match: W/"a b"\r\n' in head for head in station.origin.requests]
        return right, times

    right, asked = watching(tmp_path, script)

    assert right == [False] + [True] * (len(asked) - 1)
    assert 100 < len(asked) < 400
    assert all(b - a >= timedelta(minutes=5) for a, b in pairwise(asked))
