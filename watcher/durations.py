"""Durations as people write them: `30s`, `15m`, `4h`, `7d`, `2w`, `1h30m`. Standard library only."""

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_WHOLE = re.compile(rf"(?:{_PART.pattern}\s*)+")


def parse_duration(text: str) -> timedelta:
    """Raises ValueError that says the form; `0s` is allowed."""
    text = text.strip().lower()
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
    """What stands in a file: text is parsed, anything else is left to the type that wants it."""
    return parse_duration(value) if isinstance(value, str) else value


def format_duration(value: timedelta) -> str:
    """The shortest form that `parse_duration` reads back, to the second."""
    seconds = int(value.total_seconds())
    parts = []
    for size, unit in ((604800, "w"), (86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
