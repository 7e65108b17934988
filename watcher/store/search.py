"""Full-text search of the archive on SQLite FTS5: words by `porter`, scripts without spaces by trigrams."""

import re
from dataclasses import dataclass

import sqlalchemy as sa

from watcher.model import Article
from watcher.store.rows import ARTICLE_COLUMNS, to_article
from watcher.store.tables import article

# Runs once in the migration; triggers keep both indexes in the same transaction as the article.
CREATE = (
    "CREATE VIRTUAL TABLE article_fts USING fts5(title, text, content='article', content_rowid='n',"
    " tokenize='porter unicode61 remove_diacritics 2')",
    "CREATE VIRTUAL TABLE article_fts_tri USING fts5(title, text, content='article',"
    " content_rowid='n', tokenize='trigram')",
    "CREATE TRIGGER article_fts_insert AFTER INSERT ON article BEGIN"
    " INSERT INTO article_fts(rowid, title, text) VALUES (new.n, new.title, new.text);"
    " INSERT INTO article_fts_tri(rowid, title, text) VALUES (new.n, new.title, new.text); END",
    "CREATE TRIGGER article_fts_delete AFTER DELETE ON article BEGIN"
    " INSERT INTO article_fts(article_fts, rowid, title, text)"
    " VALUES ('delete', old.n, old.title, old.text);"
    " INSERT INTO article_fts_tri(article_fts_tri, rowid, title, text)"
    " VALUES ('delete', old.n, old.title, old.text); END",
    "CREATE TRIGGER article_fts_update AFTER UPDATE OF title, text ON article BEGIN"
    " INSERT INTO article_fts(article_fts, rowid, title, text)"
    " VALUES ('delete', old.n, old.title, old.text);"
    " INSERT INTO article_fts(rowid, title, text) VALUES (new.n, new.title, new.text);"
    " INSERT INTO article_fts_tri(article_fts_tri, rowid, title, text)"
    " VALUES ('delete', old.n, old.title, old.text);"
    " INSERT INTO article_fts_tri(rowid, title, text) VALUES (new.n, new.title, new.text); END",
)

_TERM = re.compile(r'"([^"]*)"|(\S+)')
_NO_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
)
_WORD = re.compile(r"\w")

_RANKED = """
SELECT article.id, snippet({index}, -1, '[', ']', '…', 16) AS snippet, bm25({index}, 5.0, 1.0) AS rank
FROM {index} JOIN article ON article.n = {index}.rowid
WHERE {index} MATCH :query ORDER BY rank LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """An article found; `snippet` marks what matched with brackets; a lower rank is better."""

    article: Article
    snippet: str
    rank: float


def run(connection: sa.Connection, query: str, limit: int) -> list[SearchHit]:
    """Every word must occur; `"…"` is a phrase, a trailing `*` a prefix; anything else is plain text."""
    terms = [phrase or word for phrase, word in _TERM.findall(query)]
    terms = [term for term in terms if _WORD.search(term)]
    if not terms:
        return []
    if any(_NO_SPACES.search(term) for term in terms):
        if all(len(term) >= 3 for term in terms):
            found = _ranked(connection, "article_fts_tri", " ".join(map(_quoted, terms)), limit)
        else:
            found = _scanned(connection, terms, limit)
    else:
        found = _ranked(connection, "article_fts", " ".join(map(_word_query, terms)), limit)
    return _with_articles(connection, found)


def _quoted(term: str) -> str:
    return '"' + term.replace('"', "") + '"'


def _word_query(term: str) -> str:
    """Quoting each term keeps AND, `-` and `:` from being taken for syntax."""
    return _quoted(term[:-1]) + "*" if term.endswith("*") else _quoted(term)


def _ranked(
    connection: sa.Connection, index: str, query: str, limit: int
) -> list[tuple[str, str, float]]:
    rows = connection.execute(
        sa.text(_RANKED.format(index=index)), {"query": query, "limit": limit}
    )
    return [(row.id, row.snippet, row.rank) for row in rows]


def _scanned(
    connection: sa.Connection, terms: list[str], limit: int
) -> list[tuple[str, str, float]]:
    """Trigrams can't see a word of one or two characters, as most Chinese words are."""
    query = sa.select(article.c.id, article.c.title).order_by(article.c.first_seen.desc())
    for term in terms:
        query = query.where(
            sa.or_(
                article.c.title.contains(term, autoescape=True),
                article.c.text.contains(term, autoescape=True),
            )
        )
    return [(row.id, row.title, 0.0) for row in connection.execute(query.limit(limit))]


def _with_articles(
    connection: sa.Connection, found: list[tuple[str, str, float]]
) -> list[SearchHit]:
    ids = [article_id for article_id, _, _ in found]
    rows = connection.execute(sa.select(*ARTICLE_COLUMNS).where(article.c.id.in_(ids)))
    articles = {row.id: to_article(row) for row in rows}
    return [SearchHit(articles[i], snippet, rank) for i, snippet, rank in found]
