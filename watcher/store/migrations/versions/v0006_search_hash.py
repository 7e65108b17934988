"""A transaction's words fit into what FTS5 holds in memory, so that they become one segment."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

# The default of 1 MB is written out after some 500 articles; what is written is merged later.
HASH_BYTES = 4 * 1024 * 1024


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        size = sa.text("INSERT INTO article_fts(article_fts, rank) VALUES ('hashsize', :size)")
        op.get_bind().execute(size, {"size": HASH_BYTES})
