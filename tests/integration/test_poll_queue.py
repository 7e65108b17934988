"""Which feeds are polled next, with hosts that are slow and clocks that are set."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from watcher.clock import ScaledClock, StepWatch
from watcher.intake.poll_queue import PollQueue
from watcher.model import DigestKind, FeedState, Notification
from watcher.store.engine import Store, open_store
from watcher.turns import HostTurns
from watcher.writer import Writer

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


class Wall:
    """A clock that can be set, beside one that only counts."""

    def __init__(self) -> None:
        self.at, self.counted = NOW, 0.0

    def now(self) -> datetime:
        return self.at

    def steady(self) -> float:
        return self.counted

    def passes(self, time: timedelta) -> None:
        self.at += time
        self.counted += time.total_seconds()


@contextmanager
def queued(folder: Path, *urls: str) -> Iterator[tuple[PollQueue, Store, Wall]]:
    wall, store, writer = Wall(), open_store(folder / "store.db"), Writer(folder, reserve_bytes=0)
    turns, watch = HostTurns(2, SECOND), StepWatch(wall, wall.steady)
    with store.begin() as tx:
        tx.feeds.sync([(f"f{n}", url) for n, url in enumerate(urls)], NOW, timedelta(0))
    try:
        yield PollQueue(store, writer, wall, turns, watch=watch), store, wall
    finally:
        writer.close()
        store.close()


def claimed(queue: PollQueue, room: int = 50) -> list[str]:
    return [state.feed for state in asyncio.run(queue.claim(room))]


def states(store: Store) -> dict[str, FeedState]:
    with store.begin() as tx:
        return {state.feed: state for state in tx.feeds.all()}


def polled(store: Store, name: str, at: datetime, wait: timedelta) -> None:
    """As after a poll."""
    state = replace(states(store)[name], last_polled_at=at, last_success_at=at, next_poll_at=at + wait)  # fmt: skip
    with store.begin() as tx:
        tx.feeds.save(state)


def test_five_hundred_feeds_of_one_host_starve_nobody(tmp_path: Path) -> None:
    """RELIABILITY A10: the fifty places are not theirs alone."""
    urls = [f"https://big.example/{n}" for n in range(500)] + ["https://small.example/"]

    with queued(tmp_path, *urls) as (queue, store, _):
        went = claimed(queue)
        due = [state.next_poll_at for state in states(store).values()]

    assert went == ["f0", "f1", "f500"]
    assert sum(at > NOW for at in due) == 498


def test_what_was_put_back_comes_when_its_host_has_a_turn(tmp_path: Path) -> None:
    with queued(tmp_path, *(f"https://big.example/{n}" for n in range(5))) as (queue, store, wall):
        went = []
        for _ in range(8):
            for name in claimed(queue):
                went.append(name)
                polled(store, name, wall.at, HOUR)
                queue.done(states(store)[name])
            wall.passes(SECOND)

    assert sorted(went) == ["f0", "f1", "f2", "f3", "f4"]


def test_a_clock_set_back_a_day_delays_no_poll(tmp_path: Path) -> None:
    """RELIABILITY D1."""
    with queued(tmp_path, "https://sample.example/") as (queue, store, wall):
        polled(store, "f0", NOW, 15 * 60 * SECOND)
        wall.at -= DAY
        early = claimed(queue)
        wall.passes(16 * 60 * SECOND)
        in_time = claimed(queue)

    assert (early, in_time) == ([], ["f0"])


def test_a_clock_set_forward_a_day_polls_nothing_early(tmp_path: Path) -> None:
    """RELIABILITY D1."""
    with queued(tmp_path, "https://sample.example/") as (queue, store, wall):
        polled(store, "f0", NOW, HOUR)
        wall.at += DAY
        early = claimed(queue)
        wall.passes(HOUR)
        in_time = claimed(queue)

    assert (early, in_time) == ([], ["f0"])


def test_a_clock_set_back_freezes_no_retry_and_leaves_no_time_to_come(tmp_path: Path) -> None:
    """RELIABILITY D1."""
    with queued(tmp_path, "https://sample.example/") as (queue, store, wall):
        polled(store, "f0", NOW, HOUR)
        message = Notification("k", "desk", DigestKind.ALERT, "s", {}, NOW, NOW + 60 * SECOND)
        with store.begin() as tx:
            tx.outbox.enqueue(message)
        wall.at -= DAY
        claimed(queue)
        wall.passes(61 * SECOND)
        with store.begin() as tx:
            due = tx.outbox.due_receivers(wall.at)
        last = states(store)["f0"].last_success_at

    assert due == ["desk"]
    assert last is not None
    assert last < wall.at


def test_a_machine_that_slept_polls_what_is_due(tmp_path: Path) -> None:
    """Both clocks went on: that is no step."""
    with queued(tmp_path, "https://sample.example/") as (queue, store, wall):
        polled(store, "f0", NOW, HOUR)
        wall.passes(8 * HOUR)

        assert claimed(queue) == ["f0"]


def test_a_made_up_clock_is_never_set() -> None:
    watch = StepWatch(ScaledClock(NOW, 1e9))

    assert watch.step() == timedelta(0)


def test_a_clock_set_back_while_the_daemon_was_off_stops_nothing(tmp_path: Path) -> None:
    with queued(tmp_path, "https://sample.example/") as (queue, store, wall):
        polled(store, "f0", NOW + DAY, HOUR)  # by the clock of yesterday's run
        with store.begin() as tx:
            queue.begin(tx, 300 * SECOND)
        early = claimed(queue)
        wall.passes(HOUR)

        assert (early, claimed(queue)) == ([], ["f0"])


def test_after_days_of_downtime_polls_are_spread_over_the_shortest_interval(tmp_path: Path) -> None:
    """RELIABILITY I5."""
    with queued(tmp_path, *(f"https://h{n}.example/" for n in range(200))) as (queue, store, wall):
        wall.passes(3 * DAY)
        with store.begin() as tx:
            queue.begin(tx, 300 * SECOND)
        due = sorted(state.next_poll_at for state in states(store).values())

    assert due[0] == wall.at
    assert wall.at + 290 * SECOND < due[-1] < wall.at + 300 * SECOND
    assert len(set(due)) == 200


def test_after_a_short_restart_what_is_due_is_polled_at_once(tmp_path: Path) -> None:
    with queued(tmp_path, *(f"https://h{n}.example/" for n in range(20))) as (queue, store, wall):
        wall.passes(30 * SECOND)
        with store.begin() as tx:
            queue.begin(tx, 300 * SECOND)

        assert len(claimed(queue)) == 20
