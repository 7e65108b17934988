"""Is the reader told of this match, and why (not)? Pure: the same facts, the same decision."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from watcher.durations import format_duration
from watcher.model import AlertKind, Article, Role, Severity
from watcher.rules.compile import Rule
from watcher.rules.policy import MEMORY
from watcher.stories.grouping import SAME_TOPIC, Assignment
from watcher.stories.novelty import brief, novelty
from watcher.tokens import fold_tokens


class Reason(StrEnum):
    """Every way a decision can end; the words readers and `explain` see come from `WORDS`."""

    NEW_STORY = "new_story"
    NOVEL = "novel"
    ALL_FOLLOW_UPS = "all_follow_ups"
    CORROBORATED = "corroborated"
    WAITING_FOR_PUBLISHERS = "waiting_for_publishers"
    FOLLOW_UPS_OFF = "follow_ups_off"
    WIRE_COPY = "wire_copy"
    NOT_NOVEL = "not_novel"
    TOO_OLD = "too_old"
    AT_MOST_REACHED = "at_most_reached"
    AFTER_LULL = "after_lull"
    NOT_ACTIVE = "not_active"
    BURST = "burst"
    AS_USUAL = "as_usual"
    NOTHING_HEARD = "nothing_heard"
    HEARD = "heard"
    SILENCE_TOLD = "silence_told"
    SILENCE_BROKEN = "silence_broken"
    BURST_TOLD = "burst_told"
    BASELINE = "baseline"
    QUARANTINED = "quarantined"
    REVISION = "revision"
    SILENCED = "silenced"


WORDS: dict[Reason, str] = {
    Reason.NEW_STORY: "first report of a new story",
    Reason.NOVEL: "the report adds something new",
    Reason.ALL_FOLLOW_UPS: "the rule asks for every follow-up",
    Reason.CORROBORATED: "enough independent publishers report it",
    Reason.WAITING_FOR_PUBLISHERS: "not enough independent publishers yet",
    Reason.FOLLOW_UPS_OFF: "the rule asks for no follow-ups",
    Reason.WIRE_COPY: "the same text was told already",
    Reason.NOT_NOVEL: "nothing new against the story so far",
    Reason.TOO_OLD: "older than the rule's max_age",
    Reason.AT_MOST_REACHED: "the rule's at_most is used up for now",
    Reason.AFTER_LULL: "a report in another language after hours of quiet",
    Reason.NOT_ACTIVE: "outside the rule's active time",
    Reason.BURST: "far more matches than usual at this hour",
    Reason.AS_USUAL: "no more matches than usual",
    Reason.NOTHING_HEARD: "nothing matched for as long as the rule allows",
    Reason.HEARD: "something matched recently enough",
    Reason.SILENCE_TOLD: "this silence was told already",
    Reason.SILENCE_BROKEN: "the first report since a silence was told",
    Reason.BURST_TOLD: "this burst was told already",
    Reason.BASELINE: "seen at the first poll of a new feed",
    Reason.QUARANTINED: "the feed changed too much at once",
    Reason.REVISION: "the rule held for an earlier version of this article",
    Reason.SILENCED: "somebody silenced such alerts for a while",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What one rule has told of one story.

    `reported` is when each family last had a report of its own, copies left out; `seen` are the
    matched reports, told or not, newest last.
    """

    alerts: int = 0
    last_at: datetime | None = None
    reported: Mapping[str, datetime] = field(default_factory=dict)
    seen: tuple[Article, ...] = ()

    def after_match(self, article: Article, role: Role, now: datetime) -> "Told":
        """A report matched; the last twenty are enough to judge what is new."""
        own = {} if role is Role.COPY else {article.family: now}
        return replace(
            self,
            reported={**self.reported, **own},
            seen=(*self.seen, brief(article))[-20:],
        )

    def joined(self, other: "Told") -> "Told":
        """Of two stories that turned out to be one."""
        seen = sorted((*self.seen, *other.seen), key=lambda a: (a.first_seen, a.id))
        told = [at for at in (self.last_at, other.last_at) if at]
        return Told(
            alerts=self.alerts + other.alerts,
            last_at=max(told, default=None),
            reported={
                family: max(one.reported[family] for one in (self, other) if family in one.reported)
                for family in {**self.reported, **other.reported}
            },
            seen=tuple(seen[-20:]),
        )

    def only(self, articles: Collection[str]) -> "Told":
        """Of a story that was split: what was told stays told, of these reports."""
        return replace(self, seen=tuple(a for a in self.seen if a.id in articles))

    def without(self, articles: Collection[str]) -> "Told":
        """The other half of `only`."""
        return replace(self, seen=tuple(a for a in self.seen if a.id not in articles))

    def after_alert(self, now: datetime) -> "Told":
        return replace(self, alerts=self.alerts + 1, last_at=now)


@dataclass(frozen=True, slots=True)
class Decision:
    """`kind` is set exactly when `send`; `new` says what is new, `detail` the figures behind it."""

    send: bool
    reason: Reason
    severity: Severity
    kind: AlertKind | None = None
    new: tuple[str, ...] = ()
    detail: str = ""


def decide_alert(
    *,
    rule: Rule,
    article: Article,
    assignment: Assignment,
    told: Told,
    recent: Collection[datetime],
    now: datetime,
    silent_since: datetime | None = None,
) -> Decision:
    """Decide about one match.

    `told` is what the rule knew of the story before this article, `recent` the
    times of the rule's last alerts in any story. `silent_since` is set when the rule's
    silence was told and this is the first match after it.
    """
    policy = rule.policy
    if not policy.active.holds(now):
        return _quiet(rule, Reason.NOT_ACTIVE)
    if policy.max_age is not None and now - article.at > policy.max_age:
        return _quiet(rule, Reason.TOO_OLD, f"published {article.at:%Y-%m-%d %H:%M} UTC")
    if told.alerts == 0:
        decision = _first(rule, article, assignment, told, now)
    else:
        decision = _follow_up(rule, article, assignment, told, now)
    if decision.send and policy.at_most is not None:
        used = sum(at > now - policy.at_most.period for at in recent)
        if used >= policy.at_most.count:
            return _quiet(rule, Reason.AT_MOST_REACHED, f"{used} alerts in the period")
    if silent_since is not None and decision.kind in {AlertKind.NEW_STORY, AlertKind.FOLLOW_UP}:
        since = f"nothing since {silent_since:%Y-%m-%d %H:%M} UTC"
        kind, reason = AlertKind.SILENCE_BROKEN, Reason.SILENCE_BROKEN
        decision = replace(decision, kind=kind, reason=reason, detail=since)
    families = len(told.after_match(article, assignment.role, now).reported)
    return at_severity(rule, decision, f"{article.title} {article.text}", families)


def at_severity(rule: Rule, decision: Decision, text: str = "", families: int = 0) -> Decision:
    """The decision at the highest severity whose conditions hold; never lower than the rule's.

    What a rule tells of itself has no text and no publishers.
    """
    if not decision.send or not rule.policy.severity:
        return decision
    words = f" {' '.join(fold_tokens(text))} "
    severity = rule.severity
    for step in rule.policy.severity:
        if (
            step.to.rank > severity.rank
            and (step.publishers is None or families >= step.publishers)
            and (not step.kinds or decision.kind in step.kinds)
            and (not step.words or any(_says(words, phrase) for phrase in step.words))
        ):
            severity = step.to
    return replace(decision, severity=severity)


def _says(words: str, phrase: str) -> bool:
    wanted = " ".join(fold_tokens(phrase))
    return bool(wanted) and f" {wanted} " in words


def _first(
    rule: Rule, article: Article, assignment: Assignment, told: Told, now: datetime
) -> Decision:
    needed = rule.policy.min_publishers
    after = told.after_match(article, assignment.role, now)
    if needed.count > 1:
        families = sum(now - at <= needed.within for at in after.reported.values())
        detail = f"{families} of {needed.count} publishers within {format_duration(needed.within)}"
        if families < needed.count:
            return _quiet(rule, Reason.WAITING_FOR_PUBLISHERS, detail)
        return _send(rule, AlertKind.CORROBORATED, Reason.CORROBORATED, detail=detail)
    return _send(rule, AlertKind.NEW_STORY, Reason.NEW_STORY)


def _after_lull(told: Told, now: datetime) -> bool:
    return now - told.seen[-1].first_seen >= LULL


def _follow_up(
    rule: Rule, article: Article, assignment: Assignment, told: Told, now: datetime
) -> Decision:
    wanted = rule.policy.follow_ups
    if wanted == "none":
        return _quiet(rule, Reason.FOLLOW_UPS_OFF)
    if wanted == "all":
        return _send(rule, AlertKind.FOLLOW_UP, Reason.ALL_FOLLOW_UPS, novelty(article, told.seen))
    if assignment.role is Role.COPY:
        return _quiet(rule, Reason.WIRE_COPY)
    new = novelty(article, told.seen)
    if not new:
        if assignment.reason == SAME_TOPIC and told.seen and _after_lull(told, now):
            return _send(rule, AlertKind.FOLLOW_UP, Reason.AFTER_LULL)
        return _quiet(rule, Reason.NOT_NOVEL, f"against {len(told.seen)} reports")
    return _send(rule, AlertKind.FOLLOW_UP, Reason.NOVEL, new)


def _send(
    rule: Rule, kind: AlertKind, reason: Reason, new: tuple[str, ...] = (), detail: str = ""
) -> Decision:
    return Decision(True, reason, rule.severity, kind, new, detail)


def _quiet(rule: Rule, reason: Reason, detail: str = "") -> Decision:
    return Decision(False, reason, rule.severity, detail=detail)


def hold_back(rule: Rule, reason: Reason) -> Decision:
    """A decision made before the story was looked at (a baseline, a quarantine, a revision)."""
    return _quiet(rule, reason)


# A foreign report cannot be compared by its words. After such a pause it may well be another
# event of the same rule, so it is told rather than lost.
LULL = timedelta(hours=2)

#: Longest look back of any policy; older alert times may be forgotten.
HISTORY = MEMORY
