"""What people said of articles: relevant to a rule, or noise.

A label keeps the words it was given for: the article may be revised or its text purged, and a
rule is still judged by what the reader saw.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from watcher.store.tables import label
from watcher.store.upsert import upsert


@dataclass(frozen=True, slots=True)
class Label:
    """`sample` is the article as it was, in the form of a rule's tests."""

    rule: str
    article: str
    relevant: bool
    sample: Mapping[str, Any]
    at: datetime


class Labels:
    """One per rule and article."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._do = connection.execute

    def put(self, new: Label) -> None:
        """The latest word counts."""
        row = {
            "rule": new.rule,
            "article": new.article,
            "relevant": new.relevant,
            "sample": dict(new.sample),
            "at": new.at,
        }
        upsert(self._connection, label, [row], replace=True)

    def get(self, rule: str, article: str) -> bool | None:
        """Whether it was called relevant; None when nobody said anything."""
        where = sa.and_(label.c.rule == rule, label.c.article == article)
        return self._do(sa.select(label.c.relevant).where(where)).scalar()

    def remove(self, rule: str, article: str) -> bool:
        """Whether there was one."""
        where = sa.and_(label.c.rule == rule, label.c.article == article)
        return self._do(sa.delete(label).where(where)).rowcount > 0

    def all(self, rule: str | None = None) -> list[Label]:
        """By rule, oldest first."""
        query = sa.select(label).order_by(label.c.rule, label.c.at, label.c.article)
        if rule is not None:
            query = query.where(label.c.rule == rule)
        return [Label(**row._mapping) for row in self._do(query)]
