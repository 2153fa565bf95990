"""What every new call is told first: an operator's message, by language."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "announcement",
        sa.Column("flow", sa.String(60), primary_key=True),
        sa.Column("language", sa.String(35), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("ends_calls", sa.Boolean, nullable=False),
        sa.Column("set_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("announcement")
