"""Queued notifications to sinks on loopback: how fast the outbox drains, and whether anyone waits.

    python -m benchmarks.outbox [--quick]

The store is a file with every commit synced, the sinks are another process. The floors are loops around
the libraries alone, without a store, sending the same messages.
"""

import argparse
import asyncio
import io
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import aiosmtplib
import structlog

from benchmarks._sinks import apart
from watcher.clock import SystemClock
from watcher.deliver import Deliverer, Target
from watcher.faults import Faults
from watcher.fetch.door import GuardedDoor
from watcher.model import DigestKind, Notification
from watcher.notices import Notices, freeze
from watcher.notify import load
from watcher.notify._mime import build
from watcher.notify.settings import Tools
from watcher.ports import Door, Receiver
from watcher.render.sample import sample_digest
from watcher.render.templates import TemplateRenderer
from watcher.store.engine import Store, open_store
from watcher.writer import Writer

TEMPLATES = Path(__file__).parents[1] / "templates"
SMALL = 100


def receivers(door: Door, mail_port: int, http_port: int) -> dict[str, Receiver]:
    tools = Tools(door, TemplateRenderer([TEMPLATES]), Path(), io.StringIO())
    mail = {
        "host": "127.0.0.1",
        "port": mail_port,
        "tls": "none",
        "from": "watcher@sample.example",
        "to": "reader@sample.example",
    }
    hook = {"url": f"http://127.0.0.1:{http_port}/", "secret": "whsec_" + "c2VjcmV0" * 4}
    made = {}
    for name, kind, keys in (
        ("mail", "email", mail),
        ("hook", "webhook", hook),
        ("small", "webhook", hook),
    ):
        module = load(kind)
        settings = module.Settings.model_validate({"id": name, "type": kind, **keys})
        made[name] = module.Receiver(settings, tools)
    return made


def queued(receiver: Receiver, name: str, count: int) -> Iterator[Notification]:
    """One alert, composed once and queued under many keys."""
    digest = sample_digest(receiver=name, kind=DigestKind.ALERT)
    (first,) = freeze(replace(digest, at=datetime.now(UTC)), receiver, ())
    return (replace(first, key=f"{first.key}-{n}") for n in range(count))


def fill(store: Store, of: Mapping[str, Receiver], counts: Mapping[str, int]) -> None:
    with store.begin() as tx:
        for name, count in counts.items():
            for notification in queued(of[name], name, count):
                tx.outbox.enqueue(notification)


@contextmanager
def fresh_store() -> Iterator[tuple[Store, Writer]]:
    with tempfile.TemporaryDirectory(prefix="watcher-outbox-") as folder:
        store, writer = open_store(Path(folder) / "watcher.db"), Writer(Path(folder))
        try:
            yield store, writer
        finally:
            writer.close()
            store.close()


async def drain(mail_port: int, http_port: int, counts: Mapping[str, int]) -> dict[str, float]:
    """Seconds until each receiver's queue is empty, all of them filled at the start."""
    http = f"127.0.0.1:{http_port}"
    ends: dict[str, float] = {}
    async with GuardedDoor(user_agent="bench", allow=[http]) as door:
        of = receivers(door, mail_port, http_port)
        with fresh_store() as (store, writer):
            fill(store, of, counts)
            notices = Notices(SystemClock())
            deliverer = Deliverer(
                store, writer, clock=SystemClock(), notices=notices, rng=Random(1), faults=Faults()
            )
            deliverer.use({name: Target(receiver) for name, receiver in of.items()})
            began = time.perf_counter()
            work = asyncio.create_task(deliverer.finish())
            while len(ends) < len(counts):
                await asyncio.sleep(0.1)
                with store.read() as tx:
                    left = tx.outbox.counts()
                for name, count in counts.items():
                    if left.get((name, "sent"), 0) == count:
                        ends.setdefault(name, time.perf_counter() - began)
            await work
            await deliverer.stop(timedelta(seconds=5))
    return ends


async def smtp_floor(mail_port: int, http_port: int, count: int) -> float:
    """The library alone, one connection, the bytes built each time as a receiver must."""
    async with GuardedDoor(user_agent="bench") as door:
        mail = receivers(door, mail_port, http_port)["mail"]
        payloads = [n.payload for n in queued(mail, "mail", 1)] * count
    began = time.perf_counter()
    async with aiosmtplib.SMTP(
        hostname="127.0.0.1", port=mail_port, use_tls=False, start_tls=False
    ) as client:
        for payload in payloads:
            to = parseaddr(str(payload["to"]))[1]
            await client.sendmail("watcher@sample.example", [to], build(payload))
    return time.perf_counter() - began


async def http_floor(mail_port: int, http_port: int, count: int) -> float:
    async with GuardedDoor(user_agent="bench") as door:
        hook: Any = receivers(door, mail_port, http_port)["hook"]
        (one,) = queued(hook, "hook", 1)
    began = time.perf_counter()
    async with aiohttp.ClientSession() as session:
        for _ in range(count):
            async with session.post(
                f"http://127.0.0.1:{http_port}/", data=one.payload["body"]
            ) as answer:
                await answer.read()
    return time.perf_counter() - began


async def measure(count: int) -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with apart() as ports:
        floor = await smtp_floor(*ports, count)
        tell("plain aiosmtplib loop, one connection", count, floor)
        tell("plain aiohttp loop", count, await http_floor(*ports, count))
        ends = await drain(*ports, {"mail": count, "small": SMALL})
        tell("outbox to email", count, ends["mail"])
        tell(f"  {SMALL} to a second receiver meanwhile", SMALL, ends["small"])
        ends = await drain(*ports, {"hook": count, "small": SMALL})
        tell("outbox to a webhook", count, ends["hook"])
        tell(f"  {SMALL} to a second receiver meanwhile", SMALL, ends["small"])
        ends = await drain(*ports, {"mail": count, "hook": count})
        tell("outbox to both at once", 2 * count, max(ends.values()))


def tell(what: str, count: int, seconds: float) -> None:
    print(f"{what:45} {count:7,} in {seconds:6.1f} s  {count / seconds:7,.0f}/s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="1,000 instead of 10,000")
    asyncio.run(measure(1_000 if parser.parse_args().quick else 10_000))


if __name__ == "__main__":
    main()
