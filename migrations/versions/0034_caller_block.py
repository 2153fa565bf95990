"""Of which block of numbers a caller's is, as a keyed hash: by it an alert tells callers whose numbers begin alike."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payment_intent", sa.Column("ani_block", sa.String(64), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("payment_intent", "ani_block")
