"""Subscriptions between restarts, and feeds that are polled sooner."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from watcher.model import FeedStatus
from watcher.store.engine import Store
from watcher.websub.subscription import Reason, State, Subscription

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
LIVE = Subscription(
    "token", "news", "https://hub.example/", "https://news.example/", "https://me.example",
    "secret", NOW, State.LIVE, Reason.VERIFIED, NOW, NOW, NOW, NOW + timedelta(days=10),
    1, NOW, 2, 3, False,
)  # fmt: skip


def test_a_subscription_comes_back_as_it_was(store: Store) -> None:
    with store.begin() as tx:
        tx.subscriptions.save(LIVE)

        assert tx.subscriptions.all() == [LIVE]


def test_saving_again_replaces_and_removing_twice_is_no_error(store: Store) -> None:
    with store.begin() as tx:
        tx.subscriptions.save(replace(LIVE, token="other", state=State.LEAVING))
        tx.subscriptions.save(LIVE)
        tx.subscriptions.save(replace(LIVE, state=State.DENIED, lease_until=None))
        tx.subscriptions.remove("other")
        tx.subscriptions.remove("other")

        assert [s.state for s in tx.subscriptions.all()] == [State.DENIED]


def test_a_healthy_feed_is_made_due_sooner_and_never_later(store: Store) -> None:
    with store.begin() as tx:
        tx.feeds.sync([("news", "https://news.example/")], NOW, timedelta(0))
        state = tx.feeds.get("news")
        assert state is not None
        tx.feeds.save(replace(state, next_poll_at=NOW + timedelta(hours=1)))

        assert tx.feeds.hurry("news", NOW)
        assert not tx.feeds.hurry("news", NOW + timedelta(minutes=5))
        assert [s.feed for s in tx.feeds.claim_due(NOW, timedelta(minutes=5), 9)] == ["news"]


def test_a_feed_in_trouble_keeps_its_pause(store: Store) -> None:
    with store.begin() as tx:
        tx.feeds.sync([("news", "https://news.example/")], NOW, timedelta(0))
        state = tx.feeds.get("news")
        assert state is not None
        later = NOW + timedelta(hours=1)
        tx.feeds.save(replace(state, next_poll_at=later, failures=1))
        failing = tx.feeds.hurry("news", NOW)
        tx.feeds.save(replace(state, next_poll_at=later, status=FeedStatus.GONE))

        assert not failing
        assert not tx.feeds.hurry("news", NOW)
        assert not tx.feeds.hurry("unknown", NOW)


def test_only_live_leases_count_as_pushed(store: Store) -> None:
    with store.begin() as tx:
        tx.subscriptions.save(LIVE)
        tx.subscriptions.save(replace(LIVE, token="b", feed="over", lease_until=NOW))
        tx.subscriptions.save(replace(LIVE, token="c", feed="asked", state=State.PENDING))

        assert tx.subscriptions.pushed(NOW) == {"news": NOW + timedelta(days=10)}
        assert tx.subscriptions.counts(NOW) == {
            "due": 1,
            "live": 1,
            "pending": 1,
            "forged pushes": 9,
        }
