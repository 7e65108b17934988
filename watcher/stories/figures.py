"""Figures that say something of an event: counts, sums, distances; no dates, times or ages. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from watcher.stories.features import meaning, stem

_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    "oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|januar|februar|märz|mai|juni|juli|oktober|dezember"
)
# Moments, spans and ages: every report gives its own.
_TIMES = re.compile(
    rf"""\b\d{{1,2}}:\d{{2}}(?::\d{{2}})?\b
    |\b\d{{1,2}}(?:\.\d{{2}})?\s*(?:[ap]\.?m\b\.?|uhr|gmt|utc|kst)
    |\b(?:{_MONTHS})\.?\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+(?:19|20)\d\d)?
    |\b\d{{1,2}}(?:st|nd|rd|th|\.)?\s+(?:of\s+)?(?:{_MONTHS})\b(?:,?\s+(?:19|20)\d\d)?
    |\b\d{{1,4}}[-/.]\d{{1,2}}[-/.]\d{{1,4}}\b
    |\b(?:aged?\s+)\d{{1,3}}\b|\b\d{{1,3}}[-\s]years?[-\s]old\b
    |\b\d{{1,4}}(?:st|nd|rd|th)\b
    |\b\d{{1,4}}[-\s](?:second|minute|hour|day|night|week|month|year|decade)s?\b
    |(?<!\d)\d{{1,4}}\s*[年月日时時分秒년월일시분]""",
    re.IGNORECASE | re.VERBOSE,
)
_FIGURE = re.compile(
    r"(?<![\w.-])[$€£¥₩]?(\d[\d.,]{0,18}\d|\d)(?![\d:])(?:\s*(%|percent|million|billion|trillion|thousand|mln?|bn|[kmb])\b)?"
    r"(?:\s+([^\W\d_]{2,}))?",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_TIMES_TEN = {"thousand": 3, "k": 3, "million": 6, "m": 6, "ml": 6, "mln": 6, "billion": 9, "bn": 9}
_POWERS = _TIMES_TEN | {"b": 9, "trillion": 12}
_LEAST = 10
# A toll of 98 that becomes "about 100" is the same toll.
_SAME_SHARE, _SAME_STEP = 0.2, 2


@dataclass(frozen=True, slots=True)
class Figure:
    """`said` as the text has it; `unit` is what it counts, empty when nothing says so."""

    said: str
    value: float
    unit: str = ""

    def is_about(self, other: "Figure") -> bool:
        """The same figure, or the same rounded: of one thing, and near."""
        if self.value == other.value:
            return True
        if self.unit and other.unit and self.unit != other.unit:
            return False
        near = max(_SAME_STEP, _SAME_SHARE * max(self.value, other.value))
        return abs(self.value - other.value) <= near


def figures(text: str) -> list[Figure]:
    """In order; what is below ten or a bare year is said in every report."""
    found = []
    for match in _FIGURE.finditer(_TIMES.sub(" ", text)):
        number, scale, unit = match[1], (match[2] or "").lower(), match[3] or ""
        figure = Figure(
            f"{number} {match[2]}" if len(scale) > 2 else number + (match[2] or ""),
            _value(number) * 10 ** _POWERS.get(scale, 0),
            "percent" if scale in {"%", "percent"} else meaning(stem(unit.casefold())),
        )
        bare_year = _YEAR.fullmatch(number) and not scale and figure.unit not in _COUNTED
        if figure.value >= _LEAST and not bare_year:
            found.append(figure)
    return found


def new_figures(text: Iterable[Figure], before: Sequence[Figure]) -> list[str]:
    """Those that are about none of the story's own, in words, with what the story had."""
    fresh: dict[str, None] = {}
    for figure in text:
        if any(figure.is_about(old) for old in before):
            continue
        same = [old for old in before if figure.unit and old.unit == figure.unit]
        fresh[f"the figure {figure.said}" + (f" ({same[-1].said} before)" if same else "")] = None
    return list(fresh)


def _value(number: str) -> float:
    """`1,500` and `1.500` are fifteen hundred, `1.5` and `1,5` one and a half."""
    whole, mark, part = number.rpartition("." if number.rfind(".") > number.rfind(",") else ",")
    if mark and (len(part) != 3 or (number.count(mark) == 1 and whole == "0")):
        return float(f"{re.sub('[.,]', '', whole)}.{part}")
    return float(re.sub(r"[.,]", "", number))


_COUNTED = frozenset(
    meaning(stem(word))
    for word in "people person troop soldier dead killed injured wounded missing homes jobs".split()  # noqa: SIM905
)
