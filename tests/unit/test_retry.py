"""When failed deliveries are tried again, and when they are given up."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.retry import (
    GIVE_UP_AFTER,
    LONGEST_RETRY_AFTER,
    STEPS,
    Action,
    RetryPlan,
    RetryReason,
    plan_retry,
    rest_until,
)

NOW = datetime(2026, 5, 27, 6, 0, tzinfo=UTC)


def plan(**changes: Any) -> RetryPlan:
    facts: dict[str, Any] = {
        "attempt": 1,
        "created_at": NOW,
        "now": NOW,
        "temporary": True,
        "retry_after": None,
        "rng": Random(1),
    }
    return plan_retry(**(facts | changes))


@pytest.mark.parametrize("attempt", range(1, 12))
def test_the_wait_grows_with_the_attempt_and_then_stays(attempt: int) -> None:
    step = STEPS[min(attempt, len(STEPS)) - 1]

    wait = plan(attempt=attempt).due_at - NOW

    assert step * 0.75 <= wait <= step * 1.25


def test_messages_that_failed_together_do_not_return_together() -> None:
    rng = Random(7)
    waits = {plan(rng=rng, attempt=4).due_at for _ in range(20)}

    assert len(waits) == 20


def test_a_permanent_failure_is_dead_at_once() -> None:
    decided = plan(temporary=False, retry_after=timedelta(seconds=1))

    assert (decided.action, decided.reason) == (Action.DEAD, RetryReason.PERMANENT)


def test_the_peers_wish_is_waited_in_full() -> None:
    decided = plan(retry_after=timedelta(minutes=30))

    assert decided == RetryPlan(Action.RETRY, NOW + timedelta(minutes=30), RetryReason.RETRY_AFTER)


@pytest.mark.parametrize("asked", [timedelta(0), timedelta(seconds=-5), timedelta(seconds=1)])
def test_a_wish_shorter_than_the_backoff_changes_nothing(asked: timedelta) -> None:
    assert plan(retry_after=asked).reason is RetryReason.BACKOFF


def test_an_absurd_wish_is_cut_to_a_day() -> None:
    decided = plan(retry_after=timedelta(seconds=999_999_999))

    assert decided.action is Action.RETRY
    assert decided.due_at == NOW + LONGEST_RETRY_AFTER


def test_after_five_days_of_trying_it_is_given_up() -> None:
    attempt, now = 1, NOW
    rng = Random(3)
    while (decided := plan(attempt=attempt, now=now, rng=rng)).action is Action.RETRY:
        attempt, now = attempt + 1, decided.due_at

    assert decided.reason is RetryReason.GAVE_UP
    assert timedelta(days=4, hours=18) < now - NOW <= GIVE_UP_AFTER
    assert attempt < 60


def test_a_message_that_lay_still_for_a_week_gets_all_its_attempts() -> None:
    late = NOW + timedelta(days=7)

    actions = [plan(attempt=n, now=late).action for n in range(1, len(STEPS) + 1)]

    assert actions == [Action.RETRY] * (len(STEPS) - 1) + [Action.DEAD]


@given(
    attempt=st.integers(-1, 10_000),
    age=st.integers(-(10**6), 10**7),
    retry_after=st.one_of(st.none(), st.integers(-(10**9), 10**9)),
    temporary=st.booleans(),
    seed=st.integers(),
)
def test_a_retry_is_always_in_the_future_and_within_a_day(
    attempt: int, age: int, retry_after: int | None, temporary: bool, seed: int
) -> None:
    decided = plan(
        attempt=attempt,
        created_at=NOW - timedelta(seconds=age),
        retry_after=None if retry_after is None else timedelta(seconds=retry_after),
        temporary=temporary,
        rng=Random(seed),
    )

    if decided.action is Action.RETRY:
        assert NOW < decided.due_at <= NOW + LONGEST_RETRY_AFTER


def test_a_receiver_rests_after_three_failures_in_a_row_and_ten_minutes_at_most() -> None:
    rests = [rest_until(n, NOW, Random(1)) for n in range(1, 30)]

    assert rests[:2] == [None, None]
    assert all(r is not None and NOW < r <= NOW + timedelta(minutes=12.5) for r in rests[2:])
