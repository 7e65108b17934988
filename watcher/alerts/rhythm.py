"""More than usual, or nothing at all: what only the clock can notice. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from watcher.alerts.policy import Decision, Reason
from watcher.model import AlertKind
from watcher.rules.compile import Rule

# Fewer matches are no burst, whatever the usual; fewer days say nothing of the usual.
LEAST_MATCHES, LEAST_DAYS, MOST_DAYS = 3, 3, 28


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
    since = max(last_match_at, active.start) if active.start else last_match_at
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

    `matches` are the times of its matches, wire copies left out, the last month at
    most. The usual is the mean of the same span on earlier days; the same weekday
    counts twice, and a day without a match counts as one with none.
    """
    burst = rule.policy.burst
    if burst is None:
        return _quiet(rule, Reason.AS_USUAL)
    if not rule.policy.active.holds(now):
        return _quiet(rule, Reason.NOT_ACTIVE)
    count = _within(matches, now, burst.over)
    usual = usual_count(matches, burst.over, now)
    if usual is None or count < max(LEAST_MATCHES, burst.factor * usual):
        return _quiet(rule, Reason.AS_USUAL)
    if last_burst_at is not None and now - last_burst_at < burst.over:
        return _quiet(rule, Reason.AS_USUAL, "this burst was told already")
    detail = f"{count} matches, usually {usual:.1f}"
    return Decision(True, Reason.BURST, rule.severity, AlertKind.BURST, detail=detail)


def usual_count(matches: Sequence[datetime], over: timedelta, now: datetime) -> float | None:
    """What the span that ends now usually brings; None while too few days are known."""
    if not matches:
        return None
    days = min((now - min(matches)) // timedelta(days=1), MOST_DAYS)
    if days < LEAST_DAYS:
        return None
    total = weights = 0
    for day in range(1, days + 1):
        weight = 2 if day % 7 == 0 else 1
        total += weight * _within(matches, now - timedelta(days=day), over)
        weights += weight
    return total / weights


def _within(matches: Sequence[datetime], end: datetime, over: timedelta) -> int:
    return sum(1 for at in matches if end - over < at <= end)


def _quiet(rule: Rule, reason: Reason, detail: str = "") -> Decision:
    return Decision(False, reason, rule.severity, detail=detail)
