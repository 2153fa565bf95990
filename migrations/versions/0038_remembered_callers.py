"""What callers agreed to have remembered: their language, their last account; sealed, a row for each number and flow."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "remembered_caller",
        sa.Column("id", sa.String(130), primary_key=True),
        sa.Column("caller_hash", sa.String(64), nullable=False),
        sa.Column("flow", sa.String(60), nullable=False),
        sa.Column("kept", sa.Text, nullable=False),
        sa.Column("consent", sa.String(120), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("remembered_by_caller", "remembered_caller", ["caller_hash"])
    op.create_index("remembered_by_time", "remembered_caller", ["at"])


def downgrade() -> None:
    op.drop_table("remembered_caller")
