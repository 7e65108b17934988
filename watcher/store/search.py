"""Full-text search of the archive on SQLite FTS5, two indexes: words, and pairs of characters.

`article_fts` stems words; triggers keep it with its article. `article_pairs` serves the
scripts that write no spaces (or glue endings on, as Korean does): every run of them is
kept as its pairs of neighbours, so that 卫星 is found inside 北京发射卫星. Only articles that
have such runs are in it.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise

import sqlalchemy as sa

from watcher.model import Article
from watcher.store.rows import ARTICLE_COLUMNS, to_article
from watcher.store.tables import article
from watcher.text import clean_line, truncate

_RUN = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u30fc-\u30ff"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_TERM = re.compile(r'"([^"]*)"|([^\s"]+)')
_WORD = re.compile(r"[^\W_]")
_QUERY_LIMIT = 500
_AROUND = 40

# Ranking inside FTS5 (title five times the text) makes a snippet for the shown rows only.
_BY_WORDS = """
SELECT article.id, snippet(article_fts, -1, '[', ']', '…', 16) AS snippet, rank
FROM article_fts JOIN article ON article.n = article_fts.rowid
WHERE article_fts MATCH :words AND rank MATCH 'bm25(5.0, 1.0)'
AND (:pairs = '' OR article_fts.rowid IN
     (SELECT rowid FROM article_pairs WHERE :pairs <> '' AND article_pairs MATCH :pairs))
ORDER BY rank LIMIT :limit
"""
_BY_PAIRS = """
SELECT article.id, NULL AS snippet, rank
FROM article_pairs JOIN article ON article.n = article_pairs.rowid
WHERE article_pairs MATCH :pairs AND rank MATCH 'bm25(5.0, 1.0)'
ORDER BY rank LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """An article found; `snippet` marks what matched with brackets; a lower rank is better."""

    article: Article
    snippet: str
    rank: float


@dataclass(frozen=True, slots=True)
class Query:
    """What a user typed, as FTS5 expressions that always parse, and the runs for the snippet."""

    words: str
    pairs: str
    runs: tuple[str, ...]


def parse(text: str) -> Query:
    """Every term must occur; `"…"` is a phrase, a trailing `*` a prefix, all else plain text.

    Quoting each term keeps AND, `-` and `:` from being taken for syntax.
    """
    words, pairs, runs = [], [], []
    text = unicodedata.normalize("NFKC", clean_line(text, _QUERY_LIMIT))
    for phrase, word in _TERM.findall(text):
        term = phrase or word
        found = _RUN.findall(term)
        rest = _RUN.sub(" ", term)
        runs += found
        pairs += [_pairs_query(run) for run in found]
        if _WORD.search(rest):
            words.append(f'"{rest}"' + ("*" if word.endswith("*") else ""))
    return Query(" ".join(words), " ".join(pairs), tuple(runs))


def _pairs_query(run: str) -> str:
    """A run's pairs in order; a single character begins some pair wherever it stands."""
    return f'"{run}"*' if len(run) == 1 else f'"{" ".join(_neighbours(run))}"'


def _neighbours(run: str) -> list[str]:
    return [left + right for left, right in pairwise(run)]


def pairs_of(text: str) -> str:
    """The pairs to index; each run ends with its last character alone, which keeps runs apart."""
    runs = [] if text.isascii() else _RUN.findall(unicodedata.normalize("NFKC", text))
    return " ".join(token for run in runs for token in (*_neighbours(run), run[-1]))


def index_words(connection: sa.Connection, after: int) -> None:
    """Add the articles numbered above `after` to `article_fts`, in one statement.

    A trigger on each row would have FTS5 write its whole state to disk for each row.
    """
    if connection.dialect.name == "sqlite":
        connection.execute(
            sa.text(
                "INSERT INTO article_fts(rowid, title, text)"
                " SELECT n, title, text FROM article WHERE n > :after"
            ),
            {"after": after},
        )


def index_pairs(connection: sa.Connection, value: Article) -> None:
    """Bring `article_pairs` up to an article just written (triggers can't cut pairs)."""
    if connection.dialect.name != "sqlite":
        return
    title, text = pairs_of(value.title), pairs_of(value.text)
    if value.revision:
        connection.execute(
            sa.text(
                "DELETE FROM article_pairs WHERE rowid = (SELECT n FROM article WHERE id = :id)"
            ),
            {"id": value.id},
        )
    if title or text:
        connection.execute(
            sa.text(
                "INSERT INTO article_pairs(rowid, title, text)"
                " SELECT n, :title, :text FROM article WHERE id = :id"
            ),
            {"id": value.id, "title": title, "text": text},
        )


def purge_pairs(connection: sa.Connection, numbers: Collection[int]) -> None:
    """Forget the text, not the title, of articles whose text is about to be purged."""
    if connection.dialect.name != "sqlite":
        return
    pairs = sa.table("article_pairs", sa.column("rowid"), sa.column("text"))
    connection.execute(
        sa.update(pairs).where(pairs.c.rowid.in_(numbers), pairs.c.text != "").values(text="")
    )


def run(connection: sa.Connection, text: str, limit: int) -> list[SearchHit]:
    """Best first; nothing for a query without a word."""
    query = parse(text)
    if not query.words and not query.pairs:
        return []
    rows = connection.execute(
        sa.text(_BY_WORDS if query.words else _BY_PAIRS),
        {"words": query.words, "pairs": query.pairs, "limit": limit},
    ).all()
    found = sa.select(*ARTICLE_COLUMNS).where(article.c.id.in_([row.id for row in rows]))
    articles = {row.id: to_article(row) for row in connection.execute(found)}
    return [
        SearchHit(articles[row.id], row.snippet or _snippet(articles[row.id], query.runs), row.rank)
        for row in rows
    ]


def _snippet(found: Article, runs: tuple[str, ...]) -> str:
    for text in (found.title, found.text):
        for run in runs:
            at = text.find(run)
            if at >= 0:
                before, after = text[max(at - _AROUND, 0) : at], text[at + len(run) :]
                return clean_line(f"{before}[{run}]{truncate(after, _AROUND)}")
    return found.title
