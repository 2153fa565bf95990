"""The parts that a version of a flow uses, and what callers have agreed to."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("flow_version", sa.Column("parts", sa.Text, nullable=False, server_default="{}"))
    op.create_table(
        "agreement",
        sa.Column("reference", sa.String(120), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(60), nullable=False),
        sa.Column("merchant", sa.String(40), nullable=False),
        sa.Column("call", sa.String(80), nullable=False, index=True),
        sa.Column("flow", sa.String(60), nullable=False),
        sa.Column("flow_version", sa.String(64), nullable=False),
        sa.Column("account", sa.String(60), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.Column("wording", sa.Text, nullable=False),
        sa.Column("language", sa.String(20), nullable=False),
        sa.Column("key_pressed", sa.String(1), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("acknowledged_at", sa.BigInteger),
    )


def downgrade() -> None:
    op.drop_table("agreement")
    op.drop_column("flow_version", "parts")
