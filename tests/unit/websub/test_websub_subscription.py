"""What is asked of a hub and when, and which of its words are taken."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from watcher.websub.subscription import (
    ACCEPT_WITHIN,
    ASK_AGAIN,
    CHANGE_AFTER,
    GIVE_UP_AFTER,
    LONGEST_LEASE,
    UNSAID_LEASE,
    VERIFY_WITHIN,
    Action,
    Named,
    Reason,
    State,
    Step,
    Subscription,
    Verdict,
    failed,
    is_changed,
    judge,
    leave,
    may_do_without_tls,
    next_step,
    prefer_tls,
    read_lease,
    start,
    without_tls,
)

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
HUB, TOPIC = "https://hub.example/", "https://news.example/feed"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def new(hub: str = HUB, topic: str = TOPIC) -> Subscription:
    named = Named(hub, topic)
    return start(named, feed="news", base="https://me.example", token="t", secret="s", now=NOW)


def step(subscription: Subscription, at: datetime = NOW) -> Step:
    return next_step(subscription, at, Random(1))


def heard(
    subscription: Subscription,
    mode: str = "subscribe",
    topic: str = TOPIC,
    lease: str | None = "864000",
    at: datetime = NOW,
) -> Verdict:
    return judge(subscription, mode=mode, topic=topic, lease=lease, now=at, rng=Random(1))


def pending() -> Subscription:
    return step(new()).subscription


def live(lease: str = "864000") -> Subscription:
    verified = heard(pending(), lease=lease).subscription
    assert verified is not None
    return verified


def test_a_feed_without_a_hub_asks_for_nothing() -> None:
    none = new("", "")

    assert (none.state, step(none, NOW + 100 * DAY).action) == (State.NONE, Action.WAIT)


def test_a_new_subscription_is_asked_for_at_once_and_noted_as_asked() -> None:
    asked = step(new())

    assert (asked.action, asked.reason) == (Action.SUBSCRIBE, Reason.NEW)
    assert (asked.subscription.state, asked.subscription.asked_at) == (State.PENDING, NOW)


def test_a_verified_subscription_is_live_until_its_lease_ends() -> None:
    assert not pending().is_live(NOW)
    assert live().is_live(NOW + 10 * DAY - HOUR)
    assert not live().is_live(NOW + 10 * DAY)


def test_it_is_renewed_well_before_the_end_and_stays_live_meanwhile() -> None:
    renewal = live().next_at
    assert renewal is not None
    asked = step(live(), renewal)

    assert 7 * DAY <= renewal - NOW <= 8 * DAY
    assert (asked.action, asked.reason) == (Action.SUBSCRIBE, Reason.RENEWAL)
    assert asked.subscription.is_live(renewal)


def test_renewals_of_many_feeds_do_not_come_together() -> None:
    times = set()
    for n in range(9):
        verdict = judge(
            pending(), mode="subscribe", topic=TOPIC, lease="864000", now=NOW, rng=Random(n)
        )
        assert verdict.subscription is not None
        times.add(verdict.subscription.next_at)

    assert len(times) == 9


def test_a_renewal_without_an_answer_is_tried_again_until_the_lease_is_over() -> None:
    now, subscription, asked = NOW, live(), 0
    while subscription.is_live(now):
        assert subscription.next_at is not None
        now = subscription.next_at
        done = step(subscription, now)
        asked += done.action is Action.SUBSCRIBE and done.reason is Reason.RENEWAL
        subscription = done.subscription

    assert asked >= 3
    assert now <= NOW + 10 * DAY
    assert subscription.state is State.PENDING


def test_a_hub_that_does_not_verify_is_asked_again_later_and_later_then_weekly() -> None:
    now, subscription = NOW, new()
    asked: list[datetime] = []
    while len(asked) < GIVE_UP_AFTER + 2:
        assert subscription.next_at is not None
        now = subscription.next_at
        done = step(subscription, now)
        if done.action is Action.SUBSCRIBE:
            asked.append(now)
        subscription = done.subscription
    waits = [later - sooner for sooner, later in pairwise(asked)]

    assert waits[0] < 2 * HOUR
    assert all(wait <= VERIFY_WITHIN + 7 * HOUR for wait in waits[: GIVE_UP_AFTER - 1])
    assert all(wait > ASK_AGAIN * 0.9 for wait in waits[GIVE_UP_AFTER - 1 :])


def test_a_hub_that_was_given_up_is_named() -> None:
    gone = pending()
    for _ in range(GIVE_UP_AFTER):
        gone = failed(gone, Reason.REFUSED, NOW, Random(1))

    assert (gone.state, gone.reason) == (State.GIVEN_UP, Reason.REFUSED)


def test_retry_after_is_obeyed_when_it_is_longer() -> None:
    put_off = failed(pending(), Reason.REFUSED, NOW, Random(1), timedelta(hours=5))

    assert put_off.next_at == NOW + 5 * HOUR


@pytest.mark.parametrize("topic", ["https://news.example/other", TOPIC + "/", TOPIC.upper(), ""])
def test_a_verification_of_another_topic_is_refused(topic: str) -> None:
    verdict = heard(pending(), topic=topic)

    assert (verdict.accepted, verdict.reason) == (False, Reason.OTHER_TOPIC)
    assert verdict.subscription == pending()


def test_a_verification_nobody_asked_for_is_refused() -> None:
    assert heard(new()).reason is Reason.NOT_ASKED
    assert heard(live(), at=NOW + ACCEPT_WITHIN + HOUR).reason is Reason.NOT_ASKED


def test_nobody_else_can_unsubscribe_us() -> None:
    verdict = heard(live(), mode="unsubscribe")

    assert (verdict.accepted, verdict.subscription) == (False, live())


def test_a_hub_may_repeat_its_verification() -> None:
    assert heard(live(), at=NOW + HOUR).accepted


def test_a_late_verification_is_still_taken() -> None:
    unverified = step(pending(), NOW + VERIFY_WITHIN).subscription
    late = heard(unverified, at=NOW + 5 * HOUR)

    assert (unverified.state, unverified.reason) == (State.DUE, Reason.UNVERIFIED)
    assert late.subscription is not None
    assert late.subscription.is_live(NOW + 5 * HOUR)


@pytest.mark.parametrize("lease", ["0", "1", "299", "-600", "1e9", "ten", "", "٣٦٠٠", "9" * 50])
def test_leases_that_are_none_are_refused(lease: str) -> None:
    assert heard(pending(), lease=lease).reason is Reason.BAD_LEASE


def test_leases_are_cut_to_a_month_and_assumed_to_be_a_day() -> None:
    assert read_lease("999999999999") == LONGEST_LEASE
    assert read_lease(None) == UNSAID_LEASE


@pytest.mark.parametrize("mode", ["publish", "", "SUBSCRIBE"])
def test_other_modes_are_refused(mode: str) -> None:
    assert heard(pending(), mode=mode).reason is Reason.BAD_MODE


def test_a_denial_ends_it_even_when_live_and_it_is_asked_for_in_a_week() -> None:
    denied = heard(live(), mode="denied").subscription
    assert denied is not None

    assert (denied.state, denied.is_live(NOW)) == (State.DENIED, False)
    assert step(denied, NOW + DAY).action is Action.WAIT
    assert step(denied, NOW + 8 * DAY).action is Action.SUBSCRIBE


def test_a_denial_cannot_be_taken_back_by_an_old_verification() -> None:
    denied = heard(live(), mode="denied").subscription
    assert denied is not None

    assert heard(denied).reason is Reason.NOT_ASKED


def test_another_hub_or_topic_takes_its_place_but_not_at_every_poll() -> None:
    other = Named("https://hub.example/2", TOPIC)

    assert not is_changed(live(), Named(HUB, TOPIC), NOW + DAY)
    assert not is_changed(live(), other, NOW + CHANGE_AFTER - timedelta(minutes=1))
    assert is_changed(live(), other, NOW + CHANGE_AFTER)
    assert is_changed(live(), Named(), NOW + CHANGE_AFTER)
    assert is_changed(new("", ""), other, NOW)


def test_leaving_is_asked_for_and_ends_with_the_hubs_word() -> None:
    leaving = leave(live(), Reason.UNWANTED, NOW)
    assert leaving is not None
    asked = step(leaving)

    assert asked.action is Action.UNSUBSCRIBE
    assert not asked.subscription.is_live(NOW)
    assert heard(asked.subscription, mode="unsubscribe", lease=None).subscription is None
    assert heard(asked.subscription).reason is Reason.NOT_ASKED


def test_leaving_a_hub_that_is_dead_comes_to_an_end() -> None:
    leaving, steps = leave(live(), Reason.UNWANTED, NOW), 0
    assert leaving is not None
    done = step(leaving)
    while done.action is not Action.FORGET:
        assert done.subscription.next_at is not None
        steps += 1
        done = step(done.subscription, done.subscription.next_at)

    assert steps == 3


def test_what_was_never_asked_for_needs_no_leaving() -> None:
    assert leave(new(), Reason.UNWANTED, NOW) is None


@pytest.mark.parametrize(
    ("hub", "asked"),
    [
        ("http://hub.example/x?y", "https://hub.example/x?y"),
        ("https://hub.example/", "https://hub.example/"),
        ("http://hub.example:8080/", "http://hub.example:8080/"),
        ("http://127.0.0.1/", "http://127.0.0.1/"),
        ("", ""),
    ],
)
def test_hubs_are_asked_over_tls_when_they_may_speak_it(hub: str, asked: str) -> None:
    assert prefer_tls(hub) == asked


def test_only_a_hub_named_without_tls_is_asked_in_clear_and_then_without_a_secret() -> None:
    plain = without_tls(new("http://hub.example/"), NOW)
    proven = replace(new("http://hub.example/"), verified_at=NOW)

    assert may_do_without_tls(new("http://hub.example/"))
    assert not may_do_without_tls(new(HUB))
    assert not may_do_without_tls(proven)
    assert (plain.address, plain.secret) == ("http://hub.example/", "")


def test_neither_token_nor_secret_show_when_printed() -> None:
    shown = repr(replace(new(), token="unguessable", secret="hush"))

    assert "unguessable" not in shown
    assert "hush" not in shown
