"""What a push is worth."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from watcher.websub.pushes import (
    PING_SPACING,
    after_ping,
    after_poll,
    after_push,
    is_signed,
    ping_due,
)
from watcher.websub.subscription import MISSES, Named, Subscription, judge, next_step, start

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BODY = b"<rss/>"


def live() -> Subscription:
    named = Named("https://hub.example/", "https://news.example/feed")
    new = start(named, feed="news", base="", token="t", secret="s", now=NOW)
    pending = next_step(new, NOW, Random(1)).subscription
    verified = judge(pending, mode="subscribe", topic=named.topic, lease="864000", now=NOW, rng=Random(1)).subscription  # fmt: skip
    assert verified is not None
    return verified


def sign(method: str, secret: str = "s", body: bytes = BODY) -> str:
    return f"{method}={hmac.new(secret.encode(), body, method).hexdigest()}"


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_signatures_of_all_four_algorithms_hold(method: str) -> None:
    assert is_signed(BODY, sign(method), "s")
    assert is_signed(BODY, sign(method).upper().replace("SHA", "sha"), "s")


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256",
        "sha256=",
        "=" + hashlib.sha256(BODY).hexdigest(),
        "sha256=" + hashlib.sha256(BODY).hexdigest(),
        sign("sha256", secret="other"),
        sign("sha256", body=b"<rss></rss>"),
        sign("sha256")[:-1],
        sign("sha256").replace("sha256", "sha1"),
        sign("md5"),
        "sha256=ü",
    ],
)
def test_every_other_signature_does_not(signature: str | None) -> None:
    assert not is_signed(BODY, signature, "s")


def test_without_a_secret_nothing_is_signed() -> None:
    assert not is_signed(BODY, sign("sha256", secret=""), "")


def test_a_hub_is_believed_after_its_first_push_of_news() -> None:
    known = after_push(live(), news=False, now=NOW)
    pushed = after_push(live(), news=True, now=NOW)

    assert not live().is_trusted(NOW)
    assert not known.is_trusted(NOW)
    assert not after_ping(live(), NOW).is_trusted(NOW)
    assert pushed.is_trusted(NOW)


def test_a_hub_is_not_believed_any_more_when_polls_find_what_it_did_not_tell() -> None:
    subscription = after_push(live(), news=True, now=NOW)
    polled = NOW + HOUR
    for _ in range(MISSES):
        assert subscription.is_trusted(polled)
        subscription = after_poll(subscription, news=True, polled_before=polled)
        polled += HOUR

    assert not subscription.is_trusted(polled)
    assert after_push(subscription, news=True, now=polled).is_trusted(polled)


def test_polls_without_news_and_news_it_has_told_of_are_not_held_against_it() -> None:
    missed = after_poll(after_push(live(), news=True, now=NOW), news=True, polled_before=NOW + HOUR)
    pinged = after_ping(missed, NOW + 3 * HOUR)

    assert after_poll(missed, news=False, polled_before=NOW + HOUR) == missed
    assert after_poll(pinged, news=True, polled_before=NOW + 2 * HOUR).missed == 0


def test_a_ping_is_believed_when_the_poll_that_follows_finds_news() -> None:
    pinged = after_ping(live(), NOW)

    assert not after_poll(pinged, news=False, polled_before=NOW - HOUR).is_trusted(NOW)
    assert after_poll(pinged, news=True, polled_before=NOW - HOUR).is_trusted(NOW)


def test_a_ping_makes_the_feed_due_but_never_hammers_it() -> None:
    assert ping_due(None, NOW) == NOW
    assert ping_due(NOW - HOUR, NOW) == NOW
    assert ping_due(NOW - PING_SPACING / 2, NOW) == NOW + PING_SPACING / 2
