"""Local slots and quiet hours, through every clock change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from watcher.alerts.schedule import (
    QuietHours,
    check_cron,
    next_slot,
    quiet_until,
    slot_name,
    to_utc,
)

ZONES = [
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "America/Santiago",
    "Africa/Cairo",
    "UTC",
    "America/New_York",
]
NIGHT = QuietHours(time(22), time(7))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    "cron", ["0 7 * * *", "30 2 * * *", "0 0 * * *", "15 0 * * *", "45 23 * * *"]
)
def test_every_local_day_has_exactly_one_slot(zone: str, cron: str) -> None:
    """400 days in six awkward zones (RELIABILITY §4.12)."""
    at, days = datetime(2026, 1, 1, tzinfo=UTC), []

    for _ in range(400):
        at = next_slot(cron, zone, at)
        days.append(at.astimezone(ZoneInfo(zone)).date())

    assert days == [days[0] + timedelta(days=n) for n in range(400)]


def test_a_missing_minute_runs_when_the_gap_ends() -> None:
    slot = next_slot("30 2 * * *", "Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC))

    assert slot == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert slot_name(slot, "Europe/Berlin") == "2026-03-29T03:00"


def test_a_doubled_minute_runs_once_the_first_time() -> None:
    first = next_slot("30 2 * * *", "Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC))

    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert next_slot("30 2 * * *", "Europe/Berlin", first) == datetime(
        2026, 10, 26, 1, 30, tzinfo=UTC
    )


def test_weekdays_are_local() -> None:
    slot = next_slot("0 7 * * mon", "Asia/Seoul", datetime(2026, 5, 30, tzinfo=UTC))

    assert slot == datetime(2026, 5, 31, 22, tzinfo=UTC)


def test_a_date_that_never_comes_is_told() -> None:
    with pytest.raises(ValueError, match="never comes"):
        next_slot("0 0 31 2 *", "UTC", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("cron", ["", "7", "* * * *", "61 * * * *", "0 7 * * noday"])
def test_a_wrong_schedule_is_refused(cron: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_cron(cron)


QUIET = [
    (datetime(2026, 5, 30, 12, 0, tzinfo=UTC), None),
    (datetime(2026, 5, 30, 13, 0, tzinfo=UTC), datetime(2026, 5, 30, 22, tzinfo=UTC)),
    (datetime(2026, 5, 30, 21, 59, tzinfo=UTC), datetime(2026, 5, 30, 22, tzinfo=UTC)),
    (datetime(2026, 5, 30, 22, 0, tzinfo=UTC), None),
]


@pytest.mark.parametrize(("now", "end"), QUIET)
def test_quiet_hours_over_midnight_are_local(now: datetime, end: datetime | None) -> None:
    assert quiet_until(NIGHT, "Asia/Seoul", now) == end


def test_quiet_hours_end_on_time_when_the_clocks_change() -> None:
    during = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)

    assert quiet_until(NIGHT, "Europe/Berlin", during) == datetime(2026, 3, 29, 5, tzinfo=UTC)


def test_no_quiet_hours_are_never_quiet() -> None:
    assert quiet_until(None, "UTC", datetime(2026, 1, 1, tzinfo=UTC)) is None
    assert (
        quiet_until(QuietHours(time(7), time(7)), "UTC", datetime(2026, 1, 1, 7, tzinfo=UTC))
        is None
    )


@pytest.mark.parametrize("zone", [*ZONES, "Asia/Kathmandu"])
def test_local_minutes_map_to_one_moment(zone: str) -> None:
    place = ZoneInfo(zone)
    walls = [datetime(2026, 1, 1) + timedelta(hours=n) for n in range(0, 24 * 366, 7)]

    moments = [to_utc(wall, place) for wall in walls]

    assert moments == sorted(moments)
