"""Hours that come again every week, like `sat,sun 00:00-24:00 Europe/Berlin`, right through clock changes. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from watcher.alerts.routes import check_zone
from watcher.alerts.schedule import QuietHours, span_of_day

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORM = re.compile(
    r"(?:(?P<days>[a-z]+(?:\s*[-,]\s*[a-z]+)*)\s+)?"
    r"(?P<start>\d?\d:\d\d)\s*-\s*(?P<end>\d?\d:\d\d)(?:\s+(?P<zone>\S+))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Recurring:
    """Local hours of some days of the week (Monday is 0), over midnight when they end before they begin.

    A span belongs to the day on which it begins; one that ends when it begins lasts a day.
    """

    days: frozenset[int]
    hours: QuietHours
    zone: str

    @classmethod
    def parse(cls, text: str) -> "Recurring":
        """Days and zone may be left out: every day, UTC. Raises ValueError that says the form."""
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise ValueError(
                f"{text!r} is not understood: write days, hours and a zone, "
                "like 'sat,sun 00:00-24:00 Europe/Berlin'"
            )
        start, end = _time(found["start"]), _time(found["end"])
        if start == end and found["end"] != "24:00":
            raise ValueError(f"{text!r} ends when it begins: a whole day is 00:00-24:00")
        return cls(_days(found["days"]), QuietHours(start, end), check_zone(found["zone"] or "UTC"))

    def __str__(self) -> str:
        days = ",".join(_DAYS[day] for day in sorted(self.days))
        start, end = (f"{moment:%H:%M}" for moment in (self.hours.start, self.hours.end))
        named = f"{days} " if len(self.days) < len(_DAYS) else ""
        return f"{named}{start}-{'24:00' if end == '00:00' else end} {self.zone}"

    def holds(self, now: datetime) -> bool:
        place = ZoneInfo(self.zone)
        today = now.astimezone(place).date()
        for day in (today - timedelta(days=1), today):
            start, end = span_of_day(self.hours, day, place)
            if day.weekday() in self.days and start <= now < end:
                return True
        return False


def _time(text: str) -> time:
    try:
        return time.min if text == "24:00" else time.fromisoformat(text.rjust(5, "0"))
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time of day: write it like 22:00") from error


def _days(text: str | None) -> frozenset[int]:
    found: set[int] = set()
    for part in re.split(r"\s*,\s*", text or "mon-sun"):
        first, _, last = (piece.strip() for piece in part.partition("-"))
        begin, end = _day(first), _day(last or first)
        found |= {day % 7 for day in range(begin, end + 1 if begin <= end else end + 8)}
    return frozenset(found)


def _day(text: str) -> int:
    short = text.casefold()[:3]
    if short not in _DAYS:
        raise ValueError(f"{text!r} is not a day of the week: write one of {', '.join(_DAYS)}")
    return _DAYS.index(short)


def _read(value: Any) -> Recurring:
    """Text; or the mapping of earlier versions: `from`, `until`, `zone`."""
    if isinstance(value, Recurring):
        return value
    if isinstance(value, dict) and {"from", "until"} <= value.keys() <= {"from", "until", "zone"}:
        hours = f"{str(value['from'])[:5]}-{str(value['until'])[:5]}"
        value = f"{hours} {value.get('zone') or 'UTC'}"
    if not isinstance(value, str):
        raise ValueError("write days, hours and a zone, like 'sat,sun 00:00-24:00 Europe/Berlin'")
    return Recurring.parse(value)


Every = Annotated[
    Recurring,
    PlainValidator(_read),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "examples": ["sat,sun 00:00-24:00 Europe/Berlin"]}),
]
