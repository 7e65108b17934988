"""Dates as feeds write them; nothing here ever raises (RELIABILITY D4)."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import struct_time

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def parse_date(text: object) -> datetime | None:
    """RFC 3339, RFC 822 or ISO without a zone (taken as UTC); None for anything else."""
    if not isinstance(text, str) or not text.strip():
        return None
    text = text.strip()
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return sane(moment)
    return None


def from_struct(value: struct_time | None) -> datetime | None:
    """feedparser's UTC tuple."""
    if value is None:
        return None
    try:
        return sane(datetime(*value[:6], tzinfo=UTC))
    except (ValueError, TypeError, OverflowError):
        return None


def sane(moment: datetime) -> datetime | None:
    """UTC, or None for 1970 and the year 9999: such dates are defaults and jokes."""
    try:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if _EARLIEST <= moment < _LATEST else None
