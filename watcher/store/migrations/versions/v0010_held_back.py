"""Entries that a feed's mass change kept from readers, until the operator decides."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "held",
        sa.Column("article", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("sign", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("article", name=op.f("pk_held")),
    )
    for column in ("feed", "at", "released_at"):
        op.create_index(f"ix_held_{column}", "held", [column], unique=False)
