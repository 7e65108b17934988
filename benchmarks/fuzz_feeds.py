"""Seeded damage to real feeds (RELIABILITY B8): `python -m benchmarks.fuzz_feeds [COUNT] [SEED]`.

Every feed must be read or refused with `ParseError` within 5 s; exits 1 otherwise.
Reads the public parser suites from `$WATCHER_SHARED` or `../shared/data`.
"""

import json
import os
import random
import resource
import sys
import time
from pathlib import Path

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


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(count: int, seed: int) -> int:
    if not (SUITES / "manifest.jsonl").is_file():
        print(f"{SUITES}: no feed suites here: set WATCHER_SHARED to the folder that holds feeds/")
        return 0
    lines = (SUITES / "manifest.jsonl").read_text("utf-8").splitlines()
    files = [row["file"] for row in map(json.loads, lines) if row["bytes"] < 50_000]
    rng, refused, bad, slowest, warm = random.Random(seed), 0, 0, 0.0, 0.0
    for number in range(count):
        name = rng.choice(files)
        body = damaged((SUITES / name).read_bytes(), rng)
        started = time.perf_counter()
        try:
            parse_feed(body, url="http://sample.example/feed")
        except ParseError as error:
            refused += 1
            if error.reason == "parser_failed":
                print(f"{number} {name}: {error}")
        except Exception as error:  # noqa: BLE001 - what escapes is what we look for
            bad += 1
            print(f"{number} {name}: escaped {type(error).__name__}: {error}")
        took = time.perf_counter() - started
        slowest, bad = max(slowest, took), bad + (took > SLOW)
        warm = peak_mib() if number == count // 5 else warm
    print(
        f"{count} feeds, seed {seed}: {refused} refused, {bad} crashed or slow, "
        f"slowest {slowest:.2f} s, peak {peak_mib():.0f} MiB (a fifth in: {warm:.0f})"
    )
    return int(bad > 0)


if __name__ == "__main__":
    default = 1_000 if "--quick" in sys.argv else 10_000
    arguments = [int(word) for word in sys.argv[1:] if word.isdigit()]
    raise SystemExit(main(*(arguments + [default, 20260530][len(arguments) :])))
