"""More than usual, or nothing at all: what only the clock can notice. Pure."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watcher.alerts.policy import Decision, Reason, at_severity
from watcher.model import AlertKind
from watcher.rules.compile import Rule
from watcher.rules.policy import Active

# Fewer matches are no burst, whatever the usual; fewer days say nothing of the usual.
LEAST_MATCHES, LEAST_DAYS, MOST_DAYS = 3, 3, 28
#: How far back a rule's matches say what is usual.
SPAN = timedelta(days=MOST_DAYS + 1)
#: Matches that are no news, so that neither a burst nor an end of silence is made of them.
UNHEARD = frozenset(
    {Reason.BASELINE, Reason.QUARANTINED, Reason.REVISION, Reason.WIRE_COPY, Reason.TOO_OLD}
)


@dataclass(slots=True)
class Heard:
    """What a rule that asks for a burst or a silence has heard since it `began` to watch.

    `matches` are in order of time.
    """

    began: datetime
    matches: list[datetime] = field(default_factory=list)
    last_at: datetime | None = None
    burst_at: datetime | None = None
    silence_at: datetime | None = None

    def note_match(self, at: datetime) -> None:
        insort(self.matches, at)
        self.last_at = at
        del self.matches[: bisect_left(self.matches, at - SPAN)]

    def note_alert(self, kind: AlertKind, at: datetime) -> None:
        if kind is AlertKind.BURST:
            self.burst_at = at
        elif kind is AlertKind.NOTHING_HEARD:
            self.silence_at = at

    @property
    def since(self) -> datetime:
        """The last match, or when there could first have been one."""
        return self.last_at or self.began

    @property
    def armed(self) -> bool:
        """A silence is told once; the next match makes the next one worth telling."""
        return self.silence_at is None or self.silence_at < self.since

    @property
    def silent_since(self) -> datetime | None:
        """Set from when a silence is told until the next match."""
        return None if self.armed else self.since


def watches(rule: Rule) -> bool:
    """Whether the clock alone can make the rule tell something."""
    return rule.policy.burst is not None or rule.policy.nothing_heard_for is not None


def decide_rhythm(rule: Rule, heard: Heard, now: datetime) -> Iterator[Decision]:
    """What the rule asks for, told now or not."""
    if rule.policy.burst is not None:
        yield at_severity(rule, decide_burst(rule, heard.matches, heard.burst_at, now))
    if rule.policy.nothing_heard_for is not None:
        yield at_severity(rule, decide_silence(rule, heard.since, heard.armed, now))


def silence_due(rule: Rule, heard: Heard) -> datetime | None:
    """When the rule's silence will be worth telling if nothing comes."""
    allowed, active = rule.policy.nothing_heard_for, rule.policy.active
    if allowed is None or not heard.armed:
        return None
    due = _counted_from(active, heard.since) + allowed
    return due if active.holds(due) else None


def _counted_from(active: Active, last_match_at: datetime) -> datetime:
    return max(last_match_at, active.start) if active.start else last_match_at


def decide_silence(
    rule: Rule, last_match_at: datetime | None, armed: bool, now: datetime
) -> Decision:
    """Tell once that a rule heard nothing for `nothing_heard_for`.

    `last_match_at` is the rule's last match, or when it began to watch. `armed` is
    for the caller to keep: true from the start, false after an alert, true again
    with the next match. Time before the rule's `active.from` does not count.
    """
    allowed, active = rule.policy.nothing_heard_for, rule.policy.active
    if allowed is None or last_match_at is None:
        return _quiet(rule, Reason.HEARD)
    if not active.holds(now):
        return _quiet(rule, Reason.NOT_ACTIVE)
    since = _counted_from(active, last_match_at)
    if now - since < allowed:
        return _quiet(rule, Reason.HEARD)
    if not armed:
        return _quiet(rule, Reason.SILENCE_TOLD)
    detail = f"nothing since {since:%Y-%m-%d %H:%M} UTC"
    return Decision(
        True, Reason.NOTHING_HEARD, rule.severity, AlertKind.NOTHING_HEARD, detail=detail
    )


def decide_burst(
    rule: Rule, matches: Sequence[datetime], last_burst_at: datetime | None, now: datetime
) -> Decision:
    """Tell that a rule matches far more than it usually does at this hour; once in any `over`.

    `matches` are the times of its matches in order, wire copies left out, the last month
    at most. The usual is the mean of the same span on earlier days; the same weekday
    counts twice, and a day without a match counts as one with none.
    """
    burst = rule.policy.burst
    if burst is None:
        return _quiet(rule, Reason.AS_USUAL)
    if not rule.policy.active.holds(now):
        return _quiet(rule, Reason.NOT_ACTIVE)
    count = _within(matches, now, burst.over)
    # Most looks end here; what is usual costs more.
    usual = usual_count(matches, burst.over, now) if count >= LEAST_MATCHES else None
    if usual is None or count < burst.factor * usual:
        return _quiet(rule, Reason.AS_USUAL)
    if last_burst_at is not None and now - last_burst_at < burst.over:
        return _quiet(rule, Reason.BURST_TOLD)
    hours = burst.over.total_seconds() / 3600
    span = f"{hours:g} hours" if hours >= 2 else f"{hours * 60:g} minutes"
    detail = f"{count} matches in {span}, usually {usual:.1f}"
    return Decision(True, Reason.BURST, rule.severity, AlertKind.BURST, detail=detail)


def usual_count(matches: Sequence[datetime], over: timedelta, now: datetime) -> float | None:
    """What the span that ends now usually brings; None while too few days are known."""
    if not matches:
        return None
    days = min((now - matches[0]) // timedelta(days=1), MOST_DAYS)
    if days < LEAST_DAYS:
        return None
    total = weights = 0
    for day in range(1, days + 1):
        weight = 2 if day % 7 == 0 else 1
        total += weight * _within(matches, now - timedelta(days=day), over)
        weights += weight
    return total / weights


def _within(matches: Sequence[datetime], end: datetime, over: timedelta) -> int:
    return bisect_right(matches, end) - bisect_right(matches, end - over)


def _quiet(rule: Rule, reason: Reason, detail: str = "") -> Decision:
    return Decision(False, reason, rule.severity, detail=detail)
