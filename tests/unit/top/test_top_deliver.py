"""Every outcome of sending is marked; one receiver never waits for another."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from top_world import NOW, Recorder, World, article, rule

from watcher.alerts.routes import ReceiverClock
from watcher.deliver import Deliverer, Target
from watcher.errors import (
    DeliveryError,
    PermanentDeliveryError,
    StoreFullError,
    TemporaryDeliveryError,
)
from watcher.faults import Faults
from watcher.model import Notification, NotificationState, Receipt
from watcher.ports import Settled
from watcher.store.engine import Store
from watcher.writer import Writer


def world_with(*troubles: DeliveryError) -> World:
    world = World(
        [rule()], [{"receivers": ["desk", "other"]}], desk=ReceiverClock(), other=ReceiverClock()
    )
    world.receivers["desk"].trouble = list(troubles)
    world.take(article(1))
    world.compose()
    return world


def deliver(
    world: World,
    tmp_path: Path,
    *,
    reserve: int = 0,
    then: Callable[[], None] | None = None,
    turns: int = 1,
) -> None:
    async def run() -> None:
        writer = Writer(tmp_path, reserve_bytes=reserve)
        try:
            deliverer = Deliverer(
                world.store,
                writer,
                clock=world.clock,
                notices=world.notices,
                rng=Random(1),
                faults=Faults(),
                merge_backlog=world.composer.merge_backlog,
            )
            deliverer.use({name: Target(receiver) for name, receiver in world.receivers.items()})
            await deliverer.finish()
            for _ in range(turns if then is not None else 0):
                assert then is not None
                then()
                await deliverer.finish()
            await deliverer.stop(timedelta(seconds=1))
        finally:
            writer.close()

    asyncio.run(run())


def states(store: Store) -> dict[str, str]:
    with store.begin() as tx:
        return {n.receiver: n.state.value for n in tx.outbox.recent() if n.kind != "notice"}


def test_what_is_sent_is_marked_and_never_sent_again(tmp_path: Path) -> None:
    world = world_with()

    deliver(world, tmp_path, then=lambda: None)

    assert states(world.store) == {"desk": "sent", "other": "sent"}
    assert [len(world.receivers[name].sent) for name in ("desk", "other")] == [1, 1]


def test_a_temporary_failure_is_tried_again_with_the_same_key(tmp_path: Path) -> None:
    world = world_with(TemporaryDeliveryError("busy", code="503"))

    deliver(world, tmp_path, then=lambda: world.turn_to(NOW + timedelta(minutes=1)))

    assert states(world.store)["desk"] == "sent"
    assert world.receivers["desk"].sent[0].attempt == 2
    assert world.receivers["desk"].sent[0].key == world.receivers["other"].sent[0].key.replace(
        "other", "desk"
    )


def test_a_permanent_failure_is_a_dead_letter_that_can_be_replayed(tmp_path: Path) -> None:
    world = world_with(PermanentDeliveryError("no such mailbox", code="550"))
    deliver(world, tmp_path)
    dead = states(world.store)["desk"]
    with world.store.begin() as tx:
        (letter,) = tx.outbox.recent(NotificationState.DEAD)
        assert tx.outbox.replay(letter.key, world.clock.now())

    deliver(world, tmp_path)

    assert dead == "dead"
    assert states(world.store)["desk"] == "sent"
    assert world.receivers["desk"].sent[0].payload == letter.payload


def test_a_dead_letter_is_told_through_another_receiver(tmp_path: Path) -> None:
    world = world_with(PermanentDeliveryError("no such mailbox", code="550"))

    deliver(world, tmp_path)

    assert any("given up" in d.notice for d in world.receivers["other"].digests)
    assert not any(d.notice for d in world.receivers["desk"].digests)


def test_refused_credentials_park_the_receiver_and_keep_its_queue(tmp_path: Path) -> None:
    world = world_with(PermanentDeliveryError("login refused", code="535", park=True))

    deliver(world, tmp_path, then=lambda: world.turn_to(NOW + timedelta(days=2)))

    with world.store.begin() as tx:
        assert list(tx.outbox.parked(world.clock.now())) == ["desk"]
    assert states(world.store) == {"desk": "pending", "other": "sent"}


def test_retry_after_rests_the_whole_receiver(tmp_path: Path) -> None:
    world = world_with(
        TemporaryDeliveryError("slow down", code="429", retry_after=timedelta(minutes=10))
    )
    world.take(article(2, "Another rocket entirely, in Kourou"))
    world.compose()

    deliver(world, tmp_path, then=lambda: world.turn_to(NOW + timedelta(minutes=9)))
    early = len(world.receivers["desk"].sent)
    world.turn_to(NOW + timedelta(minutes=11))
    deliver(world, tmp_path)

    assert early == 0
    assert len(world.receivers["desk"].sent) == 2


def test_a_bug_in_a_receiver_loses_nothing(tmp_path: Path) -> None:
    world = world_with()

    class Buggy(Recorder):
        async def send(self, notification, *, at):  # type: ignore[no-untyped-def]
            raise ZeroDivisionError

    world.receivers["desk"] = Buggy()

    deliver(world, tmp_path)

    assert states(world.store) == {"desk": "pending", "other": "sent"}


def test_nothing_is_sent_when_its_mark_could_not_be_stored(tmp_path: Path) -> None:
    world = world_with()

    try:
        deliver(world, tmp_path, reserve=2**60)
    except StoreFullError as error:
        told = str(error)

    assert "polling and sending pause" in told
    assert not world.receivers["other"].sent


def backlog(*troubles: DeliveryError, count: int) -> World:
    """`count` stories for `desk` and `other`, each composed at once."""
    world = world_with(*troubles)
    for n in range(2, count + 1):
        world.take(article(n, f"Rocket w{n}a w{n}b w{n}c w{n}d"))
        world.compose()
    return world


def later(world: World, minutes: float) -> Callable[[], None]:
    return lambda: world.turn_to(world.clock.now() + timedelta(minutes=minutes))


DOWN = TemporaryDeliveryError("no connection", code="connect")


class Overlapping(Recorder):
    """Begins a message while the one before it is being marked, as mail does."""

    @asynccontextmanager
    async def kept(self, settled: Settled) -> AsyncIterator[None]:
        self.settled = settled
        yield

    async def send(self, notification: Notification, *, at: datetime) -> Receipt:
        await self.settled()
        return await super().send(notification, at=at)


def test_a_receiver_that_fails_in_a_row_is_left_alone_and_its_queue_is_spared(
    tmp_path: Path,
) -> None:
    world = backlog(*[DOWN] * 50, count=30)

    deliver(world, tmp_path)

    with world.store.begin() as tx:
        tried = [n for n in tx.outbox.recent(receiver="desk", limit=500) if n.attempt]
        assert len(tried) == 3
        assert list(tx.outbox.parked(world.clock.now())) == ["desk"]
    assert len(world.receivers["other"].sent) == 30


def test_one_message_that_fails_does_not_hold_up_the_others(tmp_path: Path) -> None:
    world = backlog(DOWN, count=10)

    deliver(world, tmp_path)

    assert len(world.receivers["desk"].sent) == 9


def test_a_backlog_is_one_digest_when_the_receiver_returns(tmp_path: Path) -> None:
    """F12: a digest instead of more than twenty single alerts; what was tried keeps its own id."""
    world = backlog(*[DOWN] * 10, count=40)

    deliver(world, tmp_path, then=later(world, 15), turns=12)

    sent = [n for n in world.receivers["desk"].sent if n.kind != "notice"]
    digest = next(n for n in sent if n.kind == "digest")
    with world.store.begin() as tx:
        merged = tx.outbox.recent(NotificationState.MERGED, "desk", 500)
    assert len(sent) <= 12
    assert len(sent) - 1 + len(merged) == 40
    assert set(digest.alerts) == {alert for n in merged for alert in n.alerts}
    assert len(digest.payload["stories"]) == len(merged)


def test_a_short_queue_is_not_merged(tmp_path: Path) -> None:
    world = backlog(*[DOWN] * 4, count=15)

    deliver(world, tmp_path, then=later(world, 15), turns=6)

    assert [n.kind.value for n in world.receivers["desk"].sent] == ["alert"] * 15


def test_a_receiver_that_keeps_failing_is_told_through_another_once_a_day(tmp_path: Path) -> None:
    world = backlog(*[DOWN] * 12, count=3)

    deliver(world, tmp_path, then=later(world, 15), turns=20)

    told = [n.subject for n in world.receivers["other"].sent if n.kind == "notice"]
    assert [text.split(":")[1] for text in told] == [
        " receiver desk fails for a while now",
        " receiver desk works again",
    ]


def test_a_kill_between_two_messages_finds_one_unmarked_at_most(tmp_path: Path) -> None:
    """Whenever a receiver takes a message, all it took before is marked: with and without overlap."""
    world = backlog(count=12)
    unmarked: dict[str, list[int]] = {"desk": [], "other": []}

    def watched(kind: type[Recorder]) -> Recorder:
        class Watched(kind):  # type: ignore[valid-type, misc]
            async def send(self, notification: Notification, *, at: datetime) -> Receipt:
                receipt = await super().send(notification, at=at)
                with world.store.begin() as tx:
                    marked = tx.outbox.counts().get((notification.receiver, "sent"), 0)
                unmarked[notification.receiver].append(len(self.sent) - marked)
                return receipt

        return Watched()

    world.receivers |= {"desk": watched(Overlapping), "other": watched(Recorder)}

    deliver(world, tmp_path)

    assert unmarked == {"desk": [1] * 12, "other": [1] * 12}


def test_a_message_is_not_finished_when_the_mark_before_it_fails(tmp_path: Path) -> None:
    world = backlog(count=3)
    sqlite = "CREATE TRIGGER full BEFORE INSERT ON delivery BEGIN SELECT RAISE(ABORT, 'full'); END"
    with world.store.begin() as tx:
        tx.connection.exec_driver_sql(sqlite)

    world.receivers |= {"desk": Overlapping(), "other": Recorder()}

    deliver(world, tmp_path)

    assert [len(world.receivers[name].sent) for name in ("desk", "other")] == [1, 1]


def test_f7_a_slack_that_asks_for_patience_two_hundred_times_is_left_alone_each_time(
    tmp_path: Path,
) -> None:
    """F7: nothing goes out while it asks for silence, and the order stays."""
    patience = TemporaryDeliveryError("slow down", code="429", retry_after=timedelta(seconds=30))
    world = backlog(*[patience] * 200, count=5)
    desk = world.receivers["desk"]

    deliver(world, tmp_path, then=later(world, 0.25), turns=40)
    tried_in_ten_minutes = 200 - len(desk.trouble)
    deliver(world, tmp_path, then=later(world, 15), turns=210)

    assert 3 < tried_in_ten_minutes <= 20
    assert [n.subject[-3:] for n in desk.sent] == ["ket", "w2d", "w3d", "w4d", "w5d"]


def test_f12_when_every_receiver_is_dead_nothing_is_lost(tmp_path: Path) -> None:
    world = backlog(*[DOWN] * 20, count=30)
    world.receivers["other"].trouble = [DOWN] * 20

    deliver(world, tmp_path, then=later(world, 60), turns=40)

    for name in ("desk", "other"):
        sent = [n for n in world.receivers[name].sent if n.kind != "notice"]
        alerts = [alert for n in sent for alert in n.alerts]
        assert len(alerts) == len(set(alerts)) == 30
        assert len(sent) <= 20
