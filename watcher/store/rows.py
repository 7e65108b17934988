"""Rows of `article` as `Article`s."""

from dataclasses import fields
from typing import Any

from watcher.model import Article
from watcher.store.tables import article

ARTICLE_COLUMNS = [article.c[f.name] for f in fields(Article)]


def to_article(row: Any) -> Article:
    """A row holding at least `ARTICLE_COLUMNS`."""
    values = {f.name: getattr(row, f.name) for f in fields(Article)}
    return Article(**{**values, "tags": tuple(row.tags)})
