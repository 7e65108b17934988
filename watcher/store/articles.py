"""The archive: articles, their revisions, and the identities that stop a repeat."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from watcher.model import Article
from watcher.store import search
from watcher.store.bulk import insert_many
from watcher.store.rows import ARTICLE_COLUMNS, to_article
from watcher.store.search import SearchHit
from watcher.store.tables import WITH_TEXT, article, identity, revision
from watcher.text import canonical_url

KEPT_REVISIONS = 20
_CHUNK = 500
_FIELDS = tuple(f.name for f in fields(Article))
_values = attrgetter(*_FIELDS)

# Built once: putting a query together costs more than SQLite needs to answer it.
_OF_FEED = identity.c.feed == sa.bindparam("feed")
_KNOWN = sa.select(identity.c.key, identity.c.article).where(
    _OF_FEED, identity.c.key.in_(sa.bindparam("keys", expanding=True))
)
_SHOWN = sa.select(sa.func.count()).select_from(
    sa.select(identity.c.article).where(_OF_FEED).distinct().limit(1000).subquery()
)


@dataclass(frozen=True, slots=True)
class Revision:
    """An earlier text of an article."""

    revision: int
    title: str
    text: str
    replaced_at: datetime


class Articles:
    """Articles by id; identities per feed."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._do = connection.execute

    # identities

    def known(self, feed: str, keys: Iterable[str]) -> dict[str, str]:
        """Which identity keys this feed has shown before, and for which article."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, str] = {}
        for start in range(0, len(wanted), _CHUNK):
            asked = {"feed": feed, "keys": wanted[start : start + _CHUNK]}
            found.update({row[0]: row[1] for row in self._do(_KNOWN, asked)})
        return found

    def remember_all(self, shown: Iterable[tuple[str, str, str]], now: datetime) -> None:
        """(feed, key, article id) in order; idempotent, the first article to show a key keeps it."""
        rows = [(*one, now) for one in shown]
        insert_many(
            self._connection, identity, ("feed", "key", "article", "first_seen"), rows, skip=True
        )

    def identity_count(self, feed: str) -> int:
        """How many articles this feed has ever shown, counted up to a thousand."""
        return self._do(_SHOWN, {"feed": feed}).scalar_one()

    # articles

    def add(self, new: Article, content_hash: str) -> None:
        self.add_all([(new, content_hash)])

    def add_all(self, fresh: Sequence[tuple[Article, str]]) -> None:
        """Articles with their content hashes; one statement however many."""
        if not fresh:
            return
        rows = [
            (*_values(new), canonical_url(new.url) if new.url else "", content_hash)
            for new, content_hash in fresh
        ]
        last = self._do(sa.select(sa.func.max(article.c.n))).scalar()
        insert_many(self._connection, article, (*_FIELDS, "canonical", "content_hash"), rows)
        search.index_words(self._connection, last or 0)
        for new, _ in fresh:
            search.index_pairs(self._connection, new)

    def revise(self, changed: Article, content_hash: str, now: datetime) -> Article:
        """Store the new text and keep the old as a revision; returns the article with its number.

        A text that comes back (a feed served in two versions) is kept once, and of a text that
        changes for ever the latest `KEPT_REVISIONS` versions.
        """
        query = sa.select(*ARTICLE_COLUMNS, article.c.content_hash)
        old = self._do(query.where(article.c.id == changed.id)).first()
        if old is None:
            return changed
        self._keep_revision(old, now)
        new = replace(changed, revision=old.revision + 1, first_seen=old.first_seen)
        self._do(
            sa.update(article)
            .where(article.c.id == new.id)
            .values(
                title=new.title,
                text=new.text,
                url=new.url,
                canonical=canonical_url(new.url) if new.url else "",
                updated=new.updated,
                revision=new.revision,
                content_hash=content_hash,
            )
        )
        search.index_pairs(self._connection, new)
        return new

    def _keep_revision(self, old: Any, now: datetime) -> None:
        kept = revision.c.article == old.id
        seen = sa.and_(kept, revision.c.content_hash == old.content_hash)
        self._do(sa.delete(revision).where(seen))
        self._do(
            sa.insert(revision).values(
                article=old.id,
                revision=old.revision,
                title=old.title,
                text=old.text,
                content_hash=old.content_hash,
                replaced_at=now,
            )
        )
        newest = sa.select(revision.c.revision).where(kept).order_by(revision.c.revision.desc())
        self._do(
            sa.delete(revision).where(
                kept, revision.c.revision.not_in(newest.limit(KEPT_REVISIONS))
            )
        )

    def revisions_of(self, article_id: str) -> list[Revision]:
        """Earlier texts, oldest first."""
        query = sa.select(*(revision.c[f.name] for f in fields(Revision)))
        rows = self._do(query.where(revision.c.article == article_id).order_by(revision.c.revision))
        return [Revision(**row._mapping) for row in rows]

    def content_hashes(self, ids: Iterable[str]) -> dict[str, str]:
        wanted = list(ids)
        found: dict[str, str] = {}
        for start in range(0, len(wanted), _CHUNK):
            query = sa.select(article.c.id, article.c.content_hash).where(
                article.c.id.in_(wanted[start : start + _CHUNK])
            )
            found.update({row[0]: row[1] for row in self._do(query)})
        return found

    def get(self, article_id: str) -> Article | None:
        row = self._do(sa.select(*ARTICLE_COLUMNS).where(article.c.id == article_id)).first()
        return to_article(row) if row else None

    def find(self, url_or_id: str) -> Article | None:
        """By id, else by link (tracking parameters and scheme don't matter)."""
        found = self.get(url_or_id)
        if found is not None or "://" not in url_or_id:
            return found
        query = (
            sa.select(*ARTICLE_COLUMNS)
            .where(article.c.canonical == canonical_url(url_or_id))
            .order_by(article.c.first_seen.desc())
        )
        row = self._do(query).first()
        return to_article(row) if row else None

    def beginning_with(self, prefix: str, limit: int = 2) -> list[Article]:
        """Articles whose id begins so, in order of id."""
        begins = sa.and_(article.c.id >= prefix, article.c.id < prefix + "\uffff")
        query = sa.select(*ARTICLE_COLUMNS).where(begins).order_by(article.c.id).limit(limit)
        return [to_article(row) for row in self._do(query)]

    def between(self, since: datetime, until: datetime | None = None) -> Iterator[Article]:
        """Oldest first, by first seen."""
        query = sa.select(*ARTICLE_COLUMNS).where(article.c.first_seen >= since)
        if until is not None:
            query = query.where(article.c.first_seen < until)
        for row in self._do(query.order_by(article.c.first_seen, article.c.n)):
            yield to_article(row)

    def newest(self, limit: int) -> Iterator[Article]:
        """The last ones first."""
        query = sa.select(*ARTICLE_COLUMNS).order_by(
            article.c.first_seen.desc(), article.c.n.desc()
        )
        for row in self._do(query.limit(limit).execution_options(yield_per=_CHUNK)):
            yield to_article(row)

    def published_since(self, since: datetime) -> Iterator[Article]:
        """Oldest first, by `Article.at`, a row at a time."""
        early = sa.or_(article.c.published.is_(None), article.c.published > article.c.first_seen)
        at = sa.case((early, article.c.first_seen), else_=article.c.published)
        # Nothing is published after it was first seen: the index of `first_seen` narrows the search.
        query = sa.select(*ARTICLE_COLUMNS).where(article.c.first_seen >= since, at >= since)
        rows = self._do(query.order_by(at, article.c.n).execution_options(yield_per=_CHUNK))
        for row in rows:
            yield to_article(row)

    def count(self, since: datetime | None = None) -> int:
        query = sa.select(sa.func.count()).select_from(article)
        if since is not None:
            query = query.where(article.c.first_seen >= since)
        return self._do(query).scalar_one()

    def search(self, query: str, limit: int = 20) -> list[SearchHit]:
        """Best first; whatever the user types is looked for, never an error."""
        return search.run(self._connection, query, limit)

    def purge_text(self, before: datetime, limit: int = _CHUNK) -> int:
        """Delete the text of articles first seen before then, at most `limit`, oldest first.

        Their identities stay for ever.
        """
        query = sa.select(article.c.n, article.c.id).where(article.c.first_seen < before, WITH_TEXT)
        old = self._do(query.order_by(article.c.first_seen).limit(limit)).all()
        if not old:
            return 0
        self._do(sa.delete(revision).where(revision.c.article.in_([row.id for row in old])))
        numbers = [row.n for row in old]
        search.purge_pairs(self._connection, numbers)
        self._do(sa.update(article).where(article.c.n.in_(numbers)).values(text=""))
        return len(old)
