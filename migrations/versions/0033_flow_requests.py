"""Drafts of flows that authors write in the portal, and publications and rollbacks that a second author must allow."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "flow_draft",
        sa.Column("flow", sa.String(60), primary_key=True),
        sa.Column("author", sa.String(60), primary_key=True),
        sa.Column("files", sa.Text, nullable=False),
        sa.Column("base", sa.Integer, nullable=False),
        sa.Column("saved_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "flow_request",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("flow", sa.String(60), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("base", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("prompts", sa.Text, nullable=False),
        sa.Column("parts", sa.Text, nullable=False),
        sa.Column("asked_by", sa.String(60), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("decided_by", sa.String(60), nullable=False),
        sa.Column("decided_at", sa.BigInteger),
    )
    op.create_index("flow_request_by_status", "flow_request", ["status", "asked_at"])


def downgrade() -> None:
    op.drop_table("flow_request")
    op.drop_table("flow_draft")
