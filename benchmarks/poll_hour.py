"""The first hour of many feeds, in the real daemon: `python -m benchmarks.poll --hour 5000`.

Every feed is new and polled once; the clock runs forty times as fast, so the hour takes ninety
seconds, or a little more where that is too fast for the machine. The shipped rules are matched;
one document in fifty brings a headline that they know, which is told through a file. There are
five hundred documents, those of the polling benchmark.

On one of two busy cores: 5,000 feeds, 173,160 articles, 581 MiB of store; 147 MiB of memory at
its peak and 71 s of CPU, 2 % of a core.
"""

import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from benchmarks.poll_feeds import TELLING, serve
from benchmarks.poll_tree import cpu, memory
from watcher.resources import bundled
from watcher.store.engine import open_store

SPEED = 40
DOCUMENTS = 500
HEADLINE = "North Korea launches a satellite aboard a new rocket"
_HOUR = timedelta(hours=1)
_PATIENCE = 30.0


def configure(folder: Path, port: int, count: int) -> None:
    shutil.copytree(bundled("config"), folder, dirs_exist_ok=True)
    feeds = [
        {"id": f"f{n}", "url": f"http://127.0.0.1:{port}/{n}", "initial": int(_tells(n))}
        for n in range(count)
    ]
    settings = {
        "data": "data",
        "http": {"allow": [f"127.0.0.1:{port}"]},
        "poll": {"every": "1h", "min": "1h", "max": "1h", "per_host": 50, "host_spacing": "0s"},
        "log": {"level": "error"},
        "receivers": [{"id": "folder", "type": "file", "folder": "told"}],
        "routes": [{"receivers": ["folder"]}],
    }
    (folder / "feeds.yaml").write_text(yaml.safe_dump({"feeds": feeds}))
    (folder / "watcher.yaml").write_text(yaml.safe_dump(settings))


def _tells(number: int) -> bool:
    return number % DOCUMENTS % TELLING == 1


def spread(folder: Path, start: datetime) -> None:
    """The feeds are known, and due one after the other through the hour."""
    feeds = yaml.safe_load((folder / "feeds.yaml").read_text())["feeds"]
    store = open_store(folder / "data" / "watcher.db")
    with store.begin() as tx:
        tx.feeds.sync([(feed["id"], feed["url"]) for feed in feeds], start, _HOUR * 0.97)
    store.close()


def polled(folder: Path) -> int:
    with closing(sqlite3.connect(f"file:{folder}/data/watcher.db?mode=ro", uri=True)) as store:
        query = "SELECT count(*) FROM feed WHERE last_success_at IS NOT NULL"
        return int(store.execute(query).fetchone()[0])


def watched(process: subprocess.Popen[bytes], folder: Path, count: int) -> tuple[int, float]:
    """Peak memory in KiB and CPU seconds, when the hour is over and every feed was polled."""
    peak, end = 0, time.monotonic() + _HOUR.total_seconds() / SPEED
    while process.poll() is None:
        peak = max(peak, memory(process.pid))
        time.sleep(0.5)
        late = time.monotonic() - end
        if late > 0 and (polled(folder) == count or late > _PATIENCE):
            break
    return peak, cpu(process.pid)


def main(count: int) -> None:
    spawn = multiprocessing.get_context("spawn")
    ports: Any = spawn.Queue()
    cores = sorted(os.sched_getaffinity(0))
    server = spawn.Process(target=serve, args=(ports, DOCUMENTS, cores[0], HEADLINE), daemon=True)
    server.start()
    with tempfile.TemporaryDirectory() as name:
        folder, start = Path(name), datetime.now(UTC)
        try:
            configure(folder, ports.get(timeout=300), count)
            spread(folder, start)
            peak, spent = run(folder, count, start)
        finally:
            server.kill()
        report(folder, count, peak, spent)


def run(folder: Path, count: int, start: datetime) -> tuple[int, float]:
    command = [sys.executable, "-m", "watcher", "--config", str(folder), "run"]
    clock = f"{start:%Y-%m-%dT%H:%M:%SZ}*{SPEED}"
    process = subprocess.Popen(command, env={**os.environ, "WATCHER_CLOCK": clock})
    try:
        return watched(process, folder, count)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def report(folder: Path, count: int, peak: int, spent: float) -> None:
    store = open_store(folder / "data" / "watcher.db")
    with store.read() as tx:
        articles = tx.articles.count()
    store.close()
    done = polled(folder)
    told = len(list((folder / "told").glob("*.html")))
    size = (folder / "data" / "watcher.db").stat().st_size
    share = spent / _HOUR.total_seconds()
    print(f"feeds polled        {done:8} of {count}")
    print(f"articles stored     {articles:8}, {size / 2**20:.0f} MiB")
    print(f"messages            {told:8}")
    print(f"peak memory         {peak / 1024:8.0f} MiB, daemon and parsers")
    print(f"CPU                 {spent:8.1f} s, {share:.1%} of a core through the hour")
    print(f"                    {spent / max(done, 1) * 1e3:8.1f} ms a feed")
