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
# Postfix keeps a message for five days; whoever mends a mail server over a weekend gets it all.
GIVE_UP_AFTER = timedelta(days=5)
# Peers send any number there; one bad header must not silence a receiver for years.
LONGEST_RETRY_AFTER = timedelta(days=1)

# So many failures in a row are the receiver's, not a message's.
TRIP_AFTER = 3
# A receiver that is back is noticed within this.
LONGEST_REST = timedelta(minutes=10)
TELL_AFTER = 6


class Action(StrEnum):
    RETRY = "retry"
    DEAD = "dead"


class RetryReason(StrEnum):
    BACKOFF = "backoff"
    RETRY_AFTER = "retry_after"
    PERMANENT = "permanent"
    GAVE_UP = "gave_up"


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """What happens to the notification; `due_at` is meaningless for `DEAD`."""

    action: Action
    due_at: datetime
    reason: RetryReason


def plan_retry(
    *,
    attempt: int,
    created_at: datetime,
    now: datetime,
    temporary: bool,
    retry_after: timedelta | None,
    rng: Random,
) -> RetryPlan:
    """`attempt` counts from 1; the wait grows with it, with jitter of ±25 %.

    What the peer asked for is waited in full, up to `LONGEST_RETRY_AFTER`. Age alone never
    kills: a message that lay still while the daemon was down gets all its attempts first.
    """
    if not temporary:
        return RetryPlan(Action.DEAD, now, RetryReason.PERMANENT)
    step = STEPS[min(max(attempt, 1), len(STEPS)) - 1]
    wait, reason = step * rng.uniform(0.75, 1.25), RetryReason.BACKOFF
    asked = min(retry_after or timedelta(0), LONGEST_RETRY_AFTER)
    if asked > wait:
        wait, reason = asked, RetryReason.RETRY_AFTER
    if attempt >= len(STEPS) and now + wait > created_at + GIVE_UP_AFTER:
        return RetryPlan(Action.DEAD, now, RetryReason.GAVE_UP)
    return RetryPlan(Action.RETRY, now + wait, reason)


def rest_until(failures: int, now: datetime, rng: Random) -> datetime | None:
    """How long a receiver is left alone after `failures` in a row; None when it isn't.

    What waits behind is not tried meanwhile: its attempts, and the peer, are spared.
    """
    if failures < TRIP_AFTER:
        return None
    step = STEPS[min(failures - TRIP_AFTER + 1, len(STEPS) - 1)]
    return now + min(step, LONGEST_REST) * rng.uniform(0.75, 1.25)
