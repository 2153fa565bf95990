"""Alerts: what is wrong with a line, since when, and when it was over."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("about", sa.String(120), nullable=False),
        sa.Column("scope", sa.String(80), nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
    )
    op.create_index("alert_by_end", "alert", ["ended_at", "kind", "about"])


def downgrade() -> None:
    op.drop_table("alert")
