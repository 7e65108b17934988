"""Every outcome of sending is marked; one receiver never waits for another."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
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
from watcher.model import NotificationState
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
    world: World, tmp_path: Path, *, reserve: int = 0, then: Callable[[], None] | None = None
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
            )
            deliverer.use({name: Target(receiver) for name, receiver in world.receivers.items()})
            await deliverer.finish()
            if then is not None:
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
