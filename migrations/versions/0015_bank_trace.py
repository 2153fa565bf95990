"""What a bank finds a request by beside our reference, and the numbers that such requests are counted by."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payment_intent", sa.Column("bank_trace", sa.String(80)))
    op.add_column("payment_intent", sa.Column("traced_at", sa.BigInteger))
    op.create_table(
        "bank_number",
        sa.Column("bank", sa.String(60), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("bank_number")
    op.drop_column("payment_intent", "traced_at")
    op.drop_column("payment_intent", "bank_trace")
