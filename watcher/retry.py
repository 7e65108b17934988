"""When a failed delivery is tried again. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

# Svix's and Standard Webhooks' shape: quick at first, patient later.
STEPS = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
)
GIVE_UP_AFTER = timedelta(days=5)


class Action(StrEnum):
    RETRY = "retry"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """What happens to the notification; `due_at` is meaningless for `DEAD`."""

    action: Action
    due_at: datetime
    reason: str


def plan_retry(
    *,
    attempt: int,
    created_at: datetime,
    now: datetime,
    temporary: bool,
    retry_after: timedelta | None,
    rng: Random,
) -> RetryPlan:
    """`attempt` counts from 1; the wait grows with it, with jitter of ±25 %, never below `retry_after`."""
    if not temporary:
        return RetryPlan(Action.DEAD, now, "permanent")
    step = STEPS[min(max(attempt, 1), len(STEPS)) - 1]
    wait = step * rng.uniform(0.75, 1.25)
    reason = "backoff"
    if retry_after is not None and retry_after > wait:
        wait, reason = retry_after, "retry_after"
    if now + wait > created_at + GIVE_UP_AFTER:
        return RetryPlan(Action.DEAD, now, "gave_up")
    return RetryPlan(Action.RETRY, now + wait, reason)
