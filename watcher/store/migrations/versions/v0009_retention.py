"""Indexes by time, so that what is older than its retention is found without a look at the rest."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_index("ix_verdict_at", "verdict", ["at"], unique=False)
    op.create_index("ix_verdict_rule_at", "verdict", ["rule", "at"], unique=False)
    op.create_index("ix_dispatch_send_at", "dispatch", ["send_at"], unique=False)
    for name, table, column, kept in (
        ("ix_article_with_text", "article", "first_seen", "text != ''"),
        ("ix_outbox_with_payload", "outbox", "sent_at", "NOT purged"),
    ):
        where = sa.text(kept)
        op.create_index(
            name, table, [column], unique=False, sqlite_where=where, postgresql_where=where
        )
