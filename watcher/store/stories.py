"""Stories and the articles that make them."""

from collections import defaultdict
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from watcher.model import Article, Role, Story, StoryStatus
from watcher.store.rows import ARTICLE_COLUMNS, to_article
from watcher.store.tables import article, story, story_article
from watcher.store.upsert import upsert


class Stories:
    """Stories by id; articles in the order they joined."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._do = connection.execute

    def save(self, value: Story) -> None:
        """Insert or replace."""
        row = {f.name: getattr(value, f.name) for f in fields(Story)}
        row["families"] = sorted(value.families)
        upsert(self._connection, story, [row], replace=True)

    def add_article(
        self, story_id: str, article_id: str, role: Role, at: datetime, similarity: float
    ) -> None:
        """Idempotent."""
        row = {
            "story": story_id,
            "article": article_id,
            "role": role,
            "at": at,
            "similarity": similarity,
        }
        upsert(self._connection, story_article, [row], replace=False)

    def get(self, story_id: str) -> Story | None:
        row = self._do(sa.select(story).where(story.c.id == story_id)).first()
        return _story(row) if row else None

    def recent(self, limit: int) -> list[Story]:
        """Last updated first."""
        query = sa.select(story).order_by(story.c.updated.desc(), story.c.id).limit(limit)
        return [_story(row) for row in self._do(query)]

    def articles_of(self, story_id: str) -> list[tuple[Article, Role, datetime]]:
        query = (
            sa.select(*ARTICLE_COLUMNS, story_article.c.role, story_article.c.at)
            .join(article, article.c.id == story_article.c.article)
            .where(story_article.c.story == story_id)
            .order_by(story_article.c.at, article.c.n)
        )
        return [(to_article(row), Role(row.role), row.at) for row in self._do(query)]

    def of_article(self, article_id: str) -> str | None:
        query = sa.select(story_article.c.story).where(story_article.c.article == article_id)
        return self._do(query).scalar()

    def open_since(self, since: datetime) -> list[tuple[Story, list[tuple[Article, Role]]]]:
        """Stories updated since then that are not closed, oldest first, with their articles."""
        is_open = sa.and_(story.c.updated >= since, story.c.status != StoryStatus.CLOSED)
        members: dict[str, list[tuple[Article, Role]]] = defaultdict(list)
        query = (
            sa.select(*ARTICLE_COLUMNS, story_article.c.story, story_article.c.role)
            .join(article, article.c.id == story_article.c.article)
            .join(story, story.c.id == story_article.c.story)
            .where(is_open)
            .order_by(story_article.c.at, article.c.n)
        )
        for row in self._do(query):
            members[row.story].append((to_article(row), Role(row.role)))
        stories = self._do(sa.select(story).where(is_open).order_by(story.c.opened, story.c.id))
        return [(_story(row), members[row.id]) for row in stories]


def _story(row: Any) -> Story:
    return Story(
        **{
            **row._mapping,
            "status": StoryStatus(row.status),
            "families": frozenset(row.families),
        }
    )
