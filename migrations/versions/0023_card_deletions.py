"""Kept cards that were forgotten here, and of which their bank is asked to delete what stands for them."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("kept_card", sa.Column("merchant", sa.String(60), nullable=False, server_default=""))
    # Of a card that was kept before: the merchant of its consent.
    op.execute(
        "UPDATE kept_card SET merchant = COALESCE("
        "(SELECT a.merchant FROM agreement a WHERE a.reference = kept_card.consent), '')"
    )
    op.create_table(
        "card_deletion",
        sa.Column("id", sa.String(120), primary_key=True),
        sa.Column("source", sa.String(60), nullable=False),
        sa.Column("key", sa.String(60), nullable=False),
        sa.Column("bank", sa.String(60), nullable=False),
        sa.Column("merchant", sa.String(60), nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("brand", sa.String(20), nullable=False),
        sa.Column("last4", sa.String(4), nullable=False),
        sa.Column("asked_by", sa.String(60), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(120), nullable=False),
        sa.Column("ended_at", sa.BigInteger),
    )
    op.create_index("card_deletion_by_key", "card_deletion", ["key"])


def downgrade() -> None:
    op.drop_table("card_deletion")
    op.drop_column("kept_card", "merchant")
