"""Whatever a hub says or doesn't say, in whatever order: it is never hammered, forgotten or believed for nothing."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from watcher.websub.subscription import (
    FIRST_WAIT,
    LONGEST_LEASE,
    SHORTEST_LEASE,
    Action,
    Named,
    Reason,
    State,
    Subscription,
    failed,
    judge,
    next_step,
    start,
)

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
TOPIC = "https://news.example/feed"
PASSED = st.timedeltas(timedelta(0), timedelta(days=40))
HEARD = st.tuples(
    st.sampled_from(["subscribe", "unsubscribe", "denied", "publish"]),
    st.sampled_from([TOPIC, "https://other.example/"]),
    st.one_of(st.none(), st.integers(-1, 10**12).map(str)),
)
EVENTS = st.lists(st.tuples(PASSED, st.one_of(st.none(), st.just("refused"), HEARD)), max_size=40)


def lives(events: list[tuple[timedelta, object]]) -> list[tuple[datetime, Subscription, Action]]:
    """The subscription after every event and every tick, with what was asked."""
    rng, now = Random(1), NOW
    current = start(Named("https://hub.example/", TOPIC), feed="f", base="", token="t", secret="s", now=NOW)  # fmt: skip
    story = []
    for passed, event in events:
        now += passed
        step = next_step(current, now, rng)
        current = step.subscription
        story.append((now, current, step.action))
        if event == "refused" and current.reason is Reason.ASKED:
            current = failed(current, Reason.REFUSED, now, rng)
        elif isinstance(event, tuple):
            mode, topic, lease = event
            verdict = judge(current, mode=mode, topic=topic, lease=lease, now=now, rng=rng)
            assert verdict.subscription is not None
            assert verdict.accepted or verdict.subscription == current
            current = verdict.subscription
        story.append((now, current, Action.WAIT))
    return story


@given(EVENTS)
def test_it_is_always_known_when_to_look_again(events: list[tuple[timedelta, object]]) -> None:
    for _, current, _ in lives(events):
        assert current.next_at is not None


@given(EVENTS)
def test_a_hub_is_never_asked_twice_within_minutes(events: list[tuple[timedelta, object]]) -> None:
    asked = [now for now, _, action in lives(events) if action is Action.SUBSCRIBE]
    soonest = min(FIRST_WAIT * 0.9, SHORTEST_LEASE * 0.7)

    assert all(later - sooner >= soonest for sooner, later in pairwise(asked))


@given(EVENTS)
def test_it_is_live_only_within_a_lease_that_was_verified(
    events: list[tuple[timedelta, object]],
) -> None:
    for now, current, _ in lives(events):
        if current.is_live(now):
            assert current.verified_at is not None
            assert current.lease_until is not None
            assert current.asked_at is not None
            assert current.lease_until - current.verified_at <= LONGEST_LEASE


@given(EVENTS)
def test_what_is_live_is_looked_at_before_its_lease_is_over(
    events: list[tuple[timedelta, object]],
) -> None:
    for now, current, _ in lives(events):
        if current.state is State.LIVE and current.is_live(now):
            assert current.next_at is not None
            assert current.lease_until is not None
            assert current.next_at <= current.lease_until
