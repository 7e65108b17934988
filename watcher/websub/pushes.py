"""What a push is worth: whose it is, what it makes of its feed, and whether its hub is believed. Pure."""

import hmac
from dataclasses import replace
from datetime import datetime, timedelta

from watcher.websub.subscription import MISSES, State, Subscription

# Pings make a feed due, but not sooner after its last poll.
PING_SPACING = timedelta(minutes=1)
_ALGORITHMS = frozenset(("sha1", "sha256", "sha384", "sha512"))


def is_signed(body: bytes, signature: str | None, secret: str) -> bool:
    """`X-Hub-Signature: method=hex` (WebSub §7.1), compared in constant time."""
    method, _, given = (signature or "").strip().partition("=")
    if not secret or method.lower() not in _ALGORITHMS:
        return False
    right = hmac.new(secret.encode(), body, method.lower()).hexdigest()
    return hmac.compare_digest(right.encode(), given.strip().lower().encode())


def after_push(current: Subscription, *, news: bool, now: datetime) -> Subscription:
    """A push of what is known already, like a replay, proves nothing."""
    return replace(current, last_push_at=now, missed=0) if news else current


def after_ping(current: Subscription, now: datetime) -> Subscription:
    """What it was worth, the poll that follows tells."""
    return replace(current, last_push_at=now)


def after_poll(
    current: Subscription, *, news: bool, polled_before: datetime | None
) -> Subscription:
    """News that the hub has told of since the poll before is to its credit, other news is not."""
    if not news or current.state is not State.LIVE:
        return current
    told = current.last_push_at is not None and (
        polled_before is None or current.last_push_at >= polled_before
    )
    return replace(current, missed=0 if told else min(current.missed + 1, MISSES))


def ping_due(last_polled_at: datetime | None, now: datetime) -> datetime:
    """When a feed is due after a ping; a hub can't make us hammer a publisher."""
    return max(now, last_polled_at + PING_SPACING) if last_polled_at else now
