"""What templates may do with a digest: passages in pieces, who else reports."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from unicodedata import east_asian_width

from watcher.model import AlertKind, Passage, Report, StoryView
from watcher.render.pictures import bars, timeline, timeline_words
from watcher.render.summary import summaries
from watcher.text import clean_line, host_of, safe_link, truncate

_STEPS = "▁▂▃▄▅▆▇█"
_KINDS = {
    AlertKind.NEW_STORY: "New",
    AlertKind.FOLLOW_UP: "Update",
    AlertKind.CORROBORATED: "Confirmed",
    AlertKind.BURST: "Burst",
    AlertKind.NOTHING_HEARD: "Nothing heard",
    AlertKind.SILENCE_BROKEN: "Heard again",
}


def pieces(passage: Passage) -> list[tuple[str, bool]]:
    """The text cut at its marks, in order: `(text, is it marked)`; marks out of range are ignored."""
    found, at = [], 0
    for start, end in sorted(passage.marks):
        if start < at or end <= start or end > len(passage.text):
            continue
        found += [(passage.text[at:start], False), (passage.text[start:end], True)]
        at = end
    found.append((passage.text[at:], False))
    return [(text, marked) for text, marked in found if text]


def also(story: StoryView) -> list[Report]:
    """One report per other publisher's family: what is new first, then in order of appearance.

    Wire copies are left out; `copies` counts them.
    """
    lead = next((r.family for r in story.reports if r.url == story.url), story.publisher)
    first: dict[str, Report] = {}
    for report in story.reports:
        if report.copy_of is None and report.family != lead and report.url != story.url:
            known = first.get(report.family)
            if known is None or (report.is_new and not known.is_new):
                first[report.family] = report
    return sorted(first.values(), key=lambda r: not r.is_new)


def copies(story: StoryView) -> int:
    """How many reports only repeat another's text."""
    return sum(report.copy_of is not None for report in story.reports)


def publishers(stories: Sequence[StoryView]) -> int:
    """How many independent publishers report any of them."""
    return len({family for story in stories for family in story.families})


def sparkline(stories: Sequence[StoryView], at: datetime, hours: int = 24) -> str:
    """Reports per hour until `at` as `▁▁▃█▂`, oldest first; empty when there are none."""
    counts = [0] * hours
    for story in stories:
        for report in story.reports:
            ago = (at - report.at) // timedelta(hours=1)
            if 0 <= ago < hours:
                counts[hours - 1 - ago] += 1
    return steps(counts)


def steps(counts: Sequence[int], top: int = 0) -> str:
    """Counts as `▁▁▃█▂`; empty when all are zero. Text shows where pictures are blocked."""
    if not any(counts):
        return ""
    top = max(top, *counts)
    # Zero keeps the lowest step to itself: one report must differ from none.
    return "".join(_STEPS[-(-count * (len(_STEPS) - 1) // top)] for count in counts)


def lang(story: StoryView) -> str:
    """The language of the headline, empty when unknown."""
    return next((r.lang for r in story.reports if r.url == story.url and r.lang), "") or ""


def with_severity(stories: Sequence[StoryView], severity: str) -> list[StoryView]:
    return [story for story in stories if story.severity == severity]


def kind(story: StoryView) -> str:
    """One or two words for the badge of a story."""
    return _KINDS[story.kind]


def opens(story: StoryView, stories: Sequence[StoryView]) -> bool:
    """Is it the first of its rule in this message? What holds for the rule is said once."""
    return next((other.alert for other in stories if other.rule == story.rule), "") == story.alert


def starred(passage: Passage) -> str:
    """The passage with `*` around what matched, for plain text."""
    return "".join(f"*{text}*" if marked else text for text, marked in pieces(passage))


def why(story: StoryView) -> str:
    """Why the reader gets it: the reason of the alert in words."""
    return words(story.reason)


def words(name: str) -> str:
    """`quiet_hours` as a reader writes it."""
    return clean_line(name.replace("_", " "))


def counted(number: int, singular: str, plural: str = "") -> str:
    """`1 story`, `2 stories`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def wrapped(text: str, width: int = 76, indent: str = "") -> str:
    """Wrap for the text part; East Asian characters count two columns and break anywhere."""
    lines, line, room = [], "", width - len(indent)
    for word in text.split():
        for n, piece in enumerate(_breakable(word, room)):
            glue = " " if line and n == 0 else ""
            if line and _columns(line + glue + piece) > room:
                lines.append(line)
                line = piece
            else:
                line += glue + piece
    lines.append(line)
    return f"\n{indent}".join(lines)


def _breakable(word: str, room: int) -> list[str]:
    """The word, in characters when it is too long and not a link or the like."""
    return list(word) if not word.isascii() and _columns(word) > room else [word]


def _columns(text: str) -> int:
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


FILTERS: dict[str, Callable[..., Any]] = {
    "also": also,
    "bars": bars,
    "copies": copies,
    "counted": counted,
    "host": host_of,
    "kind": kind,
    "lang": lang,
    "link": safe_link,
    "opens": opens,
    "pieces": pieces,
    "shorten": truncate,
    "publishers": publishers,
    "sparkline": sparkline,
    "starred": starred,
    "summary": summaries(),
    "steps": steps,
    "timeline": timeline,
    "timeline_words": timeline_words,
    "why": why,
    "with_severity": with_severity,
    "words": words,
    "wrapped": wrapped,
}
