"""Other ways to ask the same rules of the same articles.

`superset` engines can't say everything (no nearness, no title, no negation): they name more
rules than hold, and are shown because they are faster so. FTS5's NEAR lets a word be near itself.
"""

import itertools
import os
import re
import shlex
import sqlite3
import subprocess
from collections.abc import Callable, Collection, Iterator, Sequence

from watcher.model import Article
from watcher.rules import clauses as c
from watcher.rules.compile import Rule
from watcher.tokens import fold_tokens

Answers = Sequence[Collection[str]]
Engine = Callable[[Sequence[Article]], Answers]


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
        found: list[list[str]] = [[] for _ in batch]
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


# ── substrings ──


def substrings(rules: Sequence[Rule]) -> Engine:
    """`x in text` for every term, rule after rule; nearness is only both there."""
    tests = [(rule.id, _in_test(rule.when)) for rule in rules]

    def run(batch: Sequence[Article]) -> Answers:
        texts = [_folded(f"{article.title} {article.text}") for article in batch]
        return [[name for name, test in tests if test(text)] for text in texts]

    return run


def _in_test(clause: c.Clause) -> Callable[[str], bool]:
    match clause:
        case c.All(parts):
            tests = [_in_test(part) for part in parts]
            return lambda text: all(test(text) for test in tests)
        case c.Not(parts):
            tests = [_in_test(part) for part in parts]
            return lambda text: not any(test(text) for test in tests)
        case c.AtLeast(count, parts):
            tests = [_in_test(part) for part in parts]
            return lambda text: sum(test(text) for test in tests) >= count
        case c.Scoped(_, inner):
            return _in_test(inner)
        case c.Near(terms):
            return _in_test(c.All(terms))
        case c.Any(parts):
            tests = [_in_test(part) for part in parts]
            return lambda text: any(test(text) for test in tests)
        case _:
            needle = _needle(clause)
            return lambda text: needle in text


def _needle(phrase: c.Clause) -> str:
    assert isinstance(phrase, c.Phrase)
    words = " ".join(word.prefix or word.text for word in phrase.words)
    return f" {words}" if phrase.words[-1].prefix else f" {words} "


# ── Hyperscan ──


def hyperscan_combinations(rules: Sequence[Rule]) -> Engine:
    """Its logical combinations: AND and OR of literals; no nearness, negation or title."""
    import hyperscan

    numbers: dict[str, int] = {}

    def said(clause: c.Clause) -> str:
        match clause:
            case c.All(parts):
                return f"({' & '.join(said(p) for p in parts if not isinstance(p, c.Not))})"
            case c.Any(parts) | c.AtLeast(1, parts):
                return f"({' | '.join(map(said, parts))})"
            case c.AtLeast(count, parts):
                some = itertools.combinations(parts, count)
                return f"({' | '.join(said(c.All(group)) for group in some)})"
            case c.Near(terms):
                return said(c.All(terms))
            case c.Scoped(_, inner):
                return said(inner)
            case _:
                return str(numbers.setdefault(_needle(clause), len(numbers)))

    logic = [said(rule.when) for rule in rules]
    logic = [text if "&" in text or "|" in text else f"{text} | {text}" for text in logic]
    first = len(numbers)
    expressions = [re.escape(n).encode() for n in numbers] + [text.encode() for text in logic]
    flags = [hyperscan.HS_FLAG_QUIET] * first
    flags += [hyperscan.HS_FLAG_COMBINATION | hyperscan.HS_FLAG_SINGLEMATCH] * len(logic)
    base = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    ids = list(range(len(expressions)))
    base.compile(expressions=expressions, ids=ids, elements=len(ids), flags=flags)

    def run(batch: Sequence[Article]) -> Answers:
        answers: Answers = []
        for article in batch:
            found: list[int] = []
            text = _folded(f"{article.title} {article.text}").encode()
            base.scan(text, match_event_handler=lambda n, *_, found=found: found.append(n))
            answers.append([rules[n - first].id for n in found])
        return answers

    return run


def scan_limit(rules: Sequence[Rule], batch: Sequence[Article]) -> Callable[[], None]:
    """Hyperscan looking for the rules' literals only, in folded text turned around: next to no
    hits, no rule logic, no folding. What nobody reading every byte for them can be faster than."""
    import hyperscan

    literals = sorted({needle for rule in rules for needle in _needles(rule.when)})
    base = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    coded, ids = [needle.encode() for needle in literals], list(range(len(literals)))
    base.compile(expressions=coded, ids=ids, elements=len(ids), flags=0, literal=True)
    texts = [_folded(f"{article.title} {article.text}")[::-1].encode() for article in batch]

    def scan() -> None:
        for text in texts:
            base.scan(text, match_event_handler=lambda *_: None)

    return scan


def _needles(clause: c.Clause) -> Iterator[str]:
    match clause:
        case c.Phrase():
            yield _needle(clause)
        case c.Scoped(_, inner):
            yield from _needles(inner)
        case c.Near(terms):
            for term in terms:
                yield from _needles(term)
        case c.Any(parts) | c.All(parts) | c.Not(parts) | c.AtLeast(_, parts):
            for part in parts:
                yield from _needles(part)


# ── PostgreSQL ──


def postgres(rules: Sequence[Rule]) -> Engine:
    """A table of tsquery, asked of each article's tsvector; the client's command is in $PSQL.

    Nearness is only both there: written out it passes the size of a row.
    """
    rows = "".join(f"{n}\t{_tsquery(rule.when)}\n" for n, rule in enumerate(rules))
    _psql("DROP TABLE IF EXISTS r; CREATE TABLE r(id int, q tsquery);\nCOPY r FROM stdin;\n"
          f"{rows}\\.\nANALYZE r;\n")  # fmt: skip

    def run(batch: Sequence[Article]) -> Answers:
        rows = "".join(f"{n}\t{_folded(a.title)}\t{_folded(a.text)}\n" for n, a in enumerate(batch))
        told = _psql(
            "SET jit=off; SET max_parallel_workers_per_gather=0;\n"
            "CREATE TEMP TABLE a(id int, t text, b text);\nCOPY a FROM stdin;\n"
            f"{rows}\\.\nWITH v AS MATERIALIZED (SELECT id, setweight(to_tsvector('simple', t), 'A')"
            " || to_tsvector('simple', b) v FROM a) SELECT v.id, r.id FROM v, r WHERE v.v @@ r.q;"
        )
        answers: Answers = [[] for _ in batch]
        for line in told.splitlines():
            article, rule = line.split("|")
            answers[int(article)].append(rules[int(rule)].id)
        return answers

    return run


def _tsquery(clause: c.Clause) -> str:
    match clause:
        case c.All(parts) | c.Near(parts):
            return f"({'&'.join(map(_tsquery, parts))})"
        case c.Any(parts) | c.AtLeast(1, parts):
            return f"({'|'.join(map(_tsquery, parts))})"
        case c.Not(parts):
            return f"!({'|'.join(map(_tsquery, parts))})"
        case c.AtLeast(count, parts):
            some = itertools.combinations(parts, count)
            return f"({'|'.join(_tsquery(c.All(group)) for group in some)})"
        case c.Scoped(_, inner):
            return _tsquery(inner)
        case c.Phrase(words):
            return f"({'<->'.join(f'{w.prefix}:*' if w.prefix else w.text for w in words)})"
        case _:
            raise TypeError(f"no tsquery for {clause}")


def _psql(sql: str) -> str:
    command = [*shlex.split(os.environ["PSQL"]), "-qXAt", "-v", "ON_ERROR_STOP=1"]
    return subprocess.run(command, input=sql, capture_output=True, text=True, check=True).stdout
