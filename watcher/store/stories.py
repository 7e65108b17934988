"""Stories, the articles that make them, and how they merged and split."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from watcher.model import Article, Role, Story, StoryStatus
from watcher.store.rows import ARTICLE_COLUMNS, to_article
from watcher.store.tables import alert, article, story, story_article, story_change, verdict
from watcher.store.upsert import upsert
from watcher.stories.changes import ChangeKind, StoryChange


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

    def apply(self, change: StoryChange) -> None:
        """Move the reports, with what was decided of them; alerts then name the story that goes on."""
        self.save(change.other)
        self.save(change.story)
        if change.kind is ChangeKind.MERGED:
            self._move_all(change.other.id, change.story.id)
        else:
            self._move(change.articles, change.other.id)
        row = {
            "story": change.story.id,
            "other": change.other.id,
            "kind": change.kind,
            "at": change.at,
            "similarity": change.similarity,
            "articles": list(change.articles),
            "words": list(change.words),
        }
        upsert(self._connection, story_change, [row], replace=False)

    def _move_all(self, old: str, new: str) -> None:
        """The first report of a story that is gone is one more report of the other."""
        members = story_article.c.story == old
        first = sa.and_(members, story_article.c.role == Role.FIRST)
        self._do(sa.update(story_article).where(first).values(role=Role.REPORT))
        self._do(sa.update(story_article).where(members).values(story=new))
        for table in (alert, verdict):
            self._do(sa.update(table).where(table.c.story == old).values(story=new))

    def _move(self, articles: Sequence[str], new: str) -> None:
        """Alerts stay with the story that was told; decisions go with their articles."""
        for table in (story_article, verdict):
            moved = table.c.article.in_(articles)
            self._do(sa.update(table).where(moved).values(story=new))
        first = story_article.c.article == articles[0]
        self._do(sa.update(story_article).where(first).values(role=Role.FIRST))

    def changes_of(self, story_id: str) -> list[StoryChange]:
        """Merges and splits it took part in, oldest first; the stories as they are now."""
        either = sa.or_(story_change.c.story == story_id, story_change.c.other == story_id)
        rows = self._do(
            sa.select(story_change).where(either).order_by(story_change.c.at, story_change.c.other)
        ).all()
        return [
            StoryChange(
                ChangeKind(row.kind),
                kept,
                other,
                row.at,
                row.similarity,
                tuple(row.articles),
                tuple(row.words),
            )
            for row in rows
            if (kept := self.get(row.story)) and (other := self.get(row.other))
        ]

    def splits_since(self, since: datetime) -> list[tuple[str, str]]:
        """Pairs of stories that were one, oldest first."""
        split = sa.and_(story_change.c.kind == ChangeKind.SPLIT, story_change.c.at >= since)
        columns = (story_change.c.story, story_change.c.other)
        query = sa.select(*columns).where(split).order_by(story_change.c.at, story_change.c.other)
        return [(row.story, row.other) for row in self._do(query)]

    def current(self, story_id: str) -> Story | None:
        """The story, or the one it was merged into in the end."""
        found, seen = self.get(story_id), {story_id}
        while found and found.merged_into and found.merged_into not in seen:
            seen.add(found.merged_into)
            found = self.get(found.merged_into) or found
        return found

    def get(self, story_id: str) -> Story | None:
        row = self._do(sa.select(story).where(story.c.id == story_id)).first()
        return _story(row) if row else None

    def recent(self, limit: int) -> list[Story]:
        """Last updated first, without those that went into another."""
        standing = sa.select(story).where(story.c.merged_into.is_(None))
        query = standing.order_by(story.c.updated.desc(), story.c.id).limit(limit)
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
