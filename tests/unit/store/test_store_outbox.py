from dataclasses import replace
from datetime import timedelta

import pytest
from store_samples import HOUR, NOW, notification

from watcher.model import NotificationState
from watcher.store.engine import Store

LEASE = timedelta(minutes=15)


def test_a_message_is_frozen_once(store: Store) -> None:
    with store.begin() as tx:
        first = tx.outbox.enqueue(notification())
        second = tx.outbox.enqueue(notification(subject="changed", payload={}))

        stored = tx.outbox.get("k1")

    assert (first, second) == (True, False)
    assert stored == notification()


def test_a_claim_is_an_attempt_with_a_lease(store: Store) -> None:
    with store.begin() as tx:
        tx.outbox.enqueue(notification())

        (claimed,) = tx.outbox.claim_due(NOW, LEASE, 10)
        again = tx.outbox.claim_due(NOW, LEASE, 10)

    assert claimed == replace(
        notification(), attempt=1, state=NotificationState.LEASED, lease_until=NOW + LEASE
    )
    assert again == []


def test_claims_come_oldest_first_within_limit_and_receivers(store: Store) -> None:
    with store.begin() as tx:
        tx.outbox.enqueue(notification("k3", due_at=NOW))
        tx.outbox.enqueue(notification("k1", due_at=NOW - 2 * HOUR))
        tx.outbox.enqueue(notification("k2", due_at=NOW - HOUR, receiver="slack"))
        tx.outbox.enqueue(notification("later", due_at=NOW + HOUR))

        receivers = tx.outbox.due_receivers(NOW)
        slack = [n.key for n in tx.outbox.claim_due(NOW, LEASE, 10, receivers=["slack"])]
        one = [n.key for n in tx.outbox.claim_due(NOW, LEASE, 1)]
        rest = [n.key for n in tx.outbox.claim_due(NOW, LEASE, 10)]

    assert receivers == ["mail", "slack"]
    assert (slack, one, rest) == (["k2"], ["k1"], ["k3"])


def test_an_expired_lease_gives_the_message_to_the_next_attempt(store: Store) -> None:
    with store.begin() as tx:
        tx.outbox.enqueue(notification())
        tx.outbox.claim_due(NOW, LEASE, 10)

        (again,) = tx.outbox.claim_due(NOW + LEASE, LEASE, 10)

    assert again.attempt == 2


@pytest.mark.parametrize("outcome", ["sent", "retry", "dead", "release"])
def test_a_late_finisher_is_fenced_by_its_attempt(store: Store, outcome: str) -> None:
    with store.begin() as tx:
        tx.outbox.enqueue(notification())
        tx.outbox.claim_due(NOW, LEASE, 10)
        tx.outbox.claim_due(NOW + LEASE, LEASE, 10)

        late = {
            "sent": lambda: tx.outbox.sent("k1", 1, NOW + HOUR, "ok"),
            "retry": lambda: tx.outbox.retry("k1", 1, NOW, "timeout", NOW + HOUR),
            "dead": lambda: tx.outbox.dead("k1", 1, "refused", NOW + HOUR),
            "release": lambda: tx.outbox.release("k1", 1),
        }[outcome]()
        row = tx.outbox.get("k1")

    assert late is False
    assert row is not None
    assert (row.state, row.attempt) == (NotificationState.LEASED, 2)


def test_a_sent_message_is_marked_once_and_never_claimed_again(store: Store) -> None:
    with store.begin() as tx:
        tx.outbox.enqueue(notification())
        tx.outbox.claim_due(NOW, LEASE, 10)

        marks = tx.outbox.sent("k1", 1, NOW, "250 ok"), tx.outbox.sent("k1", 1, NOW, "250 ok")
        again = tx.outbox.claim_due(NOW + 9 * HOUR, LEASE, 10)
        row = tx.outbox.get("k1")

    assert marks == (True, False)
    assert again == []
    assert row is not None
    assert (row.state, row.sent_at) == (NotificationState.SENT, NOW)


def test_a_retry_waits_until_due(store: Store) -> None:
    with store.begin() as tx:
        tx.outbox.enqueue(notification())
        tx.outbox.claim_due(NOW, LEASE, 10)
        tx.outbox.retry("k1", 1, NOW + HOUR, "timeout", NOW)

        early = tx.outbox.claim_due(NOW + HOUR / 2, LEASE, 10)
        (due,) = tx.outbox.claim_due(NOW + HOUR, LEASE, 10)

    assert early == []
    assert (due.attempt, due.last_error) == (2, "timeout")


def test_giving_back_what_was_not_tried_costs_no_attempt(store: Store) -> None:
    with store.begin() as tx:
        tx.outbox.enqueue(notification())
        tx.outbox.claim_due(NOW, LEASE, 10)
        tx.outbox.release("k1", 1)

        row = tx.outbox.get("k1")
        log = tx.outbox.deliveries("k1")

    assert row == notification()
    assert log == []


def test_a_dead_letter_is_listed_and_replayed_with_the_same_key_and_body(store: Store) -> None:
    with store.begin() as tx:
        tx.outbox.enqueue(notification())
        tx.outbox.claim_due(NOW, LEASE, 10)
        tx.outbox.dead("k1", 1, "550 no such user", NOW)
        listed = tx.outbox.recent(NotificationState.DEAD, "mail")
        later = NOW + 240 * HOUR

        replayed = tx.outbox.replay("k1", later)
        (due,) = tx.outbox.claim_due(later, LEASE, 10)

    assert [n.last_error for n in listed] == ["550 no such user"]
    assert replayed
    assert (due.key, due.payload, due.created_at) == ("k1", notification().payload, later)


def test_a_sent_message_is_not_replayed(store: Store) -> None:
    with store.begin() as tx:
        tx.outbox.enqueue(notification())
        tx.outbox.claim_due(NOW, LEASE, 10)
        tx.outbox.sent("k1", 1, NOW, "ok")

        replayed = tx.outbox.replay("k1", NOW)

    assert not replayed


def test_every_attempt_is_in_the_delivery_log(store: Store) -> None:
    with store.begin() as tx:
        tx.outbox.enqueue(notification())
        tx.outbox.claim_due(NOW, LEASE, 10)
        tx.outbox.retry("k1", 1, NOW, "timeout", NOW)
        tx.outbox.claim_due(NOW, LEASE, 10)
        tx.outbox.sent("k1", 2, NOW + HOUR, "250 ok")

        log = tx.outbox.deliveries("k1")

    assert log == [
        {"attempt": 1, "at": NOW, "outcome": "failed", "detail": "timeout"},
        {"attempt": 2, "at": NOW + HOUR, "outcome": "sent", "detail": "250 ok"},
    ]


def test_a_parked_receiver_keeps_its_queue_and_gets_nothing(store: Store) -> None:
    with store.begin() as tx:
        tx.outbox.enqueue(notification())
        tx.outbox.park("mail", None, "535 bad login", NOW)

        receivers = tx.outbox.due_receivers(NOW + 900 * HOUR)
        claimed = tx.outbox.claim_due(NOW + 900 * HOUR, LEASE, 10)
        parked = tx.outbox.parked(NOW)
        unparked = tx.outbox.unpark("mail"), tx.outbox.unpark("mail")
        after = tx.outbox.claim_due(NOW, LEASE, 10)

    assert (receivers, claimed) == ([], [])
    assert parked == {"mail": (None, "535 bad login")}
    assert unparked == (True, False)
    assert len(after) == 1


def test_parking_with_an_end_ends(store: Store) -> None:
    with store.begin() as tx:
        tx.outbox.enqueue(notification())
        tx.outbox.park("mail", NOW + HOUR, "429", NOW)

        before = tx.outbox.claim_due(NOW + HOUR / 2, LEASE, 10)
        after = tx.outbox.claim_due(NOW + HOUR, LEASE, 10)
        parked = tx.outbox.parked(NOW + HOUR)

    assert before == []
    assert len(after) == 1
    assert parked == {}


def test_purging_takes_old_bodies_and_no_key(store: Store) -> None:
    with store.begin() as tx:
        for key in ("old", "new", "waiting"):
            tx.outbox.enqueue(notification(key))
        tx.outbox.claim_due(NOW, LEASE, 2)
        tx.outbox.sent("old", 1, NOW, "ok")
        tx.outbox.sent("new", 1, NOW + HOUR, "ok")

        purged = tx.outbox.purge_payloads(NOW + HOUR), tx.outbox.purge_payloads(NOW + HOUR)
        payloads = [bool(n.payload) for n in tx.outbox.recent()]
        again = tx.outbox.enqueue(notification("old"))

    assert purged == (1, 0)
    assert payloads == [True, True, False]
    assert not again


def test_counts_are_per_receiver_and_state(store: Store) -> None:
    with store.begin() as tx:
        for n in range(3):
            tx.outbox.enqueue(notification(f"k{n}"))
        tx.outbox.enqueue(notification("s", receiver="slack"))
        tx.outbox.claim_due(NOW, LEASE, 1, receivers=["mail"])

        counts = tx.outbox.counts()

    assert counts == {("mail", "leased"): 1, ("mail", "pending"): 2, ("slack", "pending"): 1}
