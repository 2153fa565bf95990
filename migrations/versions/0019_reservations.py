"""Charges whose amount is reserved only: a capture takes the money; and cards that the bank keeps."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payment_intent", sa.Column("captures_later", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("payment_intent", sa.Column("keeps_card", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "kept_card",
        sa.Column("source", sa.String(60), primary_key=True),
        sa.Column("key", sa.String(60), primary_key=True),
        sa.Column("bank", sa.String(60), nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("brand", sa.String(20), nullable=False),
        sa.Column("last4", sa.String(4), nullable=False),
        sa.Column("expires", sa.String(7), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("consent", sa.String(120), nullable=False),
        sa.Column("kept_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("kept_card")
    op.drop_column("payment_intent", "keeps_card")
    op.drop_column("payment_intent", "captures_later")
