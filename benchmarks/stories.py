"""A simulated month grouped into stories: articles per second and peak memory as it goes.

    python -m benchmarks.stories [--quick]

Every event has a few telling words of its own among everyday ones; all articles are grouped.
"""

import argparse
import resource
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from watcher.model import Article
from watcher.stories.grouping import StoryIndex

START = datetime(2026, 5, 1, tzinfo=UTC)
DAYS = 30
# An event is reported about this often, over a day and a half.
REPORTS = 8
COMMON = tuple(f"common{n}" for n in range(400))


def month(count: int) -> Iterator[Article]:
    """`count` dated articles, oldest first; the same every time."""
    rng = Random(1)
    step = timedelta(days=DAYS) / count
    live = max(int(count / DAYS * 1.5 / REPORTS), 1)
    events = [_event(rng, n) for n in range(live)]
    for n in range(count):
        if n % REPORTS == 0:
            events[rng.randrange(live)] = _event(rng, live + n)
        words = (*rng.sample(events[rng.randrange(live)], 4), *rng.choices(COMMON, k=5))
        at = START + n * step
        yield Article(f"a{n}", "f", "", " ".join(words), "", at, family=f"p{n % 50}", lang="en")


def _event(rng: Random, number: int) -> tuple[str, ...]:
    return (*(f"name{rng.randrange(20_000)}" for _ in range(5)), f"case{number}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="30,000 articles, not 300,000")
    count = 30_000 if parser.parse_args().quick else 300_000
    index, stories, since = StoryIndex(), 0, time.perf_counter()
    for n, article in enumerate(month(count), 1):
        stories += index.assign(article, article.first_seen).is_new
        if n % (count // 720) == 0:
            index.expire(article.first_seen)
        if n % (count // 6) == 0:
            used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            rate = n / (time.perf_counter() - since)
            print(
                f"day {n * DAYS // count:2}  {n:7,} articles  {stories:6,} stories  "
                f"{len(index):6,} open  {used:6.1f} MB  {rate:6,.0f} articles/s"
            )


if __name__ == "__main__":
    main()
