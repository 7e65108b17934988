"""Articles per second, beside what one would write without an index. One core, one run.

    python -m benchmarks.matching            # 100, 1,000 and 10,000 rules
    python -m benchmarks.matching 100000     # as many as you like
    python -m benchmarks.matching --quick    # a few seconds, to see that it works
    PSQL="psql -h /tmp/x bench" python -m benchmarks.matching      # with PostgreSQL

Every engine gets the same articles and the same rules, and its folding, tokenising and
answer are in its time; slow ones see fewer articles. All are
held to what the compiled form answers. `SQLite FTS5` puts 1,000 articles at a
time into a table and runs every rule as a query, the strongest set-up without an engine (it
adds the wait for a batch). `wrong` counts where an engine names another set of rules; those
marked ⊃ can't say nearness, titles or negation, and are the faster for it. The last line of
each block is the limit: literals looked for, nothing decided.
"""

import argparse
import gc
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import matching_corpus, matching_peers
from benchmarks.matching_peers import Answers, Engine
from watcher.matching.index import Index
from watcher.matching.matcher import Matcher
from watcher.model import Article
from watcher.rules.compile import Rule


@dataclass(frozen=True, slots=True)
class Row:
    """One engine at one number of rules; `articles` is how many it was shown."""

    engine: str
    rules: int
    articles: int
    per_second: float
    compile_seconds: float
    megabytes: float
    hits: float
    wrong: int


# ── engines ──


def ours(rules: Sequence[Rule]) -> Engine:
    """Names of the rules that hold: what a peer gives."""
    matcher = Matcher(rules)
    return lambda batch: [matcher.hits(article) for article in batch]


def pure_python(rules: Sequence[Rule]) -> Engine:
    matcher = Matcher(rules, prefilter=Index)
    return lambda batch: [matcher.hits(article) for article in batch]


def ours_with_evidence(rules: Sequence[Rule]) -> Engine:
    """What the daemon asks for: matches with the places that decided."""
    matcher = Matcher(rules)
    return lambda batch: [[m.rule for m in matcher.match(article)] for article in batch]


# ── measuring ──


def measure(name: str, make: Callable[[Sequence[Rule]], Engine], rules: Sequence[Rule],
            batch: Sequence[Article], truth: Answers, rounds: int = 3) -> Row:  # fmt: skip
    """The best of some rounds; the first also warms up memos, as a daemon's are."""
    gc.collect()
    before, started = _resident(), time.perf_counter()
    engine = make(rules)
    compiled = time.perf_counter() - started
    answers: Answers = []
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        answers = engine(batch)
        best = min(best, time.perf_counter() - started)
    used = _resident() - before
    wrong = sum(len(set(a) ^ set(b)) for a, b in zip(answers, truth, strict=False))
    hits = sum(map(len, answers)) / len(answers)
    return Row(name, len(rules), len(batch), len(batch) / best, compiled, used, hits, wrong)


def limit(rules: Sequence[Rule], batch: Sequence[Article]) -> Row:
    scan = matching_peers.scan_limit(rules, batch)
    started = time.perf_counter()
    scan()
    spent = time.perf_counter() - started
    return Row("limit: Hyperscan scan", len(rules), len(batch), len(batch) / spent, 0, 0, 0, 0)


def _resident() -> float:
    """Megabytes in memory; 0 where /proc is absent."""
    status = Path("/proc/self/status")
    found = re.search(r"VmRSS:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else 0.0


def run(sizes: Sequence[int], articles: int, pairs: int) -> Iterator[Row]:
    """`pairs` is about how many rule × article pairs a loop over the rules may look at."""
    made = matching_corpus.corpus()
    batch = matching_corpus.articles(made, articles)
    every = matching_corpus.rules(made, max(sizes))
    for size in sizes:
        rules = every[:size]
        truth = ours(rules)(batch)

        def row(name: str, make: Callable[[Sequence[Rule]], Engine], share: float = 1e9, rounds: int = 1,
                rules: Sequence[Rule] = rules, truth: Answers = truth) -> Row:  # fmt: skip
            few = batch[: max(3, min(articles, int(pairs * share) // len(rules)))]
            return measure(name, make, rules, few, truth, rounds)

        yield row("watcher", ours, rounds=3)
        yield row("watcher, pure Python", pure_python, 100, rounds=2)
        yield row("watcher + evidence", ours_with_evidence, 100)
        yield row("SQLite FTS5 × 1000", matching_peers.fts5, 100)
        if os.environ.get("PSQL"):
            yield row("PostgreSQL ⊃", matching_peers.postgres, 10)
        yield row("substring loop ⊃", matching_peers.substrings)
        if size <= 10_000:
            yield row("naive re loop", matching_peers.naive_re)
            yield row("Hyperscan, logic ⊃", matching_peers.hyperscan_combinations, 20)
            yield limit(rules, batch)


def show(rows: Iterable[Row]) -> None:
    """As they come: some take minutes."""
    heads = f"{'rules':>7}  {'engine':<21} {'articles/s':>11} {'ours is':>10} {'compile':>8}"
    print(heads, f"{'memory':>8} {'hits/art':>9} {'wrong':>7}")
    ours = 0.0
    for row in rows:
        ours = row.per_second if row.engine == "watcher" else ours
        ratio = f"{ours / row.per_second:,.2f} ×" if row.engine != "watcher" else ""
        print(
            f"{row.rules:>7,}  {row.engine:<21} {row.per_second:>11,.1f} {ratio:>10} {row.compile_seconds:>6.2f} s"
            f" {row.megabytes:>5.0f} MB {row.hits:>9.2f} {row.wrong:>7}",
            flush=True,
        )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks.matching", description=__doc__.splitlines()[0]
    )
    parser.add_argument("sizes", nargs="*", type=int, default=[100, 1_000, 10_000])
    parser.add_argument("--quick", action="store_true", help="few articles and rules")
    options = parser.parse_args(arguments)
    if options.quick:
        show(run([20, 200], articles=40, pairs=4_000))
    else:
        show(run(options.sizes, articles=1_000, pairs=100_000))


if __name__ == "__main__":
    main()
