"""When a feed is polled next, and what its state is called. Pure.

Never earlier than the configured minimum, the server's Retry-After or freshness,
or the feed's own `ttl`; never given up on, except after 410 Gone.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from watcher.model import FeedState, FeedStatus, PollHints

# How many failures in a row make a feed "broken" for its operator.
BROKEN_AFTER = 3
MAX_BACKOFF = timedelta(hours=24)
MAX_HINT = timedelta(hours=24)
# How many polls must see the same permanent redirect before the address changes.
CONFIRM_MOVE = 3
NO_HINTS = PollHints()
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class PollReason(StrEnum):
    RHYTHM = "rhythm"
    FRESH = "fresh"
    TTL = "ttl"
    SKIP = "skip"
    RETRY_AFTER = "retry_after"
    BACKOFF = "backoff"
    GONE = "gone"


class Notice(StrEnum):
    """A change of state that an operator is told of, once."""

    BROKEN = "broken"
    RECOVERED = "recovered"
    GONE = "gone"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class PollBounds:
    """The configured interval and its limits."""

    every: timedelta = timedelta(minutes=15)
    least: timedelta = timedelta(minutes=5)
    most: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class PollPlan:
    """The feed's next state with its reason; `notice` when the operator should hear of it."""

    state: FeedState
    reason: PollReason
    notice: Notice | None = None


def after_success(
    state: FeedState,
    *,
    now: datetime,
    bounds: PollBounds,
    hints: PollHints = NO_HINTS,
    fresh_for: timedelta | None = None,
    moved_to: str | None = None,
    rng: Random,
) -> PollPlan:
    """A 200 or 304. `fresh_for` comes from Cache-Control or Expires."""
    wait, reason = _interval(state, now, bounds), PollReason.RHYTHM
    for hint, why in ((fresh_for, PollReason.FRESH), (hints.ttl, PollReason.TTL)):
        if hint is not None and min(hint, MAX_HINT) > wait:
            wait, reason = min(hint, MAX_HINT), why
    wait = wait * rng.uniform(1.0, 1.1)
    due = _skip(now + wait, hints)
    if due > now + wait:
        reason = PollReason.SKIP
    notice = Notice.RECOVERED if state.status is FeedStatus.BROKEN else None
    state = replace(
        state,
        next_poll_at=due,
        status=FeedStatus.OK,
        last_polled_at=now,
        last_success_at=now,
        failures=0,
        last_error=None,
    )
    return _moved(PollPlan(state, reason, notice), moved_to)


def after_failure(
    state: FeedState,
    *,
    now: datetime,
    bounds: PollBounds,
    error: str,
    status: int | None = None,
    retry_after: timedelta | None = None,
    rng: Random,
) -> PollPlan:
    """Anything that gave no feed; `retry_after` is obeyed when longer than our own backoff."""
    failures = state.failures + 1
    failed = replace(state, last_polled_at=now, failures=failures, last_error=error, moved_count=0)
    if status == 410:
        gone = replace(failed, status=FeedStatus.GONE, next_poll_at=now + MAX_BACKOFF)
        return PollPlan(gone, PollReason.GONE, Notice.GONE)
    wait = min(bounds.every * 2 ** min(failures - 1, 12), MAX_BACKOFF) * rng.uniform(0.9, 1.1)
    reason = PollReason.BACKOFF
    if retry_after is not None and retry_after > wait:
        wait, reason = retry_after, PollReason.RETRY_AFTER
    broken = failures >= BROKEN_AFTER
    notice = Notice.BROKEN if broken and state.status is not FeedStatus.BROKEN else None
    failed = replace(
        failed,
        next_poll_at=now + wait,
        status=FeedStatus.BROKEN if broken else state.status,
    )
    return PollPlan(failed, reason, notice)


def _interval(state: FeedState, now: datetime, bounds: PollBounds) -> timedelta:
    """A feed silent for long is asked less often, one that writes often is asked as configured."""
    if state.newest_at is None:
        return bounds.every
    silence = now - state.newest_at
    return max(min(max(bounds.every, silence / 24), bounds.most), bounds.least)


def _skip(due: datetime, hints: PollHints) -> datetime:
    """Move past skipHours and skipDays, which are in GMT (RSS 2.0)."""
    if len(hints.skip_hours) >= 24 or len(hints.skip_days) >= 7:
        return due
    for _ in range(24 * 8):
        if due.hour not in hints.skip_hours and _DAYS[due.weekday()] not in hints.skip_days:
            return due
        due = due.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return due


def _moved(plan: PollPlan, moved_to: str | None) -> PollPlan:
    """A permanent redirect changes the address only when several polls in a row agree."""
    state = plan.state
    if moved_to is None or moved_to == state.url:
        return replace(plan, state=replace(state, moved_to=None, moved_count=0))
    count = state.moved_count + 1 if moved_to == state.moved_to else 1
    if count < CONFIRM_MOVE:
        return replace(plan, state=replace(state, moved_to=moved_to, moved_count=count))
    moved = replace(state, url=moved_to, moved_to=None, moved_count=0)
    return replace(plan, state=moved, notice=plan.notice or Notice.MOVED)
