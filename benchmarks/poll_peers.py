"""Who polls in the polling benchmark: each runs the three cycles and says how long they took."""

import asyncio
import http.client
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import yaml

from benchmarks.poll_tree import cpu

# By the clock and in CPU seconds, each cycle.
Cycles = list[tuple[float, float]] | None
# What the feeds show in each cycle, how many of them are as before, and how often it is run:
# CPU is counted in hundredths of a second, of which a cycle of nothing new takes a few.
PLAN = ((0, 0.0, 1), (0, 1.0, 5), (1, 0.95, 1))


def _address(port: int, number: int) -> str:
    return f"http://127.0.0.1:{port}/{number}"


def _edition(port: int, number: int) -> None:
    """What the feeds show from now on."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", f"/edition/{number}")
    connection.getresponse().read()
    connection.close()


class Stopwatch:
    """`with watch.of(times)` around so many runs of a cycle notes how long one took."""

    def __init__(self) -> None:
        self.took: list[tuple[float, float]] = []

    @contextmanager
    def of(self, times: int) -> Iterator[None]:
        wall, spent = time.perf_counter(), cpu(os.getpid())
        yield
        wall, spent = time.perf_counter() - wall, cpu(os.getpid()) - spent
        self.took.append((wall / times, spent / times))


def _timed(port: int, cycle: Callable[[], object]) -> Cycles:
    watch = Stopwatch()
    for edition, _, times in PLAN:
        _edition(port, edition)
        with watch.of(times):
            for _ in range(times):
                cycle()
    return watch.took


def watcher(port: int, count: int, folder: Path) -> Cycles:
    """The service itself, with its shipped rules and publishers."""
    from watcher.app import App
    from watcher.config.load import load_config
    from watcher.daemon import collect_rarely
    from watcher.logs import configure
    from watcher.resources import bundled

    configure("json", "error")
    collect_rarely()
    shutil.copytree(bundled("config"), folder / "config")
    feeds = [{"id": f"f{n}", "url": _address(port, n)} for n in range(count)]
    (folder / "config" / "feeds.yaml").write_text(yaml.safe_dump({"feeds": feeds}))
    settings = {
        "data": "../data",
        "http": {"allow": [f"127.0.0.1:{port}"]},
        "poll": {"per_host": 50, "host_spacing": "0s"},
        "receivers": [{"id": "console", "type": "stdout"}],
        "routes": [{"receivers": ["console"]}],
    }
    (folder / "config" / "watcher.yaml").write_text(yaml.safe_dump(settings))

    async def cycle(app: App) -> list[Any]:
        gate = asyncio.Semaphore(50)

        async def poll(state: Any) -> Any:
            async with gate:
                return await app.poll(state)

        return await asyncio.gather(*map(poll, await app.claim_all()))

    async def cycles() -> Cycles:
        watch = Stopwatch()
        async with AsyncExitStack() as stack:
            app = await App.open(stack, load_config(folder / "config", {}), Random(1))
            for edition, share, times in PLAN:
                _edition(port, edition)
                with watch.of(times):
                    for _ in range(times):
                        reports = await cycle(app)
                assert not any(report.error for report in reports)
                same = sum(report.outcome == "not_modified" for report in reports)
                assert same == int(count * share), same
        return watch.took

    return asyncio.run(cycles())


def reader(port: int, count: int, folder: Path) -> Cycles:
    """lemon24 reader with its defaults, and ten workers."""
    try:
        from reader import make_reader
    except ImportError:
        return None
    made = make_reader(str(folder / "reader.db"))
    for n in range(count):
        made.add_feed(_address(port, n))
    # Its default leaves a feed that was just updated alone.
    return _timed(port, lambda: made.update_feeds(scheduled=False, workers=10))


def newsboat(port: int, count: int, folder: Path) -> Cycles:
    if shutil.which("newsboat") is None:
        return None
    (folder / "urls").write_text("".join(f"{_address(port, n)}\n" for n in range(count)))
    (folder / "config").write_text("reload-threads 10\nsuppress-first-reload yes\n")
    names = (("u", "urls"), ("c", "cache.db"), ("C", "config"))
    command = ["newsboat", *(f"-{flag}{folder / name}" for flag, name in names), "-x", "reload"]
    return _timed(port, lambda: subprocess.run(command, check=True, capture_output=True))


def rss2email(port: int, count: int, folder: Path) -> Cycles:
    """Only fetching, parsing and its list of seen entries: nothing is sent."""
    if shutil.which("r2e") is None:
        return None
    command = ["r2e", "-c", str(folder / "r2e.cfg"), "-d", str(folder / "r2e.json")]
    subprocess.run([*command, "new", "nobody@sample.example"], check=True, capture_output=True)
    for n in range(count):
        subprocess.run(
            [*command, "add", f"f{n}", _address(port, n)], check=True, capture_output=True
        )
    run = [*command, "run", "--no-send"]
    return _timed(port, lambda: subprocess.run(run, check=True, capture_output=True))


CONTENDERS: dict[str, Callable[[int, int, Path], Cycles]] = {
    "watcher": watcher,
    "reader": reader,
    "newsboat": newsboat,
    "rss2email": rss2email,
}
