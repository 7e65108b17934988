"""Tasks that are ended do end."""

import asyncio
from datetime import timedelta

import pytest

import watcher.tasks
from watcher.tasks import end


def test_a_cancellation_that_meets_the_end_of_a_wait_for_is_given_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watcher.tasks, "AGAIN_SECONDS", 0.01)

    async def ended() -> bool:
        connected = asyncio.get_running_loop().create_future()

        async def hang() -> None:
            await asyncio.wait_for(connected, 60)
            await asyncio.Event().wait()

        task = asyncio.create_task(hang())
        await asyncio.sleep(0)
        connected.set_result(None)
        async with asyncio.timeout(10):
            await end([task])
        return task.cancelled()

    assert asyncio.run(ended())


def test_a_task_that_swallows_three_cancellations_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watcher.tasks, "AGAIN_SECONDS", 0.01)
    asked: list[int] = []

    async def stubborn() -> None:
        while len(asked) < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                asked.append(1)

    async def work() -> bool:
        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        await end([task])
        return task.done()

    assert asyncio.run(work())


def test_what_ends_within_the_grace_is_not_cancelled() -> None:
    async def work() -> tuple[bool, bool]:
        quick = asyncio.create_task(asyncio.sleep(0))
        slow = asyncio.create_task(asyncio.Event().wait())
        await end([quick, slow], timedelta(milliseconds=50))
        return quick.cancelled(), slow.cancelled()

    assert asyncio.run(work()) == (False, True)


def test_ending_nothing_or_what_has_ended_is_at_once() -> None:
    async def work() -> str:
        async def fail() -> None:
            raise ValueError("its own")

        task = asyncio.create_task(fail())
        await asyncio.wait([task])
        await end([])
        await end([task])
        return repr(task.exception())

    assert asyncio.run(work()) == "ValueError('its own')"
