"""The part of a charge that is a fee for the card."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payment_intent", sa.Column("fee_minor", sa.BigInteger, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("payment_intent", "fee_minor")
