"""Which rules held for which articles, and where."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from watcher.model import Evidence, Match
from watcher.store.tables import match
from watcher.store.upsert import upsert


class Matches:
    """One row per rule and article; a later revision replaces it."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._do = connection.execute

    def add(self, matches: Iterable[Match], at: datetime) -> None:
        rows = [
            {
                "rule": m.rule,
                "article": m.article,
                "score": m.score,
                "evidence": [asdict(e) for e in m.evidence],
                "at": at,
            }
            for m in matches
        ]
        upsert(self._connection, match, rows, replace=True)

    def of_article(self, article_id: str) -> list[Match]:
        query = sa.select(match).where(match.c.article == article_id).order_by(match.c.rule)
        return [_match(row) for row in self._do(query)]

    def of_rule(self, rule: str, since: datetime) -> list[Match]:
        """Oldest first."""
        query = sa.select(match).where(match.c.rule == rule, match.c.at >= since)
        return [_match(row) for row in self._do(query.order_by(match.c.at))]

    def articles_of(self, rule: str) -> set[str]:
        """Ids of the articles the rule ever held for."""
        return set(self._do(sa.select(match.c.article).where(match.c.rule == rule)).scalars())

    def counts(self, since: datetime) -> dict[str, int]:
        """Matches per rule since then; silent rules are absent."""
        query = (
            sa.select(match.c.rule, sa.func.count())
            .where(match.c.at >= since)
            .group_by(match.c.rule)
        )
        return {row[0]: row[1] for row in self._do(query)}


def _match(row: Any) -> Match:
    return Match(row.rule, row.article, row.score, tuple(Evidence(**e) for e in row.evidence))
