"""What a whole digest amounts to, counted once however many pages show it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from watcher.model import Severity, StoryView

HOURS = 24
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule of a digest: how many stories, and its reports by the hour, oldest first."""

    id: str
    title: str
    severity: Severity
    stories: int
    reports: int
    publishers: int
    hours: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """`most_reported` is the story with the most independent publishers, if it has three.

    `busiest` is the start of the hour with the most reports, if it has three.
    """

    stories: int
    updates: int
    severities: tuple[tuple[Severity, int], ...]
    publishers: int
    reports: int
    hours: tuple[int, ...]
    rules: tuple[RuleLine, ...]
    most_reported: StoryView | None
    busiest: datetime | None

    @property
    def top(self) -> int:
        """The most reports any rule has in an hour."""
        return max((max(rule.hours) for rule in self.rules), default=0)

    @property
    def busiest_count(self) -> int:
        return max(self.hours, default=0)


class Summarise(Protocol):
    def __call__(self, stories: Sequence[StoryView], at: datetime) -> Summary: ...


def summaries() -> Summarise:
    """A function that remembers its last answer: all pages of a digest ask the same."""
    last: tuple[Sequence[StoryView], datetime, Summary] | None = None

    def summary(stories: Sequence[StoryView], at: datetime) -> Summary:
        nonlocal last
        # The same object, not an equal one: comparing thousands of stories would cost as much.
        if last is None or last[0] is not stories or last[1] != at:
            last = (stories, at, summed(stories, at))
        return last[2]

    return summary


def summed(stories: Sequence[StoryView], at: datetime) -> Summary:
    rules: dict[str, _Tally] = {}
    whole = _Tally()
    for story in stories:
        whole.add(story, at)
        rules.setdefault(story.rule, _Tally()).add(story, at)
    counts = {s: sum(story.severity is s for story in stories) for s in reversed(Severity)}
    top = max(stories, key=lambda story: len(story.families), default=None)
    hour = whole.hours.index(max(whole.hours))
    lines = (tally.line(rule) for rule, tally in rules.items())
    return Summary(
        stories=len(stories),
        updates=sum(story.is_follow_up for story in stories),
        severities=tuple((s, n) for s, n in counts.items() if n),
        publishers=len(whole.families),
        reports=whole.reports,
        hours=tuple(whole.hours),
        rules=tuple(sorted(lines, key=lambda line: (-line.severity.rank, -line.reports))),
        most_reported=top if top and len(top.families) >= 3 else None,
        busiest=at - (HOURS - hour) * _HOUR if whole.hours[hour] >= 3 else None,
    )


@dataclass(slots=True)
class _Tally:
    title: str = ""
    severity: Severity = Severity.LOW
    stories: int = 0
    reports: int = 0
    families: set[str] = field(default_factory=set)
    hours: list[int] = field(default_factory=lambda: [0] * HOURS)

    def add(self, story: StoryView, at: datetime) -> None:
        self.title = story.rule_title
        self.severity = max(self.severity, story.severity, key=lambda s: s.rank)
        self.stories += 1
        self.reports += len(story.reports)
        for report in story.reports:
            if report.copy_of is None:
                self.families.add(report.family)
            ago = (at - report.at) // _HOUR
            if 0 <= ago < HOURS:
                self.hours[HOURS - 1 - ago] += 1

    def line(self, rule: str) -> RuleLine:
        return RuleLine(
            rule,
            self.title,
            self.severity,
            self.stories,
            self.reports,
            len(self.families),
            tuple(self.hours),
        )
