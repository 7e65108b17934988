"""Durations as people write them: `30s`, `15m`, `4h`, `7d`, `2w`, `1h30m`. Standard library only."""

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_WHOLE = re.compile(rf"(?:{_PART.pattern}\s*)+")
_BARE = re.compile(r"[+-]?\d+(?:\.\d+)?")


def parse_duration(text: str) -> timedelta:
    """Raises ValueError that says the form; `0s` is allowed."""
    text = text.strip().lower()
    if _BARE.fullmatch(text):
        raise _without_unit(text)
    if not _WHOLE.fullmatch(text):
        raise ValueError(
            f"{text!r} is not a duration: write a number with s, m, h, d or w, like 15m"
        )
    try:
        parts = (timedelta(**{_UNITS[unit]: float(n)}) for n, unit in _PART.findall(text))
        return sum(parts, timedelta(0))
    except OverflowError as error:
        raise ValueError(
            f"{text!r} is longer than any calendar: write a shorter duration"
        ) from error


def read_duration(value: object) -> object:
    """What stands in a file: text is parsed, a bare number refused, the rest left to whoever wants it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise _without_unit(value)
    return parse_duration(value) if isinstance(value, str) else value


def _without_unit(number: object) -> ValueError:
    return ValueError(f"{number} has no unit: write it like {number}s or {number}m")


def format_duration(value: timedelta) -> str:
    """The shortest form that `parse_duration` reads back, to the second."""
    seconds = int(value.total_seconds())
    parts = []
    for size, unit in ((604800, "w"), (86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
