"""What a rule would have told over the archive, story by story, beside what another version of it does.

Articles stream past once, through the same pipeline as live ones, in the order they were published;
what is kept grows with what the rule catches, up to limits, never with the archive.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from watcher.alerts.policy import WORDS
from watcher.model import Alert, Article, StoryStatus
from watcher.pipeline import Outcome, Pipeline, Plan
from watcher.replay import EXPIRE_EVERY
from watcher.rules.compile import Rule
from watcher.stories.changes import ChangeKind, StoryChange

# Beyond these only the counts go on.
KEPT_STORIES = 1000
KEPT_REPORTS = 50
KEPT_CHANGES = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """An article in a listing."""

    article: str
    at: datetime
    publisher: str
    title: str
    url: str

    @classmethod
    def of(cls, article: Article) -> "Line":
        publisher = article.publisher or article.feed
        return cls(article.id, article.at, publisher, article.title, article.url)


@dataclass(slots=True)
class StoryTold:
    """One story of the rule: its first reports, how many there were, and what was told when."""

    reports: dict[str, Line] = field(default_factory=dict)
    alerts: list[tuple[datetime, str, str]] = field(default_factory=list)
    count: int = 0

    @property
    def first(self) -> Line:
        return next(iter(self.reports.values()))

    def to_json(self) -> dict[str, Any]:
        return {
            "title": self.first.title,
            "at": self.first.at,
            "reports": self.count,
            "alerts": [{"at": at, "kind": kind, "why": why} for at, kind, why in self.alerts],
            "articles": [line_json(line) for line in self.reports.values()],
        }


@dataclass(slots=True)
class Figures:
    """How much noise a version makes; days are UTC."""

    matches: Counter[date] = field(default_factory=Counter)
    alerts: Counter[date] = field(default_factory=Counter)
    publishers: Counter[str] = field(default_factory=Counter)
    untold: Counter[str] = field(default_factory=Counter)

    def note_match(self, article: Article) -> None:
        self.matches[article.at.date()] += 1
        self.publishers[article.publisher or article.feed] += 1

    def busiest(self) -> tuple[date, int, int] | None:
        """The day with most alerts (then matches), and its figures."""
        days = sorted(self.matches.keys() | self.alerts.keys())
        if not days:
            return None
        day = max(days, key=lambda d: (self.alerts[d], self.matches[d]))
        return day, self.matches[day], self.alerts[day]

    def to_json(self, days: float) -> dict[str, Any]:
        busiest = self.busiest()
        matches, alerts = self.matches.total(), self.alerts.total()
        return {
            "matches": matches,
            "matches_per_day": round(matches / days, 2),
            "alerts": alerts,
            "alerts_per_day": round(alerts / days, 2),
            "busiest_day": busiest
            and dict(zip(("day", "matches", "alerts"), busiest, strict=True)),
            "publishers": dict(self.publishers.most_common(10)),
            "not_told": dict(self.untold.most_common()),
        }


class Version(Protocol):
    """A rule as it is or was; asked about every article in order of time."""

    figures: Figures

    def take(self, article: Article) -> bool:
        """Whether this version catches it."""
        ...


class Recorded:
    """The rule as it was in force: what the daemon noted at the time."""

    def __init__(self, articles: AbstractSet[str], alerts: Iterable[Alert]) -> None:
        self.figures = Figures()
        self.figures.alerts.update(alert.at.date() for alert in alerts)
        self._articles = articles

    def take(self, article: Article) -> bool:
        caught = article.id in self._articles
        if caught:
            self.figures.note_match(article)
        return caught


class Tried:
    """A version run through the pipeline, among the other rules; `rule` is None when it has none such."""

    def __init__(self, plan: Plan, name: str, rule: Rule | None) -> None:
        others = tuple(one for one in plan.rules if one.id != name)
        rules = (*others, rule) if rule else others
        self._pipeline = Pipeline(replace(plan, rules=rules))
        self._rule = name
        self._open: dict[str, StoryTold] = {}
        self._expired_at: datetime | None = None
        self.figures = Figures()
        self.stories: list[StoryTold] = []
        self.story_count = 0

    def take(self, article: Article) -> bool:
        now = article.at
        self._expire(now)
        outcome = self._pipeline.process(article, now)
        for change in outcome.assignment.changes if outcome.assignment else ():
            self._change(change)
        return self._note(outcome)

    def end(self) -> None:
        """Close what is open still."""
        for story in list(self._open):
            self._close(story)
        self.stories.sort(key=lambda told: told.first.at)

    def _note(self, outcome: Outcome) -> bool:
        verdict = next((v for v in outcome.verdicts if v.match.rule == self._rule), None)
        if verdict is None or outcome.assignment is None:
            return False
        article = outcome.article
        self.figures.note_match(article)
        told = self._open.setdefault(outcome.assignment.story.id, StoryTold())
        told.reports[article.id] = Line.of(article)
        if verdict.alert is None:
            self.figures.untold[WORDS[verdict.decision.reason]] += 1
        else:
            self.figures.alerts[article.at.date()] += 1
            new = f": {', '.join(verdict.alert.new[:3])}" if verdict.alert.new else ""
            why = f"{verdict.alert.reason}{new}"
            told.alerts.append((verdict.alert.at, verdict.alert.kind.value, why))
        return True

    def _change(self, change: StoryChange) -> None:
        kept, other = change.story.id, change.other.id
        merged = change.kind is ChangeKind.MERGED
        old, new = (other, kept) if merged else (kept, other)
        source = self._open.get(old)
        if source is None:
            return
        moved = {
            name: source.reports.pop(name) for name in change.articles if name in source.reports
        }
        if moved:
            target = self._open.setdefault(new, StoryTold())
            target.reports |= moved
            if merged:
                target.alerts = sorted([*target.alerts, *source.alerts])
        if not source.reports:
            del self._open[old]

    def _expire(self, now: datetime) -> None:
        if self._expired_at is None or now - self._expired_at >= EXPIRE_EVERY:
            self._expired_at = now
            for story in self._pipeline.memory.expire(now):
                if story.status is StoryStatus.CLOSED:
                    self._close(story.id)

    def _close(self, story: str) -> None:
        told = self._open.pop(story, None)
        if told is None:
            return
        self.story_count += 1
        if len(self.stories) < KEPT_STORIES:
            told.count = len(told.reports)
            first = sorted(told.reports.values(), key=lambda line: line.at)[:KEPT_REPORTS]
            told.reports = {line.article: line for line in first}
            self.stories.append(told)


@dataclass(slots=True)
class Backtest:
    """Two versions over the same articles, and where they differ."""

    edited: Tried
    saved: Version
    articles: int = 0
    caught_count: int = 0
    dropped_count: int = 0
    caught: list[Line] = field(default_factory=list)
    dropped: list[Line] = field(default_factory=list)
    first_at: datetime | None = None
    last_at: datetime | None = None

    @property
    def days(self) -> float:
        """What figures are spread over: the archive may be younger than what was asked."""
        if self.first_at is None or self.last_at is None:
            return 1.0
        return max((self.last_at - self.first_at) / timedelta(days=1), 1.0)

    def run(self, articles: Iterable[Article]) -> None:
        """Articles in order of `at`."""
        for article in articles:
            self.first_at, self.last_at = self.first_at or article.at, article.at
            self.articles += 1
            now, before = self.edited.take(article), self.saved.take(article)
            if now and not before:
                self.caught_count += 1
                _keep(self.caught, article)
            elif before and not now:
                self.dropped_count += 1
                _keep(self.dropped, article)
        self.edited.end()

    def to_json(self) -> dict[str, Any]:
        days = self.days
        return {
            "days": round(days, 2),
            "articles": self.articles,
            "edited": {**self.edited.figures.to_json(days), "stories": self.edited.story_count},
            "saved": self.saved.figures.to_json(days),
            "newly_caught": {
                "count": self.caught_count,
                "articles": [line_json(line) for line in self.caught],
            },
            "newly_dropped": {
                "count": self.dropped_count,
                "articles": [line_json(line) for line in self.dropped],
            },
            "stories": [told.to_json() for told in self.edited.stories],
        }


def line_json(line: Line) -> dict[str, Any]:
    return {
        "article": line.article,
        "at": line.at,
        "publisher": line.publisher,
        "title": line.title,
        "url": line.url,
    }


def _keep(lines: list[Line], article: Article) -> None:
    if len(lines) < KEPT_CHANGES:
        lines.append(Line.of(article))


def rule_in(rules: Sequence[Rule], name: str) -> Rule | None:
    return next((rule for rule in rules if rule.id == name), None)
