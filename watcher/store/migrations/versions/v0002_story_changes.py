"""Stories merge and split: what they went into, and why."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("story", sa.Column("merged_into", sa.Text(), nullable=True))
    op.create_table(
        "story_change",
        sa.Column("story", sa.Text(), nullable=False),
        sa.Column("other", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("similarity", sa.Float(), nullable=False),
        sa.Column("articles", JSON, nullable=False),
        sa.Column("words", JSON, nullable=False),
        sa.PrimaryKeyConstraint("story", "other", "kind", "at", name=op.f("pk_story_change")),
    )
    op.create_index("ix_story_change_other", "story_change", ["other"], unique=False)
