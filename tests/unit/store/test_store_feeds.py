from dataclasses import replace
from datetime import timedelta

from store_samples import HOUR, NOW

from watcher.model import FeedStatus
from watcher.store.engine import Store

SPREAD = timedelta(seconds=10)
LEASE = timedelta(minutes=5)
PAIRS = [("alpha", "https://alpha.example/rss"), ("beta", "https://beta.example/rss")]


def test_new_feeds_are_due_one_after_the_other_within_the_spread(store: Store) -> None:
    with store.begin() as tx:
        tx.feeds.sync(PAIRS, NOW, SPREAD)

        states = tx.feeds.all()

    assert [s.next_poll_at - NOW for s in states] == [timedelta(0), SPREAD / 2]


def test_a_state_comes_back_as_it_was_saved(store: Store) -> None:
    with store.begin() as tx:
        tx.feeds.sync(PAIRS, NOW, SPREAD)
        state = tx.feeds.get("alpha")
        assert state is not None
        full = replace(
            state,
            status=FeedStatus.BROKEN,
            etag='W/"Zürich"',
            last_modified="Wed, 27 May 2026 06:00:00 GMT",
            last_polled_at=NOW,
            last_success_at=NOW - HOUR,
            failures=3,
            last_error="timeout",
            baseline_done=True,
            moved_to="https://alpha.example/new",
            moved_count=2,
            body_hash="abc",
            title="Alpha",
            newest_at=NOW,
        )
        tx.feeds.save(full)

        loaded = tx.feeds.get("alpha")

    assert loaded == full


def test_due_feeds_are_claimed_oldest_first_and_only_once(store: Store) -> None:
    with store.begin() as tx:
        tx.feeds.sync(PAIRS, NOW, SPREAD)
        later = NOW + SPREAD

        first = [s.feed for s in tx.feeds.claim_due(later, LEASE, 10)]
        second = tx.feeds.claim_due(later, LEASE, 10)

    assert first == ["alpha", "beta"]
    assert second == []


def test_a_claim_returns_when_its_lease_ends(store: Store) -> None:
    with store.begin() as tx:
        tx.feeds.sync(PAIRS[:1], NOW, SPREAD)
        tx.feeds.claim_due(NOW, LEASE, 10)

        again = tx.feeds.claim_due(NOW + LEASE, LEASE, 10)

    assert [s.feed for s in again] == ["alpha"]


def test_saving_ends_the_lease(store: Store) -> None:
    with store.begin() as tx:
        tx.feeds.sync(PAIRS[:1], NOW, SPREAD)
        (state,) = tx.feeds.claim_due(NOW, LEASE, 10)
        tx.feeds.save(state)

        again = tx.feeds.claim_due(NOW, LEASE, 10)

    assert again == [state]


def test_releasing_sets_the_next_poll_and_ends_the_lease(store: Store) -> None:
    with store.begin() as tx:
        tx.feeds.sync(PAIRS[:1], NOW, SPREAD)
        tx.feeds.claim_due(NOW, LEASE, 10)
        tx.feeds.release("alpha", NOW + HOUR)

        early = tx.feeds.claim_due(NOW + HOUR / 2, LEASE, 10)
        due = tx.feeds.claim_due(NOW + HOUR, LEASE, 10)

    assert early == []
    assert [s.feed for s in due] == ["alpha"]


def test_a_feed_that_is_gone_is_left_alone_until_it_is_revived(store: Store) -> None:
    with store.begin() as tx:
        tx.feeds.sync(PAIRS[:1], NOW, SPREAD)
        state = tx.feeds.get("alpha")
        assert state is not None
        tx.feeds.save(replace(state, status=FeedStatus.GONE, failures=1))

        while_gone = [*tx.feeds.claim_due(NOW, LEASE, 10), *tx.feeds.claim_all(NOW, LEASE)]
        revived = tx.feeds.revive("alpha", NOW)
        after = tx.feeds.claim_due(NOW, LEASE, 10)

    assert while_gone == []
    assert revived
    assert [(s.feed, s.status, s.failures) for s in after] == [("alpha", FeedStatus.NEW, 0)]


def test_a_removed_feed_is_not_polled_and_comes_back_with_its_past(store: Store) -> None:
    with store.begin() as tx:
        tx.feeds.sync(PAIRS, NOW, SPREAD)
        state = tx.feeds.get("beta")
        assert state is not None
        tx.feeds.save(replace(state, etag='"x"', baseline_done=True))
        tx.feeds.sync(PAIRS[:1], NOW, SPREAD)
        while_removed = [s.feed for s in tx.feeds.claim_due(NOW + HOUR, LEASE, 10)]
        tx.feeds.sync(PAIRS, NOW + HOUR, SPREAD)

        back = tx.feeds.get("beta")

    assert while_removed == ["alpha"]
    assert back is not None
    assert (back.etag, back.baseline_done) == ('"x"', True)


def test_a_changed_address_forgets_validators_and_keeps_the_baseline(store: Store) -> None:
    with store.begin() as tx:
        tx.feeds.sync(PAIRS[:1], NOW, SPREAD)
        state = tx.feeds.get("alpha")
        assert state is not None
        tx.feeds.save(replace(state, etag='"x"', body_hash="h", failures=4, baseline_done=True))
        tx.feeds.sync([("alpha", "https://alpha.example/atom")], NOW + HOUR, SPREAD)

        moved = tx.feeds.get("alpha")

    assert moved is not None
    assert moved.url == "https://alpha.example/atom"
    assert (moved.etag, moved.body_hash, moved.failures) == (None, None, 0)
    assert moved.baseline_done
    assert moved.next_poll_at == NOW + HOUR


def test_a_permanent_redirect_outlives_a_sync_with_the_same_configuration(store: Store) -> None:
    with store.begin() as tx:
        tx.feeds.sync(PAIRS[:1], NOW, SPREAD)
        state = tx.feeds.get("alpha")
        assert state is not None
        tx.feeds.save(replace(state, url="https://new.example/rss"))
        tx.feeds.sync(PAIRS[:1], NOW + HOUR, SPREAD)

        kept = tx.feeds.get("alpha")

    assert kept is not None
    assert kept.url == "https://new.example/rss"


def test_half_a_character_from_a_header_does_not_stop_a_feed(store: Store) -> None:
    with store.begin() as tx:
        tx.feeds.sync(PAIRS[:1], NOW, SPREAD)
        state = tx.feeds.get("alpha")
        assert state is not None
        tx.feeds.save(replace(state, etag='"\udcff\0"'))

        loaded = tx.feeds.get("alpha")

    assert loaded is not None
    assert loaded.etag == '"\ufffd\ufffd"'
