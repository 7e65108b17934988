"""Three poll cycles over distinct local feeds, beside lemon24 `reader`, newsboat and rss2email.

    python -m benchmarks.poll [--quick] [--feeds N] [--only NAME,…]
    python -m benchmarks.poll --hour 5000

The feeds are RSS and Atom of 20 to 50 entries and 10 to 200 KB, the same for every run. Cycle one
is all new, cycle two all 304 (the mean of five), in cycle three one feed in twenty has news. The server has a core of
its own; whoever polls gets another one, with all its threads and children. Everybody stores on
disk; ours also matches the shipped rules, groups stories and keeps a full-text index. CPU is what
the whole tree of processes took, so that other work on the machine changes little; memory is that
tree's peak. `--hour` is told of in `poll_hour`.

On one of two busy cores, feeds per second of CPU: ours 105, 6,250 and 1,695 with 147 MiB, reader 26,
781 and 329, newsboat 94, 59 and 169. Where the time goes: docs/decisions/0179.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import poll_peers
from benchmarks.poll_feeds import serve
from benchmarks.poll_tree import memory

CYCLES = ("all new", "all 304", "5 % new")
# The slower peers repeat nothing that a sample of the feeds would not show.
SAMPLE = {"newsboat": 4, "rss2email": 20}


def contest(name: str, port: int, count: int, core: int) -> dict[str, Any] | None:
    """Run one contender in a process of its own; None when it is not installed."""
    command = ["taskset", "-c", str(core), sys.executable, "-m", "benchmarks.poll"]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [
                *command,
                "--contender",
                name,
                "--port",
                str(port),
                "--feeds",
                str(count),
                "--folder",
                folder,
            ],
            stdout=subprocess.PIPE,
        )
        peak = 0
        while process.poll() is None:
            peak = max(peak, memory(process.pid))
            time.sleep(0.2)
        assert process.stdout is not None
        said = process.stdout.read().decode().strip().splitlines()
    if process.returncode != 0:
        raise SystemExit(f"{name} failed")
    found = json.loads(said[-1])
    return None if found is None else {"took": found, "peak": peak, "feeds": count}


def row(name: str, found: dict[str, Any]) -> str:
    by_clock, by_cpu = (
        "".join(f"{found['feeds'] / max(seconds, 0.01):10.0f}" for seconds in column)
        for column in zip(*found["took"], strict=True)
    )
    return f"{name:<12}{found['feeds']:6}{by_cpu}{found['peak'] / 2**10:10.0f} {by_clock}"


def compete(names: list[str], feeds: int) -> None:
    cores = sorted(os.sched_getaffinity(0))
    spawn = multiprocessing.get_context("spawn")
    ports: Any = spawn.Queue()
    server = spawn.Process(target=serve, args=(ports, feeds, cores[0]), daemon=True)
    server.start()
    names_of_cycles = "".join(f"{cycle:>10}" for cycle in CYCLES)
    print(f"{'':18}{'feeds per second of CPU':>30}{'':11}{'feeds per second by the clock':>30}")
    print(f"{'':13}feeds{names_of_cycles}  peak MiB {names_of_cycles}")
    try:
        port = ports.get(timeout=300)
        for name in names:
            count = max(feeds // SAMPLE.get(name, 1), 1)
            found = contest(name, port, count, cores[-1])
            print(row(name, found) if found else f"{name:<16} is not installed", flush=True)
    finally:
        server.kill()
        server.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke test of the benchmark itself")
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--only", default=",".join(poll_peers.CONTENDERS))
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--hour", type=int, metavar="N", help="the first hour of N feeds")
    asked = parser.parse_args()
    if asked.hour:
        # Parsers import this module again when they are spawned: keep it light.
        from benchmarks import poll_hour

        poll_hour.main(asked.hour)
        return
    if asked.contender:
        run = poll_peers.CONTENDERS[asked.contender]
        print(json.dumps(run(asked.port, asked.feeds, asked.folder)))
        return
    compete(asked.only.split(","), 20 if asked.quick else asked.feeds)


if __name__ == "__main__":
    main()
