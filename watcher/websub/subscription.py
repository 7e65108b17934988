"""Subscriptions at hubs (W3C WebSub): what one is, and what is done about it when. Pure.

A hub only ever adds speed. The feed is still polled, less often while pushes prove themselves, so
a hub that lies, dies or forgets us costs minutes and never news.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from urllib.parse import urlsplit

# What we ask for, and what we take: the hub decides, within reason.
LEASE = timedelta(days=10)
SHORTEST_LEASE = timedelta(minutes=5)
LONGEST_LEASE = timedelta(days=30)
# A hub that names none (as before WebSub 1.0) may have forgotten us tomorrow.
UNSAID_LEASE = timedelta(days=1)
# A hub has this long to verify before the request counts as failed; a later one is still taken.
VERIFY_WITHIN = timedelta(hours=1)
ACCEPT_WITHIN = timedelta(days=1)
FIRST_WAIT = timedelta(minutes=10)
MAX_WAIT = timedelta(hours=12)
GIVE_UP_AFTER = 6
ASK_AGAIN = timedelta(days=7)
LEAVE_TRIES = 3
# A feed that names another hub each time makes us ask nobody more often than this.
CHANGE_AFTER = timedelta(hours=1)
# Polls in a row that found news which no push brought, until the hub is not believed.
MISSES = 3


class State(StrEnum):
    """Where a subscription stands."""

    NONE = "none"
    DUE = "due"
    PENDING = "pending"
    LIVE = "live"
    DENIED = "denied"
    GIVEN_UP = "given_up"
    LEAVING = "leaving"


class Reason(StrEnum):
    """Why it stands there, or why a hub's request is turned down."""

    NO_HUB = "no_hub"
    NEW = "new"
    RENEWAL = "renewal"
    ASKED = "asked"
    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    NO_TLS = "no_tls"
    DENIED = "denied"
    LAPSED = "lapsed"
    CHANGED = "changed"
    UNWANTED = "unwanted"
    LEFT = "left"
    OTHER_TOPIC = "other_topic"
    NOT_ASKED = "not_asked"
    BAD_LEASE = "bad_lease"
    BAD_MODE = "bad_mode"
    NOT_YET = "not_yet"


class Action(StrEnum):
    WAIT = "wait"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class Named:
    """The hub and topic that a feed names; both empty when it names no hub."""

    hub: str = ""
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One topic at one hub for one feed; `token` is the unguessable part of its callback.

    `hub` is as the feed names it, `base` the public address the callback was made of. Without a
    `secret` pushes are pings. `missed` counts polls in a row that found news which no push had
    brought, `ignored` forged pushes.
    """

    token: str = field(repr=False)
    feed: str
    hub: str
    topic: str
    base: str
    secret: str = field(repr=False)
    since: datetime
    state: State = State.NONE
    reason: Reason = Reason.NO_HUB
    next_at: datetime | None = None
    asked_at: datetime | None = None
    verified_at: datetime | None = None
    lease_until: datetime | None = None
    failures: int = 0
    last_push_at: datetime | None = None
    missed: int = MISSES
    ignored: int = 0
    tls: bool = True

    @property
    def address(self) -> str:
        """Where the hub is asked (WebSub §8.2): over TLS, even when the feed names it without."""
        return prefer_tls(self.hub) if self.tls else self.hub

    def is_live(self, now: datetime) -> bool:
        """Pushes are taken."""
        return self.state is State.LIVE and self.lease_until is not None and now < self.lease_until

    def is_trusted(self, now: datetime) -> bool:
        """The feed may be polled rarely: its hub told of news, and polls found little else."""
        return self.is_live(now) and self.missed < MISSES


@dataclass(frozen=True, slots=True)
class Step:
    """What to do now, and the subscription as it is then."""

    action: Action
    subscription: Subscription
    reason: Reason = Reason.NOT_YET


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a hub's verification; `subscription` is None when it is over."""

    accepted: bool
    reason: Reason
    subscription: Subscription | None


# ── what a feed names ────────────────────────────────────────────────────────


def start(
    named: Named, *, feed: str, base: str, token: str, secret: str, now: datetime
) -> Subscription:
    """A feed was looked at for the first time, or names something else than before."""
    fresh = Subscription(token, feed, named.hub, named.topic, base, secret, now)
    if not named.hub:
        return fresh
    return replace(fresh, state=State.DUE, reason=Reason.NEW, next_at=now)


def is_changed(current: Subscription, named: Named, now: datetime) -> bool:
    """Whether another subscription must take this one's place, and may by now."""
    if named == Named(current.hub, current.topic):
        return False
    return current.state is State.NONE or now - current.since >= CHANGE_AFTER


def leave(current: Subscription, reason: Reason, now: datetime) -> Subscription | None:
    """None when the hub knows nothing of it."""
    if current.asked_at is None:
        return None
    return replace(current, state=State.LEAVING, reason=reason, next_at=now, failures=0)


def prefer_tls(hub: str) -> str:
    """The same name on the usual port of TLS; addresses and ports of their own stay as they are."""
    parts = urlsplit(hub)
    is_name = parts.netloc == parts.hostname and not parts.netloc[-1:].isdigit()
    return parts._replace(scheme="https").geturl() if parts.scheme == "http" and is_name else hub


def may_do_without_tls(current: Subscription) -> bool:
    """Only a hub that was named without it and never answered with it: no outage lowers the guard."""
    return current.address != current.hub and current.verified_at is None


def without_tls(current: Subscription, now: datetime) -> Subscription:
    """Asked in clear from now on: the hub gets no secret, and its pushes are pings."""
    plain = replace(current, tls=False, secret="")
    return replace(plain, state=State.DUE, reason=Reason.NO_TLS, next_at=now)


# ── asking ───────────────────────────────────────────────────────────────────


def next_step(current: Subscription, now: datetime, rng: Random) -> Step:
    """What the clock brings about; what is asked for is already noted as asked."""
    if current.next_at is None or now < current.next_at:
        return Step(Action.WAIT, current)
    if current.state is State.LEAVING:
        return _leaving(current, now, rng)
    if current.state is State.LIVE and not current.is_live(now):
        return Step(Action.SUBSCRIBE, asked(current, now), Reason.LAPSED)
    if current.reason is Reason.ASKED:
        unanswered = failed(current, Reason.UNVERIFIED, now, rng)
        return Step(Action.WAIT, unanswered, Reason.UNVERIFIED)
    why = Reason.RENEWAL if current.state is State.LIVE else current.reason
    return Step(Action.SUBSCRIBE, asked(current, now), why)


def _leaving(current: Subscription, now: datetime, rng: Random) -> Step:
    over = current.lease_until is not None and current.lease_until <= now
    if over or current.failures >= LEAVE_TRIES:
        return Step(Action.FORGET, current, Reason.LAPSED if over else Reason.UNVERIFIED)
    wait = _wait(current.failures, rng)
    again = replace(current, failures=current.failures + 1, asked_at=now, next_at=now + wait)
    return Step(Action.UNSUBSCRIBE, again, current.reason)


def asked(current: Subscription, now: datetime) -> Subscription:
    """Noted before the request is sent: a hub may verify before it answers."""
    state = State.LIVE if current.is_live(now) else State.PENDING
    return _within_lease(
        replace(
            current, state=state, reason=Reason.ASKED, asked_at=now, next_at=now + VERIFY_WITHIN
        )
    )


def failed(
    current: Subscription,
    reason: Reason,
    now: datetime,
    rng: Random,
    retry_after: timedelta | None = None,
) -> Subscription:
    """The hub refused, could not be reached or did not verify; it is asked again, later and later."""
    failures = current.failures + 1
    known = replace(current, reason=reason, failures=failures)
    wait = max(_wait(failures - 1, rng), retry_after or timedelta(0))
    if current.is_live(now):
        return _within_lease(replace(known, next_at=now + wait))
    if failures >= GIVE_UP_AFTER:
        later = now + ASK_AGAIN * rng.uniform(0.9, 1.1)
        return replace(known, state=State.GIVEN_UP, next_at=later)
    return replace(known, state=State.DUE, next_at=now + wait)


def _wait(failures: int, rng: Random) -> timedelta:
    return min(FIRST_WAIT * (1 << min(failures, 12)), MAX_WAIT) * rng.uniform(0.9, 1.1)


def _within_lease(current: Subscription) -> Subscription:
    """What is live is looked at again at the end of its lease at the latest."""
    if current.state is State.LIVE and current.lease_until and current.next_at:
        return replace(current, next_at=min(current.next_at, current.lease_until))
    return current


# ── what a hub says ──────────────────────────────────────────────────────────


def judge(
    current: Subscription,
    *,
    mode: str,
    topic: str,
    lease: str | None,
    now: datetime,
    rng: Random,
) -> Verdict:
    """Verification of intent (WebSub §5.3), or a denial (§5.2), against what we asked for."""
    if topic != current.topic:
        return Verdict(False, Reason.OTHER_TOPIC, current)
    if mode == "denied":
        return Verdict(True, Reason.DENIED, _denied(current, now, rng))
    recently = current.asked_at is not None and now - current.asked_at <= ACCEPT_WITHIN
    if mode not in {"subscribe", "unsubscribe"}:
        return Verdict(False, Reason.BAD_MODE, current)
    wanted = "unsubscribe" if current.state is State.LEAVING else "subscribe"
    if mode != wanted or not recently or current.state in {State.NONE, State.DENIED}:
        return Verdict(False, Reason.NOT_ASKED, current)
    if mode == "unsubscribe":
        return Verdict(True, Reason.LEFT, None)
    granted = read_lease(lease)
    if granted is None:
        return Verdict(False, Reason.BAD_LEASE, current)
    return Verdict(True, Reason.VERIFIED, _verified(current, granted, now, rng))


def _denied(current: Subscription, now: datetime, rng: Random) -> Subscription:
    if current.state in {State.LEAVING, State.NONE}:
        return current
    later = now + ASK_AGAIN * rng.uniform(0.9, 1.1)
    return replace(
        current, state=State.DENIED, reason=Reason.DENIED, lease_until=None, next_at=later
    )


def _verified(current: Subscription, lease: timedelta, now: datetime, rng: Random) -> Subscription:
    return replace(
        current,
        state=State.LIVE,
        reason=Reason.VERIFIED,
        verified_at=now,
        lease_until=now + lease,
        next_at=now + lease * rng.uniform(0.7, 0.8),
        failures=0,
    )


def read_lease(text: str | None) -> timedelta | None:
    """Cut to a month; None when it is no number, or too short to be worth a renewal."""
    if text is None:
        return UNSAID_LEASE
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        return None
    lease = timedelta(seconds=min(int(text), int(LONGEST_LEASE.total_seconds())))
    return lease if lease >= SHORTEST_LEASE else None
