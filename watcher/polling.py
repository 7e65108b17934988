"""When a feed is polled next, and what its state is called. Pure.

Never earlier than the configured minimum, the server's Retry-After or freshness,
or the feed's own `ttl`; never given up on, except after 410 Gone.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from urllib.parse import urlsplit

from watcher.model import FeedState, FeedStatus, PollHints
from watcher.pace import Pace, begun, learned, stale_after, wait

# How many failures in a row make a feed "broken" for its operator.
BROKEN_AFTER = 3
MAX_BACKOFF = timedelta(hours=24)
MAX_HINT = timedelta(hours=24)
# How much longer a feed waits whose hub is believed: what a lost push is late by.
SLOWER = 4
# While the network itself seems down: so soon are all feeds tried again.
MAX_BACKOFF_OF_ALL = timedelta(hours=1)
# How many polls must see the same permanent redirect before the address changes.
CONFIRM_MOVE = 3
# A feed that only ever says "not modified" is read in full once in so long.
DOUBT_AFTER = timedelta(days=8)
DOUBT_AT_LEAST = timedelta(days=1)
NO_HINTS = PollHints()
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class PollReason(StrEnum):
    """Why the next poll is when it is."""

    RHYTHM = "rhythm"
    SET = "set"
    PUSHED = "pushed"
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
    STALE = "stale"
    SPEAKS = "speaks"
    GONE = "gone"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class PollBounds:
    """`every` is the wait of a feed that publishes hourly; its rhythm moves it within the others.

    `exact`: this feed is asked `every` so often whatever its rhythm.
    """

    every: timedelta = timedelta(minutes=15)
    least: timedelta = timedelta(minutes=5)
    most: timedelta = timedelta(hours=24)
    exact: bool = False


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
    hints: PollHints | None = None,
    fresh_for: timedelta | None = None,
    moved_to: str | None = None,
    news: bool = False,
    pushed: bool = False,
    rng: Random,
) -> PollPlan:
    """A 200 or 304. `hints` are None when nothing was read: those of the last reading hold.

    `fresh_for` comes from Cache-Control or Expires; `news`: an entry was new; `pushed`: a hub
    tells of news, so that asking is only for the case that it doesn't (0183).
    """
    kept = read_hints(state.hints) if hints is None else hints
    delay, reason = _interval(state, now, bounds, pushed=pushed)
    for hint, why in ((fresh_for, PollReason.FRESH), (kept.ttl, PollReason.TTL)):
        if hint is not None and min(hint, MAX_HINT) > delay:
            delay, reason = min(hint, MAX_HINT), why
    delay = delay * rng.uniform(1.0, 1.1)
    due = _skip(now + delay, kept)
    if due > now + delay:
        reason = PollReason.SKIP
    status, notice = _standing(state, now, news=news)
    state = replace(
        state,
        next_poll_at=due,
        reason=reason.value,
        status=status,
        last_polled_at=now,
        last_success_at=now,
        failures=0,
        failing_since=None,
        last_error=None,
        hints=written_hints(kept),
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
    everywhere: bool = False,
    rng: Random,
) -> PollPlan:
    """Anything that gave no feed; `retry_after` is obeyed when longer than our own backoff.

    `everywhere`: most feeds fail, so that this one is not to blame: it is tried again sooner
    and not called broken for it.
    """
    failures = state.failures + 1
    failed = replace(
        state,
        last_polled_at=now,
        failures=failures,
        failing_since=state.failing_since or now,
        last_error=error,
        moved_to=None,
        moved_count=0,
    )
    if status == 410:
        reason, later = PollReason.GONE, now + MAX_BACKOFF
        gone = replace(failed, status=FeedStatus.GONE, next_poll_at=later, reason=reason.value)
        return PollPlan(gone, reason, Notice.GONE)
    longest = min(MAX_BACKOFF_OF_ALL if everywhere else MAX_BACKOFF, bounds.most)
    delay = min(bounds.every * 2 ** min(failures - 1, 12), max(longest, bounds.every))
    delay, reason = delay * rng.uniform(1.0, 1.1), PollReason.BACKOFF
    if retry_after is not None and retry_after > delay:
        delay, reason = retry_after, PollReason.RETRY_AFTER
    broken = state.status is FeedStatus.BROKEN
    notice = None
    if failures >= BROKEN_AFTER and not broken and not everywhere:
        broken, notice = True, Notice.BROKEN
    failed = replace(
        failed,
        next_poll_at=now + delay,
        reason=reason.value,
        status=FeedStatus.BROKEN if broken else state.status,
    )
    return PollPlan(failed, reason, notice)


def after_hold(state: FeedState, *, now: datetime, held: timedelta, rng: Random) -> PollPlan:
    """Its host asked for a rest and was not asked: nothing is known of the feed."""
    later = now + held + timedelta(seconds=rng.uniform(0, 60))
    reason = PollReason.RETRY_AFTER
    return PollPlan(replace(state, next_poll_at=later, reason=reason.value), reason)


def ask_in_full(state: FeedState, now: datetime) -> bool:
    """Whether to ask without conditions: some servers say "not modified" for ever (RELIABILITY 42).

    Rarely, and before a silence is told as one: then the server's word alone is too little.
    """
    if state.full_only or state.full_at is None:
        return state.full_only
    if now - state.full_at <= DOUBT_AT_LEAST:
        return False
    longest = stale_after(Pace.read(state.pace))
    doubt = DOUBT_AFTER if longest is None else max(longest / 2, DOUBT_AT_LEAST)
    return now - state.full_at > doubt


def has_read(
    state: FeedState, dates: Sequence[datetime | None], *, news: bool, now: datetime
) -> FeedState:
    """After a document whose new entries have these dates; `news` unless they are a replay.

    The first one is the beginning: what it shows was published before we came.
    """
    if not state.baseline_done:
        past = [date for date in dates if date is not None and date <= now]
        newest = max(past) if past else now if dates else None
        first = begun(dates, now)
        return replace(state, baseline_done=True, newest_at=newest, pace=first.text)
    if not news:
        return state
    pace = learned(Pace.read(state.pace) or Pace(state.newest_at or now), dates, now)
    return replace(state, newest_at=now, pace=pace.text)


def lied(
    state: FeedState,
    dates: Sequence[datetime | None],
    *,
    etag: str | None,
    last_modified: str | None,
    now: datetime,
) -> bool:
    """Whether a full reading out of doubt shows that "not modified" was untrue.

    New entries behind the very validators of old, or from before the last such answer.
    """
    if state.full_only or not dates or not ask_in_full(state, now):
        return False
    if (etag, last_modified) == (state.etag, state.last_modified):
        return True
    before = (state.last_success_at or now) - timedelta(hours=1)
    return any(date is not None and date < before for date in dates)


def read_hints(text: str | None) -> PollHints:
    """What `written_hints` wrote."""
    if not text:
        return NO_HINTS
    ttl, hours, days = json.loads(text)
    wait_for = None if ttl is None else timedelta(seconds=ttl)
    return PollHints(wait_for, frozenset(hours), frozenset(days))


def written_hints(hints: PollHints) -> str | None:
    """The part that says when to poll, for the store; None for the usual feed that says nothing."""
    if hints.ttl is None and not hints.skip_hours and not hints.skip_days:
        return None
    ttl = None if hints.ttl is None else hints.ttl.total_seconds()
    return json.dumps([ttl, sorted(hints.skip_hours), sorted(hints.skip_days)])


def _interval(
    state: FeedState, now: datetime, bounds: PollBounds, *, pushed: bool
) -> tuple[timedelta, PollReason]:
    if bounds.exact:
        return bounds.every, PollReason.SET
    delay = wait(
        Pace.read(state.pace),
        state.newest_at,
        now,
        usual=bounds.every,
        least=bounds.least,
        most=bounds.most,
    )
    if pushed and delay < bounds.most:
        return min(delay * SLOWER, bounds.most), PollReason.PUSHED
    return delay, PollReason.RHYTHM


def _standing(state: FeedState, now: datetime, *, news: bool) -> tuple[FeedStatus, Notice | None]:
    """What a feed that answers is called. One that was silent from the first is no change to tell."""
    if state.status is FeedStatus.BROKEN:
        return FeedStatus.OK, Notice.RECOVERED
    if news and state.status is FeedStatus.STALE:
        return FeedStatus.OK, Notice.SPEAKS
    longest = stale_after(Pace.read(state.pace))
    if longest is None or state.newest_at is None or now - state.newest_at <= longest:
        # What is stale stays so until it speaks: counts that fade are no news.
        return (FeedStatus.STALE if state.status is FeedStatus.STALE else FeedStatus.OK), None
    told = state.status is FeedStatus.STALE or state.last_success_at is None
    return FeedStatus.STALE, None if told else Notice.STALE


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
    """A permanent redirect changes the address only when several polls in a row agree.

    Never from https to http: it is followed each time, but what is asked first stays encrypted.
    """
    state = plan.state
    if moved_to is None and state.moved_to is None and not state.moved_count:
        return plan
    if moved_to is None or moved_to == state.url or _scheme(state.url) > _scheme(moved_to):
        return replace(plan, state=replace(state, moved_to=None, moved_count=0))
    count = state.moved_count + 1 if moved_to == state.moved_to else 1
    if count < CONFIRM_MOVE:
        return replace(plan, state=replace(state, moved_to=moved_to, moved_count=count))
    moved = replace(state, url=moved_to, moved_to=None, moved_count=0)
    return replace(plan, state=moved, notice=plan.notice or Notice.MOVED)


def _scheme(url: str) -> str:
    return urlsplit(url).scheme.lower()
