"""A feed's rhythm, hints and troubles between polls."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("feed", sa.Column("pace", sa.Text()))
    op.add_column("feed", sa.Column("hints", sa.Text()))
    op.add_column("feed", sa.Column("reason", sa.Text(), nullable=False, server_default=""))
    op.add_column("feed", sa.Column("failing_since", sa.BigInteger()))
    op.add_column("feed", sa.Column("full_at", sa.BigInteger()))
    op.add_column(
        "feed", sa.Column("full_only", sa.Boolean(), nullable=False, server_default=sa.false())
    )
