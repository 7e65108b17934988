"""What `open_store` accepts, and that it leaves alone what it refuses (RELIABILITY E6, E10)."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa

from watcher.errors import StoreError, StoreLockedError
from watcher.store import lock, opening
from watcher.store.backup import logs_of, restore
from watcher.store.engine import open_store


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A store that was used and closed, large enough to have pages worth damaging."""
    path = tmp_path / "watcher.db"
    store = open_store(path)
    with store.begin() as tx:
        for n in range(200):
            tx.meta.set(f"key {n}", "value " * 200)
    store.close()
    return path


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def page_flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    # The last page but one belongs to the filled table: its b-tree header goes.
    at = len(data) - 2 * 4096
    data[at : at + 64] = bytes(byte ^ 0xFF for byte in data[at : at + 64])
    path.write_bytes(data)


def schema_scrambled(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100:4096] = Random(1).randbytes(3996)
    path.write_bytes(data)


def something_else(path: Path) -> None:
    path.write_text("feeds:\n  - https://alpha.example/rss\n" * 100)


def another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE bookmarks (url)")
        raw.commit()


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
        raw.commit()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (truncated, "restore a backup"),
        (emptied, "it is empty"),
        (page_flipped, "is damaged"),
        (schema_scrambled, "restore a backup"),
        (something_else, "not a watcher database"),
        (another_program, "another program"),
        (newer, "newer watcher (schema 9999)"),
    ],
)
def test_a_strange_file_is_refused_and_left_as_it_was(
    database: Path, harm: Callable[[Path], None], words: str
) -> None:
    harm(database)
    before = digest(database)

    with pytest.raises(StoreError, match=str(database)) as refused:
        open_store(database)

    assert words in str(refused.value)
    assert digest(database) == before


def test_a_database_that_lost_its_file_but_not_its_log_is_refused(database: Path) -> None:
    log = database.with_name("watcher.db-wal")
    log.write_bytes(b"commits")
    database.unlink()

    with pytest.raises(StoreError, match=r"watcher\.db-wal is there"):
        open_store(database)

    assert log.read_bytes() == b"commits"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="file/data: can't be made"):
        open_store(tmp_path / "file" / "data" / "watcher.db")


def test_a_log_that_cannot_be_written_is_told_apart_from_damage(database: Path) -> None:
    for log in logs_of(database):
        log.unlink(missing_ok=True)
        log.mkdir()

    with pytest.raises(StoreError, match=r"can't be opened .* make room"):
        open_store(database)


def test_a_directory_at_the_path_is_refused(tmp_path: Path) -> None:
    (tmp_path / "watcher.db").mkdir()

    with pytest.raises(StoreError, match="can't be read"):
        open_store(tmp_path / "watcher.db")


def test_a_new_store_makes_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "odd ?name#%20.db"
    store = open_store(path)
    with store.begin() as tx:
        tx.meta.set("k", "v")
    store.close()

    assert path.is_file()
    assert not path.with_name(path.name + ".new").exists()


def test_what_was_stored_is_there_after_opening_again(database: Path) -> None:
    store = open_store(database)
    with store.read() as tx:
        value = tx.meta.get("key 7")
    store.close()

    assert value == "value " * 200


def test_the_database_is_durable_by_its_settings(database: Path) -> None:
    store = open_store(database)
    with store.begin() as tx:
        found = {
            name: tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    store.close()

    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 10_000,
    }


def test_nothing_of_a_failed_transaction_stays(database: Path) -> None:
    store = open_store(database)
    with suppress(ZeroDivisionError), store.begin() as tx:
        tx.meta.set("half", "done")
        raise ZeroDivisionError
    with store.read() as tx:
        value = tx.meta.get("half")
    store.close()

    assert value is None


def test_reading_sees_one_picture_while_the_writer_goes_on(database: Path) -> None:
    store = open_store(database)
    with store.read() as reading:
        before = reading.meta.get("key 1")
        with store.begin() as writing:
            writing.meta.set("key 1", "changed")
        still = reading.meta.get("key 1")
    with store.read() as reading:
        after = reading.meta.get("key 1")
    store.close()

    assert before == still
    assert after == "changed"


def test_writing_in_a_reading_transaction_is_refused_and_does_no_lasting_harm(
    database: Path,
) -> None:
    store = open_store(database)
    with pytest.raises(StoreError), store.read() as tx:
        tx.meta.set("k", "v")
    with store.begin() as tx:
        tx.meta.set("k", "v")
        value = tx.meta.get("k")
    store.close()

    assert value == "v"


def test_a_backup_taken_while_open_is_a_whole_store_in_one_file(
    database: Path, tmp_path: Path
) -> None:
    store = open_store(database)
    with store.begin() as tx:
        tx.meta.set("late", "news")
    target = tmp_path / "backups" / "copy.db"
    store.backup(target)
    with store.begin() as tx:
        tx.meta.set("late", "newer")
    files = sorted(p.name for p in target.parent.iterdir())
    copy = open_store(target)
    with copy.read() as tx:
        value = tx.meta.get("late")
    copy.close()
    store.close()

    assert files == ["copy.db"]
    assert value == "news"


def test_a_backup_that_cannot_be_written_leaves_nothing(database: Path, tmp_path: Path) -> None:
    store = open_store(database)
    (tmp_path / "copy.db").mkdir()

    with pytest.raises(StoreError, match="backup can't be written"):
        store.backup(tmp_path / "copy.db")
    store.close()

    assert not (tmp_path / "copy.db.partial").exists()


def test_a_restore_puts_the_copy_in_place_and_keeps_the_old_beside(
    database: Path, tmp_path: Path
) -> None:
    store = open_store(database)
    store.backup(tmp_path / "copy.db")
    with store.begin() as tx:
        tx.meta.set("after", "the backup")
    store.close()

    restore(tmp_path / "copy.db", database)
    values = []
    for path in (database, tmp_path / "watcher.db.before-restore"):
        opened = open_store(path)
        with opened.read() as tx:
            values.append((tx.meta.get("key 1") is not None, tx.meta.get("after")))
        opened.close()

    assert values == [(True, None), (True, "the backup")]


def test_a_restore_mends_a_damaged_store(database: Path, tmp_path: Path) -> None:
    store = open_store(database)
    store.backup(tmp_path / "copy.db")
    store.close()
    page_flipped(database)

    restore(tmp_path / "copy.db", database)
    store = open_store(database)
    with store.read() as tx:
        value = tx.meta.get("key 3")
    store.close()

    assert value == "value " * 200


def test_a_restore_is_refused_while_a_daemon_runs(database: Path, tmp_path: Path) -> None:
    store = open_store(database)
    store.backup(tmp_path / "copy.db")
    store.lock()

    with pytest.raises(StoreLockedError):
        restore(tmp_path / "copy.db", database)
    store.close()

    assert not (tmp_path / "watcher.db.before-restore").exists()


def test_a_restore_from_what_is_no_store_changes_nothing(database: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("no")
    before = digest(database)

    for source in (tmp_path / "copy.db", tmp_path / "missing.db"):
        with pytest.raises(StoreError):
            restore(source, database)

    assert digest(database) == before


def test_housekeeping_runs_on_a_used_store(database: Path) -> None:
    store = open_store(database)
    store.tidy()
    with store.read() as tx:
        verdict = tx.connection.execute(sa.text("PRAGMA integrity_check")).scalar()
    store.close()

    assert verdict == "ok"


def test_an_older_schema_is_not_migrated_under_a_running_daemon(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = open_store(database)
    daemon.lock()
    monkeypatch.setattr(opening, "HEAD", "a later one")
    monkeypatch.setattr(lock, "PATIENCE_S", 0.0)

    with pytest.raises(StoreLockedError):
        open_store(database)
    daemon.close()
    open_store(database).close()


def test_damage_met_at_run_time_is_reported_as_damage(database: Path) -> None:
    store = open_store(database)
    schema_scrambled(database)

    with pytest.raises(StoreError, match="restore a backup"), store.begin():
        pass
    store.close()


def test_a_lock_that_cannot_be_made_is_named(database: Path) -> None:
    lock.lock_path(database).unlink(missing_ok=True)
    lock.lock_path(database).mkdir()
    store = open_store(database)

    with pytest.raises(StoreError, match=r"watcher\.db\.lock: can't be opened"):
        store.lock()
    store.close()
