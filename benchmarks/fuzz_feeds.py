"""Seeded damage to real feeds (RELIABILITY B8): `python -m benchmarks.fuzz_feeds [COUNT] [SEED]`.

Every feed must be read or refused with `ParseError` within 5 s, and what the fast parser takes
feedparser must read alike; memory may grow by 5 % (or 8 MiB) after the first fifth. Exits 1 otherwise.
One in four is well-formed and made up, so that the fast parser has its share.
Reads the public parser suites from `$WATCHER_SHARED` or `../shared/data`.
"""

import json
import os
import random
import resource
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from benchmarks.made_up_feeds import made_up
from watcher.errors import ParseError
from watcher.sources.parse import parse_feed

SUITES = (
    Path(
        os.environ.get("WATCHER_SHARED")
        or os.environ.get("SHARED_DATA")
        or Path(__file__).parents[2] / "shared" / "data"
    )
    / "feeds"
)
SLOW = 5.0
URL = "http://sample.example/feed"
PIECES = (
    b"<",
    b">",
    b"&",
    b"\x00",
    b"]]>",
    b"<!--",
    b"<![CDATA[",
    b"&#0;",
    b"\xff\xfe",
    b"</item>",
)


def damaged(body: bytes, rng: random.Random) -> bytes:
    """Bytes replaced, runs doubled or dropped."""
    result = bytearray(body)
    for _ in range(rng.randrange(1, 12)):
        at, length = rng.randrange(len(result) + 1), rng.randrange(40)
        piece = rng.choice(
            (*PIECES, bytes([rng.randrange(256)]), bytes(result[at : at + length]) * 2)
        )
        result[at : at + rng.randrange(4)] = piece
    return bytes(result)


def resident_mib() -> float:
    """Now, unlike the peak; Linux only, as the limits of the parser are."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 1024 / 1024


def trouble_with(body: bytes, counts: Counter[str]) -> str:
    """What is wrong with how this is read; empty when all is well."""
    try:
        feed = parse_feed(body, url=URL)
    except ParseError as error:
        counts["refused"] += 1
        return str(error) if error.reason == "parser_failed" else ""
    except Exception as error:  # noqa: BLE001 - what escapes is what we look for
        return f"escaped {type(error).__name__}: {error}"
    counts[feed.parser] += 1
    if feed.parser == "fast" and not feed.format.startswith(("json", "news")):
        other = parse_feed(body, url=URL, fast=False)
        return "" if replace(other, parser="fast") == feed else "feedparser reads it otherwise"
    return ""


def main(count: int, seed: int) -> int:
    if not (SUITES / "manifest.jsonl").is_file():
        print(f"{SUITES}: no feed suites here: set WATCHER_SHARED to the folder that holds feeds/")
        return 0
    lines = (SUITES / "manifest.jsonl").read_text("utf-8").splitlines()
    files = [row["file"] for row in map(json.loads, lines) if row["bytes"] < 50_000]
    rng, counts, bad, slowest, warm = random.Random(seed), Counter[str](), 0, 0.0, 0.0
    for number in range(count):
        name = rng.choice(files) if number % 4 else "made up"
        body = damaged((SUITES / name).read_bytes(), rng) if number % 4 else made_up(rng).encode()
        started = time.perf_counter()
        trouble = trouble_with(body, counts)
        took = time.perf_counter() - started
        trouble = trouble or (f"took {took:.1f} s" if took > SLOW else "")
        if trouble:
            bad += 1
            print(f"{number} {name}: {trouble}")
        slowest = max(slowest, took)
        warm = resident_mib() if number == count // 5 else warm
    grown = resident_mib() / warm - 1
    print(
        f"{count} feeds, seed {seed}: {counts['fast']} by the fast parser, {counts['feedparser']} by "
        f"feedparser, {counts['refused']} refused; {bad} in trouble, slowest {slowest:.2f} s, "
        f"{resident_mib():.0f} MiB ({grown:+.1%} since a fifth)"
    )
    # Caches fill up; a leak goes on.
    return int(bad > 0 or (grown > 0.05 and grown * warm > 8))


if __name__ == "__main__":
    default = 1_000 if "--quick" in sys.argv else 10_000
    arguments = [int(word) for word in sys.argv[1:] if word.isdigit()]
    raise SystemExit(main(*(arguments + [default, 20260530][len(arguments) :])))
