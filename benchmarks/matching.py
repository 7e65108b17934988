"""Articles per second, beside what one would write without an index. One core, one run.

    python -m benchmarks.matching            # 100, 1,000 and 10,000 rules
    python -m benchmarks.matching 100000     # as many as you like
    python -m benchmarks.matching --quick    # a few seconds, to see that it works

Every engine gets the same articles and the same rules, and its folding, tokenising and
answer are in its time. `naive re` runs one compiled alternation per group of synonyms,
rule after rule; `SQLite FTS5` puts 1,000 articles at a time into a table and runs every rule
as a query, the strongest set-up without an engine (it adds the wait for a batch). All must
name the same rules for the same articles; `wrong` counts where one does not.
"""

import argparse
import gc
import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import matching_corpus
from watcher.matching.index import Index
from watcher.matching.matcher import Matcher
from watcher.model import Article
from watcher.rules import clauses as c
from watcher.rules.compile import Rule
from watcher.tokens import fold_tokens

Answers = list[list[str]]
Engine = Callable[[Sequence[Article]], Answers]


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


def naive_re(rules: Sequence[Rule]) -> Engine:
    tests = [(rule.id, _re_test(rule.when)) for rule in rules]

    def run(batch: Sequence[Article]) -> Answers:
        texts = [(_folded(article.title), _folded(article.text)) for article in batch]
        return [
            sorted(name for name, test in tests if test((title, body))) for title, body in texts
        ]

    return run


def fts5(rules: Sequence[Rule]) -> Engine:
    queries = [(rule.id, _fts_query(rule.when)) for rule in rules]

    def run(batch: Sequence[Article]) -> Answers:
        base = sqlite3.connect(":memory:")
        base.execute(
            "CREATE VIRTUAL TABLE t USING fts5(title, body, tokenize='unicode61 remove_diacritics 0')"
        )
        base.executemany(
            "INSERT INTO t(rowid, title, body) VALUES (?, ?, ?)",
            [(n, _folded(a.title), _folded(a.text)) for n, a in enumerate(batch, 1)],
        )
        found: Answers = [[] for _ in batch]
        for name, query in queries:
            for (row,) in base.execute("SELECT rowid FROM t WHERE t MATCH ?", (query,)):
                found[row - 1].append(name)
        base.close()
        return [sorted(names) for names in found]

    return run


def _folded(text: str) -> str:
    return f" {' '.join(fold_tokens(text))} "


# ── the same rules in other words ──

Fields = tuple[str, str]
ReTest = Callable[[Fields], bool]


def _re_test(clause: c.Clause, fields: slice = slice(0, 2)) -> ReTest:
    match clause:
        case c.All(parts):
            tests = [_re_test(part, fields) for part in parts]
            return lambda texts: all(test(texts) for test in tests)
        case c.Not(parts):
            inner = _re_test(c.Any(parts), fields)
            return lambda texts: not inner(texts)
        case c.AtLeast(count, parts):
            tests = [_re_test(part, fields) for part in parts]
            return lambda texts: sum(test(texts) for test in tests) >= count
        case c.Scoped(("title",), inner_clause):
            return _re_test(inner_clause, slice(0, 1))
        case c.Near((left, right), within):
            between = rf" (?:\S+ ){{0,{within}}}"
            a, b = _alternation(left), _alternation(right)
            search = re.compile(f" {a}{between}{b}(?= )| {b}{between}{a}(?= )").search
        case c.Phrase() | c.Any():
            search = re.compile(f" {_alternation(clause)}(?= )").search
        case _:
            raise TypeError(f"no regex for {clause}")
    return lambda texts: any(search(text) for text in texts[fields])


def _alternation(term: c.Clause) -> str:
    parts = term.parts if isinstance(term, c.Any) else (term,)
    return f"(?:{'|'.join(map(_re_phrase, parts))})"


def _re_phrase(phrase: c.Clause) -> str:
    assert isinstance(phrase, c.Phrase)
    return " ".join(
        re.escape(word.prefix) + r"\S*" if word.prefix else re.escape(word.text)
        for word in phrase.words
    )


def _fts_query(clause: c.Clause) -> str:
    match clause:
        case c.All(parts):
            good = " AND ".join(_fts_query(p) for p in parts if not isinstance(p, c.Not))
            bad = [_fts_query(c.Any(p.parts)) for p in parts if isinstance(p, c.Not)]
            return f"({good})" + "".join(f" NOT {query}" for query in bad)
        case c.Any(parts):
            return f"({' OR '.join(map(_fts_query, parts))})"
        case c.AtLeast(1, parts):
            return _fts_query(c.Any(parts))
        case c.AtLeast(2, parts):
            pairs = [c.All((a, b)) for n, a in enumerate(parts) for b in parts[n + 1 :]]
            return _fts_query(c.Any(tuple(pairs)))
        case c.Scoped(("title",), inner):
            return f"title : {_fts_query(inner)}"
        case c.Near((left, right), within):
            a, b = (t.parts if isinstance(t, c.Any) else (t,) for t in (left, right))
            pairs_of = [f"NEAR({_fts_query(x)} {_fts_query(y)}, {within})" for x in a for y in b]
            return f"({' OR '.join(pairs_of)})"
        case c.Phrase(words):
            star = "*" if words[-1].prefix else ""
            return f'"{" ".join(w.prefix or w.text for w in words)}"{star}'
        case _:
            raise TypeError(f"no query for {clause}")


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
    wrong = sum(len(set(a) ^ set(b)) for a, b in zip(answers, truth, strict=False))
    hits = sum(map(len, answers)) / len(answers)
    used = _resident() - before
    return Row(name, len(rules), len(batch), len(batch) / best, compiled, used, hits, wrong)


def _resident() -> float:
    """Megabytes in memory; 0 where /proc is absent."""
    status = Path("/proc/self/status")
    found = re.search(r"VmRSS:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else 0.0


def run(sizes: Sequence[int], articles: int, naive_budget: int) -> list[Row]:
    """`naive_budget` is about how many rule × article pairs the regex loop may look at."""
    made = matching_corpus.corpus()
    batch = matching_corpus.articles(made, articles)
    every = matching_corpus.rules(made, max(sizes))
    rows: list[Row] = []
    for size in sizes:
        rules = every[:size]
        few = batch[: max(3, min(articles, naive_budget // size))]
        truth = ours_with_evidence(rules)(batch)
        rows += [
            measure("watcher", ours, rules, batch, truth),
            measure("watcher, pure Python", pure_python, rules, batch, truth),
            measure("watcher + evidence", ours_with_evidence, rules, batch, truth),
            measure("SQLite FTS5 × 1000", fts5, rules, batch, truth, rounds=1),
            measure("naive re loop", naive_re, rules, few, truth, rounds=1),
        ]
    return rows


def show(rows: Sequence[Row]) -> None:
    heads = f"{'rules':>7}  {'engine':<20} {'articles/s':>11} {'ours is':>9} {'compile':>8}"
    print(heads, f"{'memory':>8} {'hits/art':>9} {'wrong':>6}")
    for row in rows:
        fastest = next(r for r in rows if r.rules == row.rules)
        ratio = f"{fastest.per_second / row.per_second:,.1f} ×" if row is not fastest else ""
        print(
            f"{row.rules:>7,}  {row.engine:<20} {row.per_second:>11,.1f} {ratio:>9} {row.compile_seconds:>6.2f} s"
            f" {row.megabytes:>5.0f} MB {row.hits:>9.2f} {row.wrong:>6}"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks.matching", description=__doc__.splitlines()[0]
    )
    parser.add_argument("sizes", nargs="*", type=int, default=[100, 1_000, 10_000])
    parser.add_argument("--quick", action="store_true", help="few articles and rules")
    options = parser.parse_args(arguments)
    if options.quick:
        show(run([20, 200], articles=40, naive_budget=4_000))
    else:
        show(run(options.sizes, articles=1_000, naive_budget=100_000))


if __name__ == "__main__":
    main()
