"""Parsing beside feedparser, in one run on one core: `python -m benchmarks.parsing [--quick]`.

Prints CPU time, so that other work on the machine changes little. `fast` is `parse_feed`;
`tolerant` is what a feed costs that is not well-formed; `feedparser` is its own `parse`, as it
comes, and gives markup where we give text.
"""

import io
import os
import sys
import time
from collections.abc import Callable

import feedparser

from benchmarks.made_up_feeds import usual
from benchmarks.poll_feeds import feed
from watcher.sources.html import html_to_text
from watcher.sources.parse import parse_feed

URL = "https://sample.example/feed"


def once(work: Callable[[bytes], object], bodies: list[bytes], seconds: float) -> float:
    """CPU seconds for one body; the best of rounds that fill `seconds`."""
    best, end = float("inf"), time.process_time() + seconds
    while time.process_time() < end:
        started = time.process_time()
        for body in bodies:
            work(body)
        best = min(best, (time.process_time() - started) / len(bodies))
    return best


def main(seconds: float) -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rows: dict[str, Callable[[bytes], object]] = {
        "fast": lambda body: parse_feed(body, url=URL),
        "tolerant": lambda body: parse_feed(body, url=URL, fast=False),
        "feedparser": lambda body: feedparser.parse(io.BytesIO(body)),
    }
    sets = {
        "30 usual items": [usual(seed) for seed in range(4)],
        "polling benchmark": [feed(number) for number in range(20)],
    }
    for name, bodies in sets.items():
        size = sum(map(len, bodies)) / len(bodies)
        costs = {row: once(work, bodies, seconds) for row, work in rows.items()}
        print(f"{name}, {size / 1024:.0f} KiB each")
        for row, cost in costs.items():
            print(
                f"  {row:<11}{cost * 1e3:7.2f} ms {1 / cost:7.0f} feeds/s {size / cost / 1e6:7.1f} MB/s"
                f"  {costs['feedparser'] / cost:5.1f} x feedparser"
            )
    markup = [f"<p>{'word ' * 60}<a href='/x'>link</a> &amp; more</p>".encode() * 8]
    cost = once(lambda body: html_to_text(body.decode()), markup, seconds / 4)
    print(f"markup to text: {cost * 1e6:.0f} us for {len(markup[0])} bytes")


if __name__ == "__main__":
    main(0.5 if "--quick" in sys.argv else 3.0)
