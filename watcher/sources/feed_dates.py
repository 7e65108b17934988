"""Dates of RSS and Atom: what feedparser makes of them, without its detours for the usual forms.

It takes `2026. 11. 24` for the first of November, reads afternoons as mornings, and unknown zones,
Korea's and Japan's among them, as none: so both parsers first ask `written_date`.
"""

import re
from datetime import UTC, datetime, timedelta
from time import struct_time

from feedparser import registerDateHandler
from feedparser.datetimes import _parse_date

from watcher.sources.dates import from_struct, sane
from watcher.sources.written_dates import is_year_first, written_date

_MONTHS = {
    name: str(number)
    for number, name in enumerate(
        str.split("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"), start=1
    )
}
_RFC_822 = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4}) "
    r"([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:GMT|UTC|Z|([+-])([0-9]{2})([0-9]{2}))"
)
_RFC_3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?"
    r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)


def feed_date(text: str) -> datetime | None:
    """UTC; None for what can't be read and for years that are defaults or jokes."""
    try:
        if found := _RFC_822.fullmatch(text):
            day, month, year, *rest = found.groups()
            return _moment(year, _MONTHS[month], day, *rest)
        if found := _RFC_3339.fullmatch(text):
            return _moment(*found.groups())
    except (KeyError, ValueError, OverflowError):
        pass
    try:
        return from_struct(_parse_date(text))
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _written(text: str) -> struct_time | None:
    """For feedparser, which asks the next reader after a None; a date that is none is in the year 1."""
    if (moment := written_date(text)) is not None:
        return moment.utctimetuple()
    return struct_time((1, 1, 1, 0, 0, 0, 0, 1, 0)) if is_year_first(text) else None


registerDateHandler(_written)


def _moment(*parts: str | None) -> datetime | None:
    """Year to second, then sign, hours and minutes of the zone, or None for UTC."""
    year, month, day, hour, minute, second = (int(part or 0) for part in parts[:6])
    sign, hours, minutes = parts[6:]
    moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    if sign:
        zone = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        moment = moment + zone if sign == "-" else moment - zone
    return sane(moment)
