"""Several threads and processes on one database, and processes that are killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from watcher.errors import StoreLockedError
from watcher.model import DigestKind, Notification
from watcher.store.engine import Store, open_store

NOW = datetime(2026, 5, 27, 6, 0, tzinfo=UTC)


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A process that opens `store` at its first argument and runs the code."""
    prelude = (
        "import os, signal, sys, time\n"
        "from pathlib import Path\n"
        "from watcher.store.engine import open_store\n"
        "path = Path(sys.argv[1])\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", prelude + code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> int:
    process.kill()
    process.communicate()
    return process.returncode


def integrity(path: Path) -> str:
    with closing(sqlite3.connect(path)) as raw:
        return str(raw.execute("PRAGMA integrity_check").fetchone()[0])


def notification(key: str) -> Notification:
    return Notification(key, "mail", DigestKind.ALERT, "s", {"n": key}, NOW, NOW)


@contextmanager
def closing_store(path: Path) -> Iterator[Store]:
    store = open_store(path)
    yield store
    store.close()


DAEMON = """
store = open_store(path)
store.lock()
print(os.getpid(), flush=True)
time.sleep(60)
"""


def test_a_second_daemon_is_told_who_runs_and_may_start_once_the_first_is_killed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "watcher.db"
    first = start(DAEMON, path)
    pid = line_of(first)
    store = open_store(path)

    with pytest.raises(StoreLockedError, match=rf"process {pid}\) runs on this store"):
        store.lock()
    first.send_signal(signal.SIGKILL)
    first.communicate()
    store.lock()
    store.lock()
    store.close()

    assert first.returncode == -signal.SIGKILL


def test_a_child_that_outlives_a_killed_daemon_does_not_keep_its_lock(tmp_path: Path) -> None:
    path = tmp_path / "watcher.db"
    code = """
store = open_store(path)
store.lock()
child = os.fork()
if child == 0:
    time.sleep(60)
print(child, flush=True)
time.sleep(60)
"""
    daemon = start(code, path)
    child = int(line_of(daemon))
    daemon.send_signal(signal.SIGKILL)
    daemon.wait()
    try:
        store = open_store(path)
        store.lock()
        store.close()
    finally:
        os.kill(child, signal.SIGKILL)
        daemon.communicate()


def test_what_a_killed_daemon_had_claimed_is_due_as_soon_as_the_next_one_starts(
    tmp_path: Path,
) -> None:
    path = tmp_path / "watcher.db"
    with closing_store(path) as store, store.begin() as tx:
        tx.feeds.sync([("alpha", "https://alpha.example/rss")], NOW, timedelta(0))
        tx.outbox.enqueue(notification("k"))
    code = """
from datetime import UTC, datetime, timedelta
store = open_store(path)
store.lock()
with store.begin() as tx:
    now = datetime(2026, 5, 27, 6, 0, tzinfo=UTC)
    tx.feeds.claim_due(now, timedelta(days=1), 9)
    tx.outbox.claim_due(now, timedelta(days=1), 9)
os.kill(os.getpid(), signal.SIGKILL)
"""
    start(code, path).communicate()
    with closing_store(path) as store:
        store.lock()
        with store.begin() as tx:
            tx.feeds.end_leases()
            tx.outbox.end_leases()
            feeds = [state.feed for state in tx.feeds.claim_due(NOW, timedelta(minutes=1), 9)]
            messages = [
                (n.key, n.attempt) for n in tx.outbox.claim_due(NOW, timedelta(minutes=1), 9)
            ]

    assert feeds == ["alpha"]
    assert messages == [("k", 2)]


def test_a_command_reads_and_writes_while_the_daemon_runs(tmp_path: Path) -> None:
    path = tmp_path / "watcher.db"
    daemon = start(DAEMON, path)
    line_of(daemon)
    store = open_store(path)
    with store.begin() as tx:
        tx.meta.set("k", "v")
    with store.read() as tx:
        value = tx.meta.get("k")
    store.close()
    end(daemon)

    assert value == "v"


def test_a_writer_waits_for_another_process_that_writes(tmp_path: Path) -> None:
    path = tmp_path / "watcher.db"
    code = """
store = open_store(path)
with store.begin() as tx:
    tx.meta.set("order", "first")
    print("writing", flush=True)
    time.sleep(0.5)
"""
    other = start(code, path)
    line_of(other)
    store = open_store(path)
    with store.begin() as tx:
        seen = tx.meta.get("order")
        tx.meta.set("order", "second")
    store.close()
    end(other)

    assert seen == "first"


@pytest.mark.parametrize("when", ["inside", "committed"])
def test_a_kill_leaves_whole_transactions_and_a_sound_file(tmp_path: Path, when: str) -> None:
    path = tmp_path / "watcher.db"
    code = """
store = open_store(path)
with store.begin() as tx:
    tx.meta.set("whole", "yes")
with store.begin() as tx:
    for n in range(2000):
        tx.meta.set(f"half {n}", "x" * 500)
    if sys.argv[2] == "inside":
        os.kill(os.getpid(), signal.SIGKILL)
os.kill(os.getpid(), signal.SIGKILL)
"""
    process = start(code, path, when)
    process.communicate()
    store = open_store(path)
    with store.read() as tx:
        values = tx.meta.get("whole"), tx.meta.get("half 7") is not None
    store.close()

    assert process.returncode == -signal.SIGKILL
    assert values == ("yes", when == "committed")
    assert integrity(path) == "ok"


@pytest.mark.parametrize("statement", [0, 1, 5, 15, 25, 35])
def test_a_kill_while_the_schema_is_made_leaves_nothing_to_repair(
    tmp_path: Path, statement: int
) -> None:
    path = tmp_path / "watcher.db"
    code = """
import sqlalchemy as sa
left = int(sys.argv[2])
@sa.event.listens_for(sa.Engine, "before_cursor_execute")
def _(*_):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
open_store(path)
"""
    process = start(code, path, statement)
    process.communicate()
    store = open_store(path)
    with store.begin() as tx:
        tx.meta.set("k", "v")
    store.close()

    assert process.returncode == -signal.SIGKILL
    assert integrity(path) == "ok"


def test_many_processes_may_make_the_store_at_once(tmp_path: Path) -> None:
    path = tmp_path / "watcher.db"
    code = """
sys.stdin.readline()
store = open_store(path)
with store.begin() as tx:
    tx.meta.set(sys.argv[2], "here")
"""
    processes = [start(code, path, n) for n in range(4)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    codes = [(p.communicate(), p.returncode)[1] for p in processes]
    store = open_store(path)
    with store.read() as tx:
        present = [tx.meta.get(str(n)) for n in range(4)]
    store.close()

    assert codes == [0, 0, 0, 0]
    assert present == ["here"] * 4


def test_four_threads_claim_every_message_once(tmp_path: Path) -> None:
    store = open_store(tmp_path / "watcher.db")
    with store.begin() as tx:
        for n in range(200):
            tx.outbox.enqueue(notification(f"k{n}"))
    claimed: list[str] = []

    def work() -> None:
        while True:
            with store.begin() as tx:
                batch = tx.outbox.claim_due(NOW, timedelta(minutes=1), 7)
            if not batch:
                return
            claimed.extend(n.key for n in batch)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()

    assert Counter(claimed) == Counter(f"k{n}" for n in range(200))


def test_two_processes_claim_every_message_once(tmp_path: Path) -> None:
    path = tmp_path / "watcher.db"
    store = open_store(path)
    with store.begin() as tx:
        for n in range(60):
            tx.outbox.enqueue(notification(f"k{n}"))
    store.close()
    code = """
from datetime import UTC, datetime, timedelta
store = open_store(path)
print("ready", flush=True)
sys.stdin.readline()
while True:
    with store.begin() as tx:
        batch = tx.outbox.claim_due(datetime(2026, 5, 28, tzinfo=UTC), timedelta(hours=1), 3)
    if not batch:
        break
    print(*(n.key for n in batch), sep="\\n", flush=True)
"""
    processes = [start(code, path) for _ in range(2)]
    for process in processes:
        line_of(process)
    outputs = [process.communicate("go\n")[0].split() for process in processes]

    assert Counter(key for output in outputs for key in output) == Counter(
        f"k{n}" for n in range(60)
    )


@pytest.mark.slow
def test_kills_at_random_moments_never_part_what_belongs_together(tmp_path: Path) -> None:
    path = tmp_path / "watcher.db"
    code = """
store = open_store(path)
print("ready", flush=True)
while True:
    with store.begin() as tx:
        n = int(tx.meta.get("n") or 0) + 1
        for part in "abcdef":
            tx.meta.set(f"{part} {n % 50}", f"{n} " + "x" * 3000)
        tx.meta.set("n", str(n))
"""
    rng, reached = Random(20260527), [0]
    for _ in range(12):
        process = start(code, path)
        line_of(process)
        time.sleep(rng.uniform(0.0, 0.15))
        end(process)
        with closing_store(path) as store, store.read() as tx:
            n = int(tx.meta.get("n") or 0)
            parts = {(tx.meta.get(f"{part} {n % 50}") or "0").split()[0] for part in "abcdef"}
        assert parts == {str(n)}
        assert integrity(path) == "ok"
        reached.append(n)

    assert reached == sorted(reached)
    assert reached[-1] > 0
