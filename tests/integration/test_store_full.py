"""A disk that fills up, stops taking writes, or is taken away (RELIABILITY E3)."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from watcher.errors import StoreError, StoreFullError
from watcher.model import DigestKind, Notification, NotificationState
from watcher.store import engine as engine_module
from watcher.store.engine import Store, open_store

BIG = "x" * 1_000_000
NOW = datetime(2026, 5, 27, 6, 0, tzinfo=UTC)


def limit_pages(store: Store, spare: int | None) -> None:
    """SQLite's own way to fill a disk: no page beyond those in use plus `spare`."""
    with store.begin() as tx:
        used = tx.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        limit = 2**30 if spare is None else used + spare
        tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {limit}")


def write(store: Store, values: dict[str, str]) -> None:
    with store.begin() as tx:
        for key, value in values.items():
            tx.meta.set(key, value)


def mark_sent(store: Store, detail: str) -> None:
    with store.begin() as tx:
        tx.outbox.sent("k", 1, NOW, "250 ok")
        tx.meta.set("detail", detail)


def test_a_full_disk_undoes_the_transaction_and_work_resumes_when_there_is_room(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path / "watcher.db")
    limit_pages(store, 2)
    with pytest.raises(StoreFullError, match="make room"):
        write(store, {"small": "fits", "big": BIG})
    with store.read() as tx:
        during = tx.meta.get("small"), tx.meta.get("big")
    limit_pages(store, None)
    write(store, {"big": BIG})
    with store.read() as tx:
        after = tx.meta.get("big")
    store.close()

    assert during == (None, None)
    assert after == BIG


def test_a_message_whose_mark_did_not_fit_is_still_leased_and_comes_back(tmp_path: Path) -> None:
    store = open_store(tmp_path / "watcher.db")
    lease = timedelta(minutes=5)
    with store.begin() as tx:
        tx.outbox.enqueue(Notification("k", "mail", DigestKind.ALERT, "s", {}, NOW, NOW))
        tx.outbox.claim_due(NOW, lease, 1)
    limit_pages(store, 0)
    with pytest.raises(StoreFullError):
        mark_sent(store, detail=BIG)
    with store.read() as tx:
        row = tx.outbox.get("k")
    store.close()

    assert row is not None
    assert (row.state, row.attempt) == (NotificationState.LEASED, 1)


@pytest.mark.parametrize("spare", range(12))
def test_a_disk_that_fills_at_any_page_leaves_all_or_nothing(tmp_path: Path, spare: int) -> None:
    store = open_store(tmp_path / "watcher.db")
    limit_pages(store, spare)
    values = {str(n): "x" * 4000 for n in range(8)}
    with suppress(StoreFullError):
        write(store, values)
    limit_pages(store, None)
    with store.read() as tx:
        stored = sum(tx.meta.get(key) is not None for key in values)
        verdict = tx.connection.exec_driver_sql("PRAGMA integrity_check").scalar()
    store.close()

    assert stored == (8 if spare >= 8 else 0)
    assert verdict == "ok"


def test_another_process_that_keeps_the_lock_is_reported_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "watcher.db"
    monkeypatch.setattr(
        engine_module, "_PRAGMAS", (*engine_module._PRAGMAS[:3], "busy_timeout = 50")
    )
    first, second = open_store(path), open_store(path)
    with (
        first.begin(),
        pytest.raises(StoreError, match="another process writes"),
        second.begin(),
    ):
        pass
    with second.begin() as tx:
        tx.meta.set("k", "v")
    second.close()
    first.close()


def test_a_transaction_inside_another_is_an_error_and_not_a_standstill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "BUSY_S", 0.05)
    store = open_store(tmp_path / "watcher.db")
    with store.begin(), pytest.raises(StoreError, match="waits for another"), store.begin():
        pass
    store.close()
