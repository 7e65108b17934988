"""The whole pipeline over a file of dated articles, with a simulated clock and no network.

Input, one JSON object a line: `{"id","url","title","text","published","publisher","feed","lang"}`;
an id or url, a title and a date are required. The output is deterministic.

Records come in the order things happen, but for `story`: stories merge and split while
they are open, so where an article belongs is told once, when its story closes.

Nobody acknowledges anything in a replay: every escalation is told.
"""

import json
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from heapq import heappop, heappush
from typing import Any, BinaryIO

from watcher.alerts.due import plan_due
from watcher.alerts.policy import Decision
from watcher.alerts.routes import schedules_of
from watcher.config.load import Config
from watcher.errors import WatcherError
from watcher.model import Alert, Article, Dispatch, Entry, StoryStatus
from watcher.normalise import to_article
from watcher.pipeline import Outcome, Pipeline
from watcher.sources.dates import parse_date
from watcher.stories.changes import ChangeKind, StoryChange
from watcher.stories.publishers import PublisherTable
from watcher.text import clean_text

Record = dict[str, Any]
EXPIRE_EVERY = timedelta(hours=1)
#: Types of record; `change` is a merge or a split. A last one is the `summary`.
RECORDS = ("match", "story", "change", "alert", "notification")


class ReplayError(WatcherError):
    """A line of the input that is no article."""


class Waiting:
    """Dispatches on their way, as the daemon has them in its store; a look at the first costs nothing."""

    def __init__(self) -> None:
        #: When each alert was raised that still waits.
        self.raised: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str, str, Dispatch]] = []
        self._uses: Counter[str] = Counter()

    def add(self, dispatches: Sequence[Dispatch], alerts: Iterable[Alert]) -> None:
        self._uses.update(d.alert for d in dispatches)
        self.raised |= {alert.id: alert.at for alert in alerts if alert.id in self._uses}
        self.put_back(dispatches)

    def put_back(self, dispatches: Iterable[Dispatch]) -> None:
        for d in dispatches:
            heappush(self._heap, (d.send_at, d.alert, d.receiver, d))

    def first(self) -> datetime | None:
        """When the next one is due."""
        return self._heap[0][0] if self._heap else None

    def take(self, now: datetime) -> list[Dispatch]:
        """Those that are due, oldest first."""
        due = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heappop(self._heap)[-1])
        return due

    def forget(self, dispatches: Iterable[Dispatch]) -> None:
        """They are told."""
        for d in dispatches:
            self._uses[d.alert] -= 1
            if not self._uses[d.alert]:
                del self._uses[d.alert], self.raised[d.alert]


@dataclass(slots=True)
class Replay:
    """Feeds articles through a pipeline, oldest first, and tells what follows."""

    pipeline: Pipeline
    all_stories: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    _waiting: Waiting = field(default_factory=Waiting)
    # Articles of open stories with their number in the stream.
    _members: dict[str, dict[str, int]] = field(default_factory=dict)
    _expired_at: datetime | None = None
    _now: datetime | None = None
    #: No rule will have been silent for too long before.
    _calm_until: datetime | None = None

    def run(self, articles: Iterable[Article]) -> Iterator[Record]:
        """Records in the order things happen; the articles must be in order of time."""
        for article in articles:
            yield from self.take(article)
        yield from self.end()

    def take(self, article: Article) -> Iterator[Record]:
        """What follows from one article, and from the time that passed before it."""
        now = article.at
        if self._now is None:
            self.pipeline.begin(now)
        self._now = now
        yield from self._silences(now)
        yield from self._until(now)
        yield from self._expire(now)
        self.counts["articles"] += 1
        outcome = self.pipeline.process(article, now, group_all=self.all_stories)
        yield from self._outcome(outcome)
        if outcome.matches:
            yield from self._noticed(now)
        yield from self._notify(now)

    def end(self) -> Iterator[Record]:
        """What still waits, and the stories that are open at last."""
        if self._now is not None:
            yield from self._until(None)
        for story in list(self._members):
            yield from self._closed(story)

    def _outcome(self, outcome: Outcome) -> Iterator[Record]:
        article = outcome.article
        for match in outcome.matches:
            self.counts["matches"] += 1
            yield {
                "type": "match",
                "article": article.id,
                "rule": match.rule,
                "score": match.score,
                "evidence": [
                    {
                        "clause": e.clause,
                        "field": e.field,
                        "start": e.start,
                        "end": e.end,
                        "text": e.text,
                    }
                    for e in match.evidence
                ],
            }
        if outcome.assignment is None:
            return
        members = self._members.setdefault(outcome.assignment.story.id, {})
        members.setdefault(article.id, self.counts["articles"])
        for change in outcome.assignment.changes:
            yield self._change(change)
        for verdict in outcome.verdicts:
            if verdict.alert is not None:
                yield self._alert(verdict.alert, verdict.decision)
        self._waiting.add(outcome.dispatches, outcome.alerts)

    def _alert(self, alert: Alert, decision: Decision) -> Record:
        """One that is silenced says by whom: there is no notification of it."""
        self.counts["alerts"] += 1
        return {
            "type": "alert",
            "id": alert.id,
            "kind": alert.kind.value,
            "rule": alert.rule,
            "story": alert.story,
            "at": _iso(alert.at),
            "articles": list(alert.articles),
            "reason": alert.reason,
            **({} if decision.send else {"silenced": decision.detail}),
        }

    def _silences(self, now: datetime) -> Iterator[Record]:
        """Rules that fell silent before this moment, each at its own."""
        if self._calm_until is not None and now <= self._calm_until:
            return
        while (due := self.pipeline.next_silence()) is not None and due < now:
            yield from self._until(due)
            yield from self._noticed(due)
        # Until then no match can bring a sooner one about.
        spans = [rule.policy.nothing_heard_for for rule in self.pipeline.plan.rules]
        least = min((span for span in spans if span is not None), default=None)
        self._calm_until = now + least if least is not None else datetime.max.replace(tzinfo=UTC)
        self._calm_until = min(self._calm_until, due or self._calm_until)

    def _noticed(self, now: datetime) -> Iterator[Record]:
        for noticed in self.pipeline.notice(now):
            yield self._alert(noticed.alert, noticed.decision)
            self._waiting.add(noticed.dispatches, [noticed.alert])

    def _change(self, change: StoryChange) -> Record:
        """Move the articles and tell why."""
        kept, other = change.story.id, change.other.id
        old, new = (other, kept) if change.kind is ChangeKind.MERGED else (kept, other)
        for article in change.articles:
            # The article that brought it about may be where it belongs already.
            number = self._members.get(old, {}).pop(article, None)
            if number is not None:
                self._members.setdefault(new, {})[article] = number
        if not self._members.get(old, True):
            del self._members[old]
        self.counts["changes"] += 1
        return {
            "type": "change",
            "kind": change.kind.value,
            "story": kept,
            "other": other,
            "at": _iso(change.at),
            "similarity": round(change.similarity, 3),
            "articles": list(change.articles),
            "words": list(change.words),
        }

    def _closed(self, story: str) -> Iterator[Record]:
        """What a story came to, first report first."""
        members = self._members.pop(story, {})
        self.counts["stories"] += bool(members)
        for n, article in enumerate(sorted(members, key=members.__getitem__)):
            yield {"type": "story", "story": story, "article": article, "new": n == 0}

    def _until(self, now: datetime | None) -> Iterator[Record]:
        """Messages that fell due before this moment, or all, slot by slot."""
        while (first := self._waiting.first()) is not None and (now is None or first < now):
            yield from self._notify(first)

    def _notify(self, now: datetime) -> Iterator[Record]:
        due = self._waiting.take(now)
        if not due:
            return
        plan = self.pipeline.plan
        found = plan_due(
            due,
            raised=self._waiting.raised,
            acknowledged=(),
            schedules=schedules_of(plan.routes),
            clocks=plan.receivers,
            now=now,
        )
        self._waiting.put_back(found.later)
        for receiver, batches in found.messages.items():
            for batch in batches:
                self.counts["notifications"] += 1
                self._waiting.forget(batch)
                yield {
                    "type": "notification",
                    "receiver": receiver,
                    "at": _iso(now),
                    "alerts": [d.alert for d in batch],
                    "reason": batch[0].reason,
                }

    def _expire(self, now: datetime) -> Iterator[Record]:
        if self._expired_at is None or now - self._expired_at >= EXPIRE_EVERY:
            self._expired_at = now
            for story in self.pipeline.memory.expire(now):
                if story.status is StoryStatus.CLOSED:
                    yield from self._closed(story.id)


class Archive:
    """Dated articles of a file that can be read twice; as many as it holds, only their places in memory."""

    def __init__(self, file: BinaryIO, publishers: PublisherTable) -> None:
        """Looks at every line once. Raises `ReplayError` with the line."""
        self._file = file
        self._publishers = publishers
        places, times = array("Q"), array("d")
        self._lines = array("L")
        place = 0
        for number, line in enumerate(file, 1):
            if line.strip():
                places.append(place)
                times.append(_read(line, number)[1].timestamp())
                self._lines.append(number)
            place += len(line)
        # Of the same moment as the file has them.
        self._order = sorted(range(len(times)), key=times.__getitem__)
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Article]:
        """Oldest first."""
        for n in self._order:
            self._file.seek(self._places[n])
            raw, published = _read(self._file.readline(), self._lines[n])
            yield _article(raw, published, self._publishers)


def _read(line: bytes, number: int) -> tuple[Record, datetime]:
    try:
        raw = json.loads(line)
    except ValueError as error:
        raise ReplayError(f"line {number}: is not JSON: write one object a line") from error
    if not isinstance(raw, dict):
        raise ReplayError(f"line {number}: is no JSON object: write one object a line")
    published = parse_date(raw.get("published"))
    named = raw.get("id") or raw.get("url")
    if not named or published is None or not isinstance(raw.get("title"), str):
        raise ReplayError(
            f"line {number}: id or url, title and published are required: published is an ISO date"
        )
    return raw, published


def _article(raw: Record, published: datetime, publishers: PublisherTable) -> Article:
    name = str(raw.get("id") or raw.get("url"))
    entry = Entry(
        guid=name,
        url=raw.get("url"),
        title=raw["title"],
        text=clean_text(str(raw.get("text") or "")),
        published=published,
        publisher=raw.get("publisher") or None,
        lang=raw.get("lang") or None,
    )
    return to_article(
        entry,
        id=name,
        feed=str(raw.get("feed") or "replay"),
        feed_publisher=None,
        feed_lang=None,
        publishers=publishers,
        now=published,
    )


def fingerprint(config: Config) -> str:
    """Names what the articles were judged and sent by, so that two replays can be compared."""
    said = [f"{r.id} {r.severity} {r.tags} {r.when} {r.unless} {r.policy!r}" for r in config.rules]
    said += [model.model_dump_json() for model in (*config.routes, *config.settings.silences)]
    said += [f"{s.id} {s.zone} {s.quiet_hours} {s.enabled}" for s in config.receivers.values()]
    said.append(config.settings.stories.model_dump_json())
    return sha256("\n".join(said).encode()).hexdigest()[:12]


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
