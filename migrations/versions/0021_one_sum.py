"""The bills of a charge that pays several in one sum."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "intent_bill",
        sa.Column("id", sa.String(120), primary_key=True),
        sa.Column("reference", sa.String(100), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("payable_source", sa.String(60), nullable=False),
        sa.Column("payable_key", sa.String(60), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger),
    )
    op.create_index("ix_intent_bill_reference", "intent_bill", ["reference"])
    op.create_index("intent_bill_by_payable", "intent_bill", ["payable_source", "payable_key"])


def downgrade() -> None:
    op.drop_table("intent_bill")
