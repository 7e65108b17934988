"""Dated articles as `watcher replay` reads them, as many as wanted: for tests and benchmarks.

    python -m watcher.demo.archive 10000 > articles.jsonl

Everyday articles over as many days as it takes; the hand-written stories come back every
tenth day. The same count and seed give the same bytes on every machine.
"""

import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from watcher.demo.formats import link
from watcher.demo.newsday import DAY, Noise, Piece, read_outlets, stories

PER_DAY = 340
STORIES_EVERY = 10


def archive_lines(count: int = 10_000, seed: int = 1) -> Iterator[str]:
    """JSON objects without line ends, oldest first."""
    outlets = read_outlets()
    for number, piece in enumerate(_pieces(count, seed)):
        outlet = outlets[piece.source or piece.outlet]
        yield json.dumps(
            {
                "id": f"{number:06}-{piece.id}",
                "url": link(outlets[piece.outlet], piece),
                "title": piece.title,
                "text": piece.text,
                "published": piece.at.isoformat().replace("+00:00", "Z"),
                "publisher": outlet.name,
                "feed": piece.outlet,
                "lang": outlet.lang,
            },
            ensure_ascii=False,
        )


def _pieces(count: int, seed: int) -> Iterator[Piece]:
    rng = Random(seed)
    noise = Noise(rng)
    writing = [outlet for outlet in read_outlets().values() if outlet.noise]
    weights = [outlet.noise for outlet in writing]
    days = -(-count // PER_DAY)
    first = DAY - timedelta(days=days - 1)
    for n in range(days):
        day: datetime = first + timedelta(days=n)
        wanted = min(PER_DAY, count - n * PER_DAY)
        pieces = stories(day)[:wanted] if n % STORIES_EVERY == 0 else []
        for outlet in rng.choices(writing, weights, k=wanted - len(pieces)):
            pieces.append(noise.piece(outlet, day + timedelta(seconds=rng.randrange(86_400))))
        yield from sorted(pieces, key=lambda p: (p.at, p.id))


if __name__ == "__main__":
    for line in archive_lines(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000):
        sys.stdout.write(line + "\n")
