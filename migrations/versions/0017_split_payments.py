"""A bill paid with several cards: which charges are its parts, what the bank approved of each, and what waits for all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payment_intent", sa.Column("part", sa.String(10), nullable=False, server_default=""))
    op.add_column("payment_intent", sa.Column("split", sa.String(100), nullable=False, server_default=""))
    op.add_column("payment_intent", sa.Column("split_minor", sa.BigInteger))
    op.add_column("payment_intent", sa.Column("takes_part", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("payment_intent", sa.Column("asked_minor", sa.BigInteger))
    op.add_column("payment_intent", sa.Column("waiting", sa.String(20), nullable=False, server_default=""))
    op.create_index("intent_by_split", "payment_intent", ["split"])


def downgrade() -> None:
    op.drop_index("intent_by_split", "payment_intent")
    for name in ("waiting", "asked_minor", "takes_part", "split_minor", "split", "part"):
        op.drop_column("payment_intent", name)
