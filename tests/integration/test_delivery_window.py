"""Real sinks and a real file: whatever the moment of a kill, one message per receiver may come again."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

from benchmarks._sinks import Arrival, Sinks
from benchmarks.outbox import fill, receivers
from watcher.clock import SystemClock
from watcher.deliver import Deliverer, Target
from watcher.faults import Faults
from watcher.fetch.door import GuardedDoor
from watcher.notices import Notices
from watcher.store.engine import open_store
from watcher.writer import Writer

COUNT = 15


@dataclass
class Watching(Sinks):
    """Reads, at each arrival and before its answer, how many earlier ones have no mark yet."""

    store: Path = Path()
    unmarked: dict[str, list[int]] = field(default_factory=lambda: {"mail": [], "hook": []})

    def _note(self, into: list[Arrival], name: bytes, body: bytes) -> None:
        which = "mail" if into is self.mail else "hook"
        with closing(sqlite3.connect(self.store)) as db:
            marked = "SELECT count(*) FROM outbox WHERE state = 'sent' AND receiver = ?"
            (count,) = db.execute(marked, (which,)).fetchone()
        self.unmarked[which].append(len(into) - count)
        super()._note(into, name, body)


def test_whatever_arrives_all_that_came_before_it_is_marked(tmp_path: Path) -> None:
    """RELIABILITY §4.1: same-id copies at most one per kill; the sinks are asked, not the sender."""
    store = open_store(tmp_path / "watcher.db")
    writer = Writer(tmp_path, reserve_bytes=0)

    async def drain(sinks: Watching) -> None:
        allow = [f"127.0.0.1:{sinks.http_port}"]
        async with GuardedDoor(user_agent="test", allow=allow) as door:
            of = receivers(door, sinks.mail_port, sinks.http_port)
            fill(store, of, {"mail": COUNT, "hook": COUNT})
            clock = SystemClock()
            deliverer = Deliverer(
                store, writer, clock=clock, notices=Notices(clock), rng=Random(1), faults=Faults()
            )
            deliverer.use({name: Target(of[name]) for name in ("mail", "hook")})
            await deliverer.finish()
            await deliverer.stop(timedelta(seconds=5))

    with Watching(store=tmp_path / "watcher.db") as sinks:
        asyncio.run(drain(sinks))
        seen = sinks.unmarked
    writer.close()
    store.close()

    assert seen == {"mail": [0] * COUNT, "hook": [0] * COUNT}
