"""Named places where a test may kill the daemon; in production every hit is a no-op."""

import os
import signal

STEPS = (
    "after_fetch",
    "before_commit",
    "after_commit",
    "mid_compose",
    "before_send",
    "after_send_before_mark",
    "mid_mark",
)


class Faults:
    """Kills this process, as `kill -9` would, the first time the named step is reached."""

    def __init__(self, step: str | None = None) -> None:
        if step is not None and step not in STEPS:
            raise ValueError(f"{step!r} is not a fault step: use one of {', '.join(STEPS)}")
        self._step = step

    def hit(self, step: str) -> None:
        if step == self._step:
            os.kill(os.getpid(), signal.SIGKILL)
