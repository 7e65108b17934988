"""Dates as people read them on pages; what may be meant in two ways is left alone."""

import re
from datetime import UTC, datetime

from watcher.sources.dates import parse_date, sane

_MONTHS = {
    name: number
    for number, name in enumerate(
        str.split("jan feb mar apr may jun jul aug sep oct nov dec"), start=1
    )
}
_CLOCK = r"(?:[\s,T|·–-]*(?:at\s+)?(?P<h>\d{1,2})[:.](?P<min>\d{2})(?::\d{2})?(?:\s*(?:h|Uhr|UTC|GMT|Z))?)?"
_FORMS = tuple(
    re.compile(rf"(?:[^\W\d]{{2,12}},?\s+)??{form}{_CLOCK}", re.IGNORECASE)
    for form in (
        r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})",
        r"(?P<d>\d{1,2})(?:st|nd|rd|th|\.)?\s+(?:of\s+)?(?P<name>[a-z]{3,9})\.?,?\s+(?P<y>\d{4})",
        r"(?P<name>[a-z]{3,9})\.?\s+(?P<d>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y>\d{4})",
        r"(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.\s?(?P<y>\d{4})",
        r"(?P<y>\d{4})\s?[年년]\s?(?P<m>\d{1,2})\s?[月월]\s?(?P<d>\d{1,2})\s?[日일]",
    )
)
_LONGEST = 60


def page_date(text: str) -> datetime | None:
    """All of `text` must be a date with day, month and year; UTC where it names no zone."""
    text = " ".join(text.split())
    if not 6 <= len(text) <= _LONGEST:
        return None
    for form in _FORMS:
        if (found := form.fullmatch(text)) and (moment := _moment(found.groupdict())):
            return moment
    return parse_date(text) if len(text) >= len("20260530T") else None


def _moment(found: dict[str, str | None]) -> datetime | None:
    name = found.get("name")
    month = _MONTHS.get(name[:3].lower(), 0) if name else int(found.get("m") or 0)
    try:
        return sane(
            datetime(
                int(found["y"] or 0), month, int(found["d"] or 0),
                int(found.get("h") or 0), int(found.get("min") or 0), tzinfo=UTC,
            )
        )  # fmt: skip
    except ValueError:
        return None
