"""Entries kept from readers by a feed's mass change, until somebody lets them through or drops them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from watcher.identity import OldSign
from watcher.model import Article
from watcher.store.rows import ARTICLE_COLUMNS, to_article
from watcher.store.tables import article, held
from watcher.store.upsert import upsert

_WAITING = held.c.released_at.is_(None)


@dataclass(frozen=True, slots=True)
class Held:
    """An article held back since `at`."""

    article: Article
    sign: OldSign
    at: datetime


class HeldBack:
    """By article; what was let through or dropped is gone from here."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._do = connection.execute

    def add(self, feed: str, signs: Mapping[str, OldSign], now: datetime) -> None:
        rows = [
            {"article": name, "feed": feed, "sign": sign, "at": now} for name, sign in signs.items()
        ]
        upsert(self._connection, held, rows, replace=False)

    def counts(self) -> dict[str, int]:
        """By feed: how many wait for a decision."""
        query = sa.select(held.c.feed, sa.func.count()).where(_WAITING).group_by(held.c.feed)
        return {row[0]: row[1] for row in self._do(query.order_by(held.c.feed))}

    def of_feed(self, feed: str) -> list[Held]:
        """Those that wait for a decision, the newest first."""
        query = (
            sa.select(*ARTICLE_COLUMNS, held.c.sign, held.c.at)
            .join(held, held.c.article == article.c.id)
            .where(held.c.feed == feed, _WAITING)
            .order_by(sa.func.coalesce(article.c.published, article.c.first_seen).desc())
            .order_by(article.c.n)
        )
        return [Held(to_article(row), OldSign(row.sign), row.at) for row in self._do(query)]

    def release(self, feed: str, articles: Collection[str] | None, now: datetime) -> int:
        """To be let through, all of the feed or these; how many were waiting."""
        query = sa.update(held).where(_which(feed, articles)).values(released_at=now)
        return self._do(query).rowcount

    def drop(self, feed: str, articles: Collection[str] | None) -> int:
        """To be left as they are: stored, and told to nobody."""
        return self._do(sa.delete(held).where(_which(feed, articles))).rowcount

    def released(self) -> list[str]:
        """Articles to be let through now, first published first."""
        query = (
            sa.select(held.c.article)
            .join(article, held.c.article == article.c.id)
            .where(held.c.released_at.is_not(None))
            .order_by(sa.func.coalesce(article.c.published, article.c.first_seen), article.c.n)
        )
        return list(self._do(query).scalars())

    def done(self, articles: Collection[str]) -> None:
        """They were let through."""
        self._do(sa.delete(held).where(held.c.article.in_(list(articles))))

    def purge(self, before: datetime) -> int:
        """What nobody asked for since then; its text goes as well."""
        return self._do(sa.delete(held).where(held.c.at < before)).rowcount


def _which(feed: str, articles: Collection[str] | None) -> sa.ColumnElement[bool]:
    of_feed = sa.and_(held.c.feed == feed, _WAITING)
    return of_feed if articles is None else sa.and_(of_feed, held.c.article.in_(list(articles)))
