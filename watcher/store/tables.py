"""The tables, the same on SQLite and PostgreSQL; full-text search objects are made by the migration."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(sa.types.TypeDecorator[datetime]):
    """Aware UTC datetimes kept as integer microseconds: exact, sortable, the same on every database."""

    impl = sa.BigInteger
    cache_ok = True

    @staticmethod
    def plain(value: datetime | None) -> int | None:
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_bind_param(self, value: datetime | None, _dialect: Any) -> int | None:
        return self.plain(value)

    def process_result_value(self, value: int | None, _dialect: Any) -> datetime | None:
        return None if value is None else _EPOCH + value * _MICROSECOND


_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Text(sa.types.TypeDecorator[str]):
    """Text any database takes: what came from the network may hold NUL or half a character."""

    impl = sa.Text
    cache_ok = True

    @staticmethod
    def plain(value: str | None) -> str | None:
        if value is None or (value.isascii() and "\0" not in value):
            return value
        return _UNSTORABLE.sub("\ufffd", value)

    def process_bind_param(self, value: str | None, _dialect: Any) -> str | None:
        return self.plain(value)


Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
# SQLite only counts up a column declared INTEGER.
Serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, Text, nullable=False, **options)


def _moment(name: str, **options: Any) -> sa.Column[datetime]:
    return sa.Column(name, Moment, nullable=False, **options)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


feed = sa.Table(
    "feed",
    metadata,
    _text("feed", primary_key=True),
    _text("url"),
    _moment("next_poll_at", index=True),
    _text("status"),
    sa.Column("etag", Text),
    sa.Column("last_modified", Text),
    sa.Column("last_polled_at", Moment),
    sa.Column("last_success_at", Moment),
    _count("failures"),
    sa.Column("last_error", Text),
    sa.Column("baseline_done", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("moved_to", Text),
    _count("moved_count"),
    sa.Column("body_hash", Text),
    sa.Column("title", Text),
    sa.Column("newest_at", Moment),
    sa.Column("pace", Text),
    sa.Column("hints", Text),
    _text("reason", server_default=""),
    sa.Column("failing_since", Moment),
    sa.Column("full_at", Moment),
    sa.Column("full_only", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("lease_until", Moment),
    sa.Column("enabled", sa.Boolean, nullable=False, server_default=sa.true()),
    # The address as configured; `url` is where permanent redirects led.
    _text("configured"),
)

article = sa.Table(
    "article",
    metadata,
    sa.Column("n", Serial, primary_key=True),
    _text("id", unique=True),
    _text("feed"),
    _text("url"),
    _text("canonical", index=True),
    _text("title"),
    _text("text"),
    _moment("first_seen", index=True),
    sa.Column("published", Moment),
    sa.Column("updated", Moment),
    sa.Column("author", Text),
    sa.Column("tags", Json, nullable=False),
    _text("publisher"),
    _text("family"),
    sa.Column("lang", Text),
    _count("revision"),
    _text("content_hash"),
)

# Never purged: it is what keeps an article from being told twice.
identity = sa.Table(
    "identity",
    metadata,
    _text("feed", primary_key=True),
    _text("key", primary_key=True),
    _text("article"),
    _moment("first_seen"),
    # By far the most rows: kept in the order of their key, not beside an index of it.
    sqlite_with_rowid=False,
)

# Entries of a feed that changed too much at once: nobody was told, and the operator may decide otherwise.
held = sa.Table(
    "held",
    metadata,
    _text("article", primary_key=True),
    _text("feed", index=True),
    _text("sign"),
    _moment("at", index=True),
    sa.Column("released_at", Moment, index=True),
)

revision = sa.Table(
    "revision",
    metadata,
    _text("article", primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    _text("title"),
    _text("text"),
    _text("content_hash"),
    _moment("replaced_at"),
)

match = sa.Table(
    "match",
    metadata,
    _text("rule", primary_key=True),
    _text("article", primary_key=True),
    sa.Column("score", sa.Float, nullable=False),
    sa.Column("evidence", Json, nullable=False),
    _moment("at", index=True),
    sa.Index("ix_match_article", "article"),
)

story = sa.Table(
    "story",
    metadata,
    _text("id", primary_key=True),
    _text("title"),
    _moment("opened"),
    _moment("updated", index=True),
    _text("status"),
    sa.Column("articles", sa.Integer, nullable=False),
    sa.Column("families", Json, nullable=False),
    sa.Column("merged_into", Text),
)

# Why two stories are one now, or one is two.
story_change = sa.Table(
    "story_change",
    metadata,
    _text("story", primary_key=True),
    _text("other", primary_key=True),
    _text("kind", primary_key=True),
    _moment("at", primary_key=True),
    sa.Column("similarity", sa.Float, nullable=False),
    sa.Column("articles", Json, nullable=False),
    sa.Column("words", Json, nullable=False),
    sa.Index("ix_story_change_other", "other"),
)

story_article = sa.Table(
    "story_article",
    metadata,
    _text("story", primary_key=True),
    _text("article", primary_key=True),
    _text("role"),
    _moment("at"),
    sa.Column("similarity", sa.Float, nullable=False),
    sa.Index("ix_story_article_article", "article"),
)

alert = sa.Table(
    "alert",
    metadata,
    _text("id", primary_key=True),
    _text("kind"),
    _text("rule"),
    sa.Column("story", Text),
    _text("severity"),
    _moment("at"),
    _text("reason"),
    sa.Column("articles", Json, nullable=False),
    sa.Column("tags", Json, nullable=False),
    sa.Column("new", Json, nullable=False),
    sa.Index("ix_alert_rule_at", "rule", "at"),
    sa.Index("ix_alert_story", "story"),
)

# Decisions not to tell, so that "why was I not alerted?" has an answer.
verdict = sa.Table(
    "verdict",
    metadata,
    _text("rule", primary_key=True),
    _text("article", primary_key=True),
    sa.Column("story", Text),
    sa.Column("sent", sa.Boolean, nullable=False),
    _text("reason"),
    _text("detail"),
    _moment("at", index=True),
    sa.Index("ix_verdict_rule_at", "rule", "at"),
)

# What a person said of an article; `sample` is what they saw, whatever becomes of the article.
label = sa.Table(
    "label",
    metadata,
    _text("rule", primary_key=True),
    _text("article", primary_key=True),
    sa.Column("relevant", sa.Boolean, nullable=False),
    sa.Column("sample", Json, nullable=False),
    _moment("at"),
)

dispatch = sa.Table(
    "dispatch",
    metadata,
    _text("alert", primary_key=True),
    _text("receiver", primary_key=True),
    _moment("send_at"),
    _text("slot"),
    _text("reason"),
    sa.Column("notification", Text),
    sa.Index("ix_dispatch_due", "notification", "send_at"),
    sa.Index("ix_dispatch_send_at", "send_at"),
)

acknowledgement = sa.Table(
    "acknowledgement",
    metadata,
    _text("alert", primary_key=True),
    _text("by"),
    _text("note"),
    _moment("at"),
)

silence = sa.Table(
    "silence",
    metadata,
    _text("id", primary_key=True),
    sa.Column("body", Json, nullable=False),
    _moment("until", index=True),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("n", Serial, primary_key=True),
    _text("key", unique=True),
    _text("receiver"),
    _text("kind"),
    _text("subject"),
    sa.Column("payload", Json, nullable=False),
    _moment("created_at"),
    _moment("due_at"),
    _count("attempt"),
    _text("state"),
    sa.Column("lease_until", Moment),
    sa.Column("sent_at", Moment),
    sa.Column("last_error", Text),
    sa.Column("alerts", Json, nullable=False),
    sa.Column("purged", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("ix_outbox_due", "state", "receiver", "due_at"),
)

# What retention has left to do. The conditions must be repeated word for word to be used.
WITH_TEXT, WITH_PAYLOAD = sa.text("text != ''"), sa.text("NOT purged")
sa.Index(
    "ix_article_with_text",
    article.c.first_seen,
    sqlite_where=WITH_TEXT,
    postgresql_where=WITH_TEXT,
)
sa.Index(
    "ix_outbox_with_payload",
    outbox.c.sent_at,
    sqlite_where=WITH_PAYLOAD,
    postgresql_where=WITH_PAYLOAD,
)

delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("n", Serial, primary_key=True),
    _text("key", index=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    _moment("at"),
    _text("outcome"),
    _text("detail"),
)

parked = sa.Table(
    "parked",
    metadata,
    _text("receiver", primary_key=True),
    sa.Column("until", Moment),
    _text("reason"),
    _moment("at"),
)

# What hubs know us by; token and secret are never shown.
subscription = sa.Table(
    "subscription",
    metadata,
    _text("token", primary_key=True),
    _text("feed", index=True),
    _text("hub"),
    _text("topic"),
    _text("base"),
    _text("secret"),
    _moment("since"),
    _text("state"),
    _text("reason"),
    sa.Column("next_at", Moment),
    sa.Column("asked_at", Moment),
    sa.Column("verified_at", Moment),
    sa.Column("lease_until", Moment),
    _count("failures"),
    sa.Column("last_push_at", Moment),
    _count("missed"),
    _count("ignored"),
    sa.Column("tls", sa.Boolean, nullable=False, server_default=sa.true()),
)

meta = sa.Table("meta", metadata, _text("key", primary_key=True), _text("value"))
