"""Ending asyncio tasks so that they do end."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

# A task that let go of everything ends within a turn of the loop; this is for one that did not.
AGAIN_SECONDS = 1.0


async def end(tasks: Iterable[asyncio.Task[object]], grace: timedelta | None = None) -> None:
    """Cancel what outlasts the grace and wait until all have ended, whatever their outcome.

    Asked again and again: before Python 3.12 a cancellation that meets a `wait_for` whose work
    has just ended is lost (python/cpython#86296), and the task goes on to its next await.
    """
    left = {task for task in tasks if not task.done()}
    if left and grace is not None:
        _, left = await asyncio.wait(left, timeout=grace.total_seconds())
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_SECONDS)
