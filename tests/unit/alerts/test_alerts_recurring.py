"""Hours that come again every week."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from watcher.alerts.recurring import Recurring
from watcher.alerts.silences import Silence

SATURDAY = datetime(2026, 5, 30, tzinfo=UTC)


def silence(**changed: Any) -> Silence:
    body = {"id": "s1", "match": {"rules": "launch"}, "author": "Kim", "comment": "drill"}
    return Silence.model_validate(
        body | {"from": SATURDAY, "until": SATURDAY + timedelta(days=30)} | changed
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Sat,Sun 00:00-24:00 Europe/Berlin", "sat,sun 00:00-24:00 Europe/Berlin"),
        ("mon-fri 22:00-06:00", "mon,tue,wed,thu,fri 22:00-06:00 UTC"),
        ("Friday - Monday 9:30-10:00", "mon,fri,sat,sun 09:30-10:00 UTC"),
        ("sun, mon-tue 08:00 - 24:00", "mon,tue,sun 08:00-24:00 UTC"),
        ("22:00-06:00 Asia/Seoul", "22:00-06:00 Asia/Seoul"),
    ],
)
def test_it_is_written_as_people_say_it(written: str, read: str) -> None:
    found = Recurring.parse(written)

    assert str(found) == read
    assert Recurring.parse(read) == found


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("sat,sun", "write days, hours and a zone"),
        ("caturday 00:00-24:00", "'caturday' is not a day of the week"),
        ("sat 25:00-26:00", "'25:00' is not a time of day"),
        ("sat 10:00-10:00", "a whole day is 00:00-24:00"),
        ("sat 10:00-11:00 Mars/Base", "is not a time zone"),
    ],
)
def test_what_it_cannot_be_is_refused(written: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        silence(every=written)


@pytest.mark.parametrize(
    ("every", "at", "holds"),
    [
        ("sat,sun 00:00-24:00", SATURDAY, True),
        ("sat,sun 00:00-24:00", SATURDAY + timedelta(days=2, seconds=-1), True),
        ("sat,sun 00:00-24:00", SATURDAY + timedelta(days=2), False),
        ("sat,sun 00:00-24:00 Asia/Seoul", SATURDAY + timedelta(hours=38), True),
        ("sat,sun 00:00-24:00 Asia/Seoul", SATURDAY + timedelta(hours=39), False),
        ("fri 22:00-06:00", SATURDAY + timedelta(hours=5), True),
        ("sat 22:00-06:00", SATURDAY + timedelta(hours=5), False),
    ],
    ids=["begins", "ends", "after", "local", "local end", "over midnight", "another night"],
)
def test_a_span_belongs_to_the_day_on_which_it_begins(
    every: str, at: datetime, holds: bool
) -> None:
    assert silence(every=every).holds(at) is holds


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Santiago", "Africa/Cairo"])
def test_a_day_is_whole_when_the_clocks_change(zone: str) -> None:
    every_day = Recurring.parse(f"00:00-24:00 {zone}")
    moments = (SATURDAY + timedelta(hours=n) for n in range(24 * 366))

    assert all(every_day.holds(moment) for moment in moments)


def test_a_silence_reads_back_as_it_was_stored() -> None:
    made = silence(every="sat,sun 00:00-24:00 Europe/Berlin")
    body = made.model_dump(mode="json", by_alias=True)

    assert body["every"] == "sat,sun 00:00-24:00 Europe/Berlin"
    assert Silence.model_validate(body) == made


def test_a_daily_silence_of_an_earlier_version_is_read() -> None:
    old = silence(daily={"from": "22:00:00", "until": "06:00:00", "zone": "Asia/Seoul"})

    assert str(old.every) == "22:00-06:00 Asia/Seoul"
