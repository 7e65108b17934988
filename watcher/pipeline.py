"""Articles to alerts with no I/O: match → group → decide → route. Daemon and replay share it."""

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from watcher.alerts.dispatches import plan_dispatches
from watcher.alerts.policy import HISTORY, WORDS, Decision, Reason, Told, decide_alert, hold_back
from watcher.alerts.rhythm import UNHEARD, Heard, decide_rhythm, silence_due, watches
from watcher.alerts.routes import ReceiverClock, RouteSettings
from watcher.alerts.silences import Silence, find_silence, muted, silenced
from watcher.matching.matcher import Matcher
from watcher.model import (
    Alert,
    AlertKind,
    Article,
    Dispatch,
    Match,
    Role,
    Story,
    StoryStatus,
)
from watcher.rules.compile import Rule
from watcher.stories.changes import ChangeKind, StoryChange
from watcher.stories.grouping import Assignment, StoryIndex


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided for one rule and one article, told or not; `muted` is who a silence spared."""

    match: Match
    decision: Decision
    alert: Alert | None = None
    dispatches: tuple[Dispatch, ...] = ()
    muted: tuple[Dispatch, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that follows from one article; `assignment` is None when nothing matched."""

    article: Article
    matches: tuple[Match, ...] = ()
    assignment: Assignment | None = None
    verdicts: tuple[Verdict, ...] = ()

    @property
    def alerts(self) -> list[Alert]:
        return [v.alert for v in self.verdicts if v.alert]

    @property
    def dispatches(self) -> list[Dispatch]:
        return [d for v in self.verdicts for d in v.dispatches]


@dataclass(frozen=True, slots=True)
class Noticed:
    """What a rule tells of itself, with no article: a burst, a silence."""

    decision: Decision
    alert: Alert
    dispatches: tuple[Dispatch, ...]
    muted: tuple[Dispatch, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What of a configuration the pipeline needs; swapped as a whole on reload."""

    rules: tuple[Rule, ...]
    routes: tuple[RouteSettings, ...]
    receivers: Mapping[str, ReceiverClock]
    silences: tuple[Silence, ...] = ()
    story_window: timedelta = timedelta(hours=72)
    all_stories: bool = False
    #: How long it is known which rules held for an article.
    history: timedelta = timedelta(days=365)


@dataclass(slots=True)
class Memory:
    """What was matched and told so far; rebuilt from the store at start and after a failed transaction."""

    index: StoryIndex
    told: dict[tuple[str, str], Told] = field(default_factory=dict)
    times: dict[str, deque[datetime]] = field(default_factory=dict)
    heard: dict[str, Heard] = field(default_factory=dict)

    def note_match(
        self, rule: str, story: str, article: Article, role: Role, now: datetime
    ) -> None:
        key = (rule, story)
        self.told[key] = self.told.get(key, Told()).after_match(article, role, now)

    def note_alert(
        self, rule: str, story: str | None, at: datetime, *, silenced: bool = False
    ) -> None:
        """One that was silenced is told as far as the story goes, but uses up no `at_most`."""
        if story is not None:
            key = (rule, story)
            self.told[key] = self.told.get(key, Told()).after_alert(at)
        if silenced:
            return
        times = self.times.setdefault(rule, deque())
        times.append(at)
        while times and times[0] < at - HISTORY:
            times.popleft()

    def unsee(self, articles: Collection[str]) -> None:
        """Reports that nobody was told of and that are to be judged anew."""
        self.told = {key: told.without(articles) for key, told in self.told.items()}

    def note_change(self, change: StoryChange) -> None:
        """What was told of a story goes with its reports when stories merge or split."""
        kept, other = change.story.id, change.other.id
        for rule, story in list(self.told):
            if change.kind is ChangeKind.MERGED and story == other:
                gone = self.told.pop((rule, other))
                self.told[rule, kept] = self.told.get((rule, kept), Told()).joined(gone)
            elif change.kind is ChangeKind.SPLIT and story == kept:
                old = self.told[rule, kept]
                self.told[rule, kept] = old.without(change.articles)
                self.told[rule, other] = old.only(change.articles)

    def expire(self, now: datetime) -> list[Story]:
        """Stories that went quiet or closed; what was told of closed ones is forgotten."""
        changed = self.index.expire(now)
        closed = {story.id for story in changed if story.status is StoryStatus.CLOSED}
        if closed:
            self.told = {key: told for key, told in self.told.items() if key[1] not in closed}
        return changed


class Pipeline:
    """Deterministic: the same articles in the same order give the same outcomes."""

    def __init__(self, plan: Plan) -> None:
        self.matcher = Matcher(plan.rules)
        #: Made by hand, beside those of the plan; whoever has the store puts them here.
        self.silences: tuple[Silence, ...] = ()
        self._take(plan)
        self.memory = self.empty_memory()

    def _take(self, plan: Plan) -> None:
        self.plan = plan
        self._rules = {rule.id: rule for rule in plan.rules}
        self._watching = tuple(rule for rule in plan.rules if watches(rule))

    def use(self, plan: Plan) -> None:
        """Swap rules and routes; stories and what was told stay.

        Costs what changed. With many rules the matcher then has two segments: the caller may
        have them merged in another thread and put that in `matcher`.
        """
        self.matcher.use(plan.rules)
        self._take(plan)

    def empty_memory(self) -> Memory:
        return Memory(StoryIndex(window=self.plan.story_window))

    def process(
        self,
        article: Article,
        now: datetime,
        *,
        quiet: Reason | None = None,
        group_all: bool = False,
        already: frozenset[str] = frozenset(),
    ) -> Outcome:
        """Decide everything about one article.

        `quiet` names why nothing may be told (a baseline, a quarantine); matches and
        stories are kept all the same. `already` are rules that held for an earlier
        revision: they stay silent.
        """
        matches = tuple(self.matcher.match(article))
        if not matches and not (group_all or self.plan.all_stories):
            return Outcome(article)
        if article.revision and now - article.first_seen > self.plan.history:
            quiet = quiet or Reason.REVISION  # what held for it before is forgotten
        topics = frozenset(match.rule for match in matches)
        assignment = self.memory.index.assign(article, now, topics)
        for change in assignment.changes:
            self.memory.note_change(change)
        verdicts = tuple(
            self._verdict(
                article, match, assignment, now, Reason.REVISION if match.rule in already else quiet
            )
            for match in matches
        )
        return Outcome(article, matches, assignment, verdicts)

    def _verdict(
        self,
        article: Article,
        match: Match,
        assignment: Assignment,
        now: datetime,
        quiet: Reason | None,
    ) -> Verdict:
        rule, story = self._rules[match.rule], assignment.story
        told = self.memory.told.get((rule.id, story.id), Told())
        heard = self.heard(rule.id, now) if watches(rule) else None
        if quiet is not None:
            decision = hold_back(rule, quiet)
        else:
            decision = decide_alert(
                rule=rule,
                article=article,
                assignment=assignment,
                told=told,
                recent=self.memory.times.get(rule.id, ()),
                now=now,
                silent_since=heard.silent_since if heard else None,
            )
        self.memory.note_match(rule.id, story.id, article, assignment.role, now)
        if heard is not None and decision.reason not in UNHEARD:
            heard.note_match(now)
        if not decision.send or decision.kind is None:
            return Verdict(match, decision)
        # The first alert of a story tells of every report that waited for it.
        waited = tuple(a.id for a in told.seen) if decision.kind is AlertKind.CORROBORATED else ()
        alert = Alert(
            id=alert_id(rule.id, story.id, article.id),
            kind=decision.kind,
            rule=rule.id,
            story=story.id,
            severity=decision.severity,
            at=now,
            reason=WORDS[decision.reason],
            articles=(*waited, article.id),
            tags=rule.tags,
            new=decision.new,
        )
        decision, dispatches, spared = self._routed(decision, alert, article, now)
        return Verdict(match, decision, alert, dispatches, spared)

    def _routed(
        self, decision: Decision, alert: Alert, article: Article | None, now: datetime
    ) -> tuple[Decision, tuple[Dispatch, ...], tuple[Dispatch, ...]]:
        """Remember the alert, and say who gets it, or, when it is silenced, who would have."""
        languages = (article.lang,) if article and article.lang else ()
        publishers = (article.family,) if article else ()
        silence = find_silence(
            (*self.plan.silences, *self.silences),
            alert,
            now,
            languages=languages,
            publishers=publishers,
        )
        self.memory.note_alert(alert.rule, alert.story, now, silenced=silence is not None)
        planned = plan_dispatches(
            alert,
            languages=languages,
            publishers=publishers,
            routes=self.plan.routes,
            receivers=self.plan.receivers,
            now=now,
        )
        if silence is not None:
            return silenced(decision, silence), (), muted(planned, silence)
        return decision, tuple(planned), ()

    def heard(self, rule: str, now: datetime) -> Heard:
        """What a rule has heard; one not met before begins to watch now."""
        return self.memory.heard.setdefault(rule, Heard(now))

    def begin(self, now: datetime) -> None:
        """Rules that wait for a silence do so from now on."""
        for rule in self._watching:
            self.heard(rule.id, now)

    def notice(self, now: datetime) -> list[Noticed]:
        """Bursts and silences of rules that ask for them; each is told once."""
        found: list[Noticed] = []
        for rule in self._watching:
            heard = self.heard(rule.id, now)
            decisions = [d for d in decide_rhythm(rule, heard, now) if d.send]
            found += (self._noticed(rule, heard, decision, now) for decision in decisions)
        return found

    def _noticed(self, rule: Rule, heard: Heard, decision: Decision, now: datetime) -> Noticed:
        assert decision.kind is not None
        # A silence is named by what it follows, so that it is one however often it is decided.
        named = heard.since if decision.kind is AlertKind.NOTHING_HEARD else now
        alert = Alert(
            id=alert_id(rule.id, decision.kind.value, named.isoformat()),
            kind=decision.kind,
            rule=rule.id,
            story=None,
            severity=decision.severity,
            at=now,
            reason=WORDS[decision.reason],
            articles=(),
            tags=rule.tags,
            new=(decision.detail,),
        )
        heard.note_alert(decision.kind, now)
        decision, dispatches, spared = self._routed(decision, alert, None, now)
        return Noticed(decision, alert, dispatches, spared)

    def next_silence(self) -> datetime | None:
        """When the next rule will have been silent for too long, if nothing comes."""
        dues = (
            silence_due(rule, self.memory.heard[rule.id])
            for rule in self._watching
            if rule.id in self.memory.heard
        )
        return min((due for due in dues if due is not None), default=None)


def alert_id(rule: str, story: str, article: str) -> str:
    """One alert per rule, story and article that raised it: deciding twice gives the same id."""
    return "t" + sha256(f"{rule}\0{story}\0{article}".encode()).hexdigest()[:19]
