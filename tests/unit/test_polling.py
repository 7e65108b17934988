"""When a feed is polled next: every reason, as a table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from watcher.durations import format_duration, parse_duration
from watcher.model import FeedState, FeedStatus, PollHints
from watcher.polling import (
    BROKEN_AFTER,
    CONFIRM_MOVE,
    Notice,
    PollBounds,
    PollPlan,
    PollReason,
    after_failure,
    after_success,
    ask_in_full,
    read_hints,
)

NOW = datetime(2026, 5, 30, 12, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BOUNDS = PollBounds(timedelta(minutes=15), timedelta(minutes=5), DAY)
STATE = FeedState("f", "https://sample.example/feed", NOW, FeedStatus.OK)


def success(state: FeedState = STATE, **given: Any) -> PollPlan:
    return after_success(state, now=NOW, bounds=BOUNDS, rng=Random(1), **given)


def failure(state: FeedState = STATE, **given: Any) -> PollPlan:
    return after_failure(state, now=NOW, bounds=BOUNDS, error="http_500", rng=Random(1), **given)


def wait(plan: PollPlan) -> timedelta:
    return plan.state.next_poll_at - NOW


SUCCESSES: list[tuple[str, FeedState, dict[str, Any], timedelta, timedelta, PollReason]] = [
    ("as configured", STATE, {}, timedelta(minutes=15), timedelta(minutes=17), PollReason.RHYTHM),
    ("busy feed", replace(STATE, newest_at=NOW - HOUR), {}, timedelta(minutes=15), timedelta(minutes=17), PollReason.RHYTHM),
    ("silent feed", replace(STATE, newest_at=NOW - 2 * DAY), {}, 0.7 * HOUR, HOUR, PollReason.RHYTHM),
    ("very silent feed", replace(STATE, newest_at=NOW - 300 * DAY), {}, 10 * HOUR, 12 * HOUR, PollReason.RHYTHM),
    ("dead feed", replace(STATE, newest_at=NOW - 3000 * DAY), {}, DAY, 1.1 * DAY, PollReason.RHYTHM),
    ("fresh for long", STATE, {"fresh_for": 12 * HOUR}, 12 * HOUR, 13.2 * HOUR, PollReason.FRESH),
    ("fresh for ever", STATE, {"fresh_for": 90 * DAY}, DAY, 1.1 * DAY, PollReason.FRESH),
    ("fresh for a moment", STATE, {"fresh_for": timedelta(seconds=1)}, timedelta(minutes=15), timedelta(minutes=17), PollReason.RHYTHM),
    ("ttl", STATE, {"hints": PollHints(ttl=HOUR)}, HOUR, 1.1 * HOUR, PollReason.TTL),
    ("skip hours", STATE, {"hints": PollHints(skip_hours=frozenset({12, 13}))}, 1.5 * HOUR, 1.5 * HOUR, PollReason.SKIP),
    ("skip days", STATE, {"hints": PollHints(skip_days=frozenset({"saturday"}))}, 11.5 * HOUR, 11.5 * HOUR, PollReason.SKIP),
    ("skip everything", STATE, {"hints": PollHints(skip_hours=frozenset(range(24)))}, timedelta(minutes=15), timedelta(minutes=17), PollReason.RHYTHM),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "state", "given", "least", "most", "reason"), SUCCESSES, ids=[c[0] for c in SUCCESSES]
)
def test_a_good_poll_waits_for_its_reason(
    name: str,
    state: FeedState,
    given: dict[str, Any],
    least: timedelta,
    most: timedelta,
    reason: PollReason,
) -> None:
    plan = success(state, **given)

    assert least <= wait(plan) <= most
    assert plan.reason is reason
    assert (plan.state.status, plan.state.failures, plan.state.last_success_at) == (
        FeedStatus.OK,
        0,
        NOW,
    )


def test_failures_back_off_and_never_give_up() -> None:
    state, waits = STATE, []
    for _ in range(20):
        plan = failure(state)
        state = plan.state
        waits.append(wait(plan))

    assert waits[0] < timedelta(minutes=17)
    assert all(later > 1.5 * earlier for earlier, later in pairwise(waits[:6]))
    assert all(w <= 1.1 * DAY for w in waits)
    assert state.status is FeedStatus.BROKEN


def test_the_operator_hears_once_that_a_feed_broke_and_once_that_it_recovered() -> None:
    state, notices = STATE, []
    for _ in range(BROKEN_AFTER + 3):
        plan = failure(state)
        state = plan.state
        notices.append(plan.notice)
    back = success(state)

    assert notices == [None] * (BROKEN_AFTER - 1) + [Notice.BROKEN] + [None] * 3
    assert back.notice is Notice.RECOVERED
    assert success(back.state).notice is None


def test_gone_is_gone() -> None:
    plan = failure(status=410)

    assert (plan.state.status, plan.reason, plan.notice) == (
        FeedStatus.GONE,
        PollReason.GONE,
        Notice.GONE,
    )


@pytest.mark.parametrize(("asked", "obeyed"), [(2 * DAY, True), (timedelta(seconds=5), False)])
def test_retry_after_is_obeyed_when_it_is_longer(asked: timedelta, obeyed: bool) -> None:
    plan = failure(status=429, retry_after=asked)

    assert (plan.reason is PollReason.RETRY_AFTER) is obeyed
    assert (wait(plan) == asked) is obeyed


def test_a_move_needs_several_polls_that_agree() -> None:
    """RELIABILITY A3."""
    new, state, notices = "https://moved.example/feed", STATE, []
    for _ in range(CONFIRM_MOVE):
        plan = success(state, moved_to=new)
        state = plan.state
        notices.append(plan.notice)

    assert notices == [None] * (CONFIRM_MOVE - 1) + [Notice.MOVED]
    assert state.url == new


def test_a_move_that_is_taken_back_changes_nothing() -> None:
    state = success(success(STATE, moved_to="https://a.example/").state).state
    state = success(state, moved_to="https://b.example/").state

    assert state.url == STATE.url
    assert state.moved_count == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("30s", timedelta(seconds=30)),
        ("1h30m", 1.5 * HOUR),
        ("2w", 14 * DAY),
        (" 7D ", 7 * DAY),
        ("0s", timedelta(0)),
    ],
)
def test_durations_are_read_and_written(text: str, value: timedelta) -> None:
    assert parse_duration(text) == value
    assert parse_duration(format_duration(value)) == value


@pytest.mark.parametrize("text", ["", "5", "m", "five minutes", "-5m", "5y", "9" * 30 + "w"])
def test_what_is_no_duration_says_so(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|has no unit"):
        parse_duration(text)


def test_a_move_from_https_to_http_is_followed_and_not_kept() -> None:
    """Who asks first over https can't be led astray on the way."""
    state = STATE
    for _ in range(CONFIRM_MOVE + 2):
        state = success(state, moved_to="http://sample.example/feed").state

    assert (state.url, state.moved_count) == (STATE.url, 0)
    assert success(replace(STATE, url="http://a.example/"), moved_to="https://a.example/").state.moved_count == 1  # fmt: skip


def test_hints_of_the_last_reading_hold_while_nothing_is_read() -> None:
    hints = PollHints(2 * HOUR, frozenset({3, 4}), frozenset({"sunday"}))
    read = success(hints=hints)
    unread = success(read.state)

    assert unread.reason is PollReason.TTL
    assert read_hints(read.state.hints) == hints
    assert success(unread.state, hints=PollHints()).state.hints is None


def test_an_exact_interval_is_kept_whatever_the_rhythm() -> None:
    exact = replace(BOUNDS, every=timedelta(minutes=2), exact=True)
    waits = [
        after_success(replace(STATE, newest_at=NOW - silence), now=NOW, bounds=exact, rng=Random(1))
        for silence in (timedelta(0), 300 * DAY)
    ]

    assert all(timedelta(minutes=2) <= wait(plan) <= timedelta(minutes=2.2) for plan in waits)
    assert {plan.reason for plan in waits} == {PollReason.SET}


def test_no_jitter_is_early() -> None:
    rng = Random(7)
    good = [after_success(STATE, now=NOW, bounds=BOUNDS, rng=rng) for _ in range(200)]
    bad = [after_failure(STATE, now=NOW, bounds=BOUNDS, error="x", rng=rng) for _ in range(200)]

    assert min(map(wait, [*good, *bad])) >= timedelta(minutes=15)
    assert len({wait(plan) for plan in good}) > 100


def test_while_most_feeds_fail_none_is_called_broken_and_each_is_tried_within_the_hour() -> None:
    state = STATE
    for _ in range(12):
        plan = failure(state, everywhere=True)
        state = plan.state

    assert (state.status, plan.notice) == (FeedStatus.OK, None)
    assert wait(plan) <= 1.1 * HOUR
    assert failure(state).notice is Notice.BROKEN


def test_a_reading_in_full_is_due_after_a_week_of_not_modified() -> None:
    asked = replace(STATE, etag='"x"', full_at=NOW - 9 * DAY)

    assert ask_in_full(asked, NOW)
    assert not ask_in_full(replace(asked, full_at=NOW - 7 * DAY), NOW)
    assert not ask_in_full(replace(asked, full_at=None), NOW)
    assert ask_in_full(replace(asked, full_at=NOW, full_only=True), NOW)
