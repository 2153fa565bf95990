"""The bank's own reference of a payment, and what banks have told by themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payment_intent", sa.Column("bank_reference", sa.String(40)))
    op.create_table(
        "bank_news",
        sa.Column("bank", sa.String(60), primary_key=True),
        sa.Column("event", sa.String(120), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("bank_news")
    op.drop_column("payment_intent", "bank_reference")
