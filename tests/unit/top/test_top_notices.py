"""Who hears of the service itself."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from watcher.clock import ManualClock
from watcher.model import Digest, Draft, Notification, Receipt
from watcher.notices import Notices
from watcher.store.engine import Store, open_store

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)


class Desk:
    def compose(self, digest: Digest) -> list[Draft]:
        return [Draft({"text": digest.notice})]

    async def send(self, notification: Notification, *, at: datetime) -> Receipt:
        return Receipt()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(tmp_path / "store.db")
    yield made
    made.close()


def told(store: Store, operator: str | None, **given: Any) -> list[str]:
    """Which receivers a notice goes to; `ops` and two that readers have."""
    notices = Notices(ManualClock(NOW))
    notices.use(operator, {name: Desk() for name in ("a-readers", "ops", "z-readers")}, {})
    with store.begin() as tx:
        notices.add(tx, "feed:f:broken", "feed f has failed", **given)
        return tx.outbox.due_receivers(NOW)


def test_the_operator_is_told_and_no_reader(store: Store) -> None:
    assert told(store, "ops") == ["ops"]


def test_without_an_operator_no_reader_is_told_of_feeds(store: Store) -> None:
    assert told(store, None) == []


def test_of_a_receiver_in_trouble_another_one_carries_the_news(store: Store) -> None:
    assert told(store, "ops", avoid="ops") == ["a-readers"]


def test_of_a_receiver_in_trouble_somebody_hears_also_without_an_operator(store: Store) -> None:
    assert told(store, None, avoid="a-readers") == ["ops"]
