"""Which charge a card was kept with, so that it is deleted where that is undone; look-ups that are guarded by a PIN or the like."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Empty of a card that was kept before: those stay, whatever becomes of their charge.
    op.add_column("kept_card", sa.Column("intent", sa.String(120), nullable=False, server_default=""))
    keeps = sa.text("keeps_card")
    op.create_index("intent_by_token", "payment_intent", ["bank_reference"], sqlite_where=keeps, postgresql_where=keeps)
    op.create_table(
        "guess",
        sa.Column("id", sa.String(160), primary_key=True),
        sa.Column("call", sa.String(80), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("ani_hash", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("is_right", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_index("guess_by_account", "guess", ["account", "at"])
    op.create_index("guess_by_caller", "guess", ["ani_hash", "at"])


def downgrade() -> None:
    op.drop_table("guess")
    op.drop_index("intent_by_token", "payment_intent")
    op.drop_column("kept_card", "intent")
