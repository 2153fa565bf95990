"""Which charge a card was kept with, so that what stands for it is deleted where that charge is undone."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Empty of a card that was kept before: those stay, whatever becomes of their charge.
    op.add_column("kept_card", sa.Column("intent", sa.String(120), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("kept_card", "intent")
