"""Times as a reader's clock and calendar show them; English on every machine. Standard library only."""

from datetime import datetime, timedelta

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def spoken_day(local: datetime) -> str:
    """`Saturday 30 May 2026`."""
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year}"


def spoken_time(local: datetime, today: datetime) -> str:
    """`14:32 KST`, or `29 May 14:32 KST` on another day; both in the reader's zone."""
    text = f"{local:%H:%M} {_zone_name(local)}"
    if local.date() == today.date():
        return text
    year = f" {local.year}" if local.year != today.year else ""
    return f"{local.day} {_MONTHS[local.month - 1][:3]}{year} {text}"


def _zone_name(local: datetime) -> str:
    """`KST`, `CEST`; zones without a name of their own get `UTC+4` or `UTC+5:45`."""
    name, offset = local.tzname() or "", local.utcoffset() or timedelta(0)
    if name and name[0] not in "+-":
        return name
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    sign = "-" if offset < timedelta(0) else "+"
    return f"UTC{sign}{hours}" + (f":{minutes:02}" if minutes else "")
