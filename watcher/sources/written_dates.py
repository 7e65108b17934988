"""Dates as people write them, on pages and in feeds; what may be meant in two ways is left alone."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from watcher.sources.dates import sane

# By the fewest letters that tell; of those that share three, four.
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *("jan janv gen ene янв", "feb fév fev févr fevr фев", "mar mär maa mrz мар"),
            *("apr avr abr апр", "may mai mei mag maj мая май", "jun juin giu июн"),
            *("jul juil lug июл", "aug aoû aou ago авг", "sep set сен", "oct okt ott out окт"),
            *("nov ноя", "dec dez déc dic дек"),
        ),
        start=1,
    )
    for name in names.split()
}
# Hours from UTC, and who is there. CST and its like are America's, where they are written most.
_ZONES = {
    name: float(hours)
    for hours, *names in map(
        str.split,
        (
            *("0 z ut utc gmt wet", "1 bst cet mez west", "2 cest mesz eet sast", "3 eest msk trt"),
            *("3.5 irst", "4 gst", "5 pkt", "5.5 ist", "7 ict wib", "8 hkt sgt pht myt awst"),
            *("9 jst kst", "9.5 acst", "10 aest", "11 aedt", "12 nzst", "13 nzdt", "-2.5 ndt"),
            *("-3 brt art adt", "-4 ast edt", "-5 est cdt", "-6 cst mdt", "-7 mst pdt"),
            *("-8 pst akdt", "-9 akst", "-10 hst"),
        ),
    )
    for name in names
}
_AFTERNOON = frozenset(("pm", "p.m.", "오후", "午後", "下午"))
_CLOCK = (
    r"(?:[\s,T|·–-]*(?:at\s+|um\s+)?(?:(?P<early>오전|오후|午前|午後|上午|下午)\s?)?"
    r"(?P<h>\d{1,2})(?:[:.]|[時时点시]\s?)(?P<min>\d{2})[分분]?"
    r"(?:[:.\s]?(?P<s>\d{2})[秒초]?(?:\.\d{1,9})?)?"
    r"(?:\s?(?P<late>am|pm|a\.m\.|p\.m\.))?(?:\s?(?:h|Uhr))?"
    r"(?:\s?(?:(?P<zone>[a-z]{1,4})|(?:GMT|UTC)?(?P<sign>[+-])(?P<zh>\d{1,2}):?(?P<zm>\d{2})?))?)?"
)
_WEEKDAY = r"(?:[^\W\d]{2,12}[.,]{0,2}\s+)??"
_BEHIND = r"(?:\s?[(（][^\W\d]{1,3}[)）])?"
_YEAR_FIRST = (
    r"(?P<y>\d{4})\s?[年년]\s?(?P<m>\d{1,2})\s?[月월]\s?(?P<d>\d{1,2})\s?[日일]",
    r"(?P<y>\d{4})(?:/|\.\s?)(?P<m>\d{1,2})(?:/|\.\s?)(?P<d>\d{1,2})\.?",
)
_OTHERS = (
    r"(?P<d>\d{1,2})(?:st|nd|rd|th|\.)?\s+(?:of\s+|de\s+)?(?P<name>[^\W\d]{3,10})\.?,?\s+(?:de\s+)?(?P<y>\d{4})",
    r"(?P<name>[^\W\d]{3,10})\.?\s+(?P<d>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y>\d{4})",
    r"(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.\s?(?P<y>\d{4})",
)
_FORMS = tuple(
    re.compile(f"{_WEEKDAY}{form}{_BEHIND}{_CLOCK}", re.IGNORECASE)
    for form in (*_YEAR_FIRST, r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})", *_OTHERS)
)
# Nothing else begins so; parsers that go by the first digits take it for the first of a month.
_ANY_YEAR_FIRST = re.compile(r"\s*\d{4}\s?[年년./]")
_LONGEST = 60


def written_date(text: str) -> datetime | None:
    """All of `text` must be a date with day, month and year; UTC where it names no zone."""
    if len(text) > 2 * _LONGEST:
        return None
    text = " ".join(text.split())
    if not 6 <= len(text) <= _LONGEST:
        return None
    for form in _FORMS:
        if found := form.fullmatch(text):
            try:
                return sane(_moment(found.groupdict()))
            except (KeyError, ValueError, OverflowError):
                continue
    return None


def is_year_first(text: str) -> bool:
    """Whether it is a date of `written_date` or none."""
    return _ANY_YEAR_FIRST.match(text) is not None


def _moment(found: Mapping[str, str | None]) -> datetime:
    """Raises `KeyError` and `ValueError` for what does not exist."""
    name = (found.get("name") or "").lower()
    month = (_MONTHS.get(name[:4]) or _MONTHS[name[:3]]) if name else int(found["m"] or 0)
    hour = int(found["h"] or 0)
    if half := (found["early"] or found["late"] or "").lower():
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if half in _AFTERNOON else 0)
    at = (hour, int(found["min"] or 0), min(int(found["s"] or 0), 59))
    moment = datetime(int(found["y"] or 0), month, int(found["d"] or 0), *at, tzinfo=UTC)
    return moment - _offset(found)


def _offset(found: Mapping[str, str | None]) -> timedelta:
    if zone := found["zone"]:
        return timedelta(hours=_ZONES[zone.lower()])
    hours, minutes = int(found["zh"] or 0), int(found["zm"] or 0)
    if hours > 14 or minutes > 59:
        raise ValueError(hours)
    return timedelta(hours=hours, minutes=minutes) * (-1 if found["sign"] == "-" else 1)
