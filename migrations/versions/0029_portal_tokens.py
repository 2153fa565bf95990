"""Tokens of the portal's API, and what was answered to a request under its idempotency key."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "portal_token",
        sa.Column("id", sa.String(20), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("user", sa.String(60), sa.ForeignKey("portal_user.name"), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger),
        sa.Column("is_revoked", sa.Boolean, nullable=False),
    )
    op.create_index("portal_token_by_user", "portal_token", ["user"])
    op.create_table(
        "portal_answer",
        sa.Column("user", sa.String(60), sa.ForeignKey("portal_user.name"), primary_key=True),
        sa.Column("key_digest", sa.String(64), primary_key=True),
        sa.Column("request_digest", sa.String(64), nullable=False),
        sa.Column("looked_at", sa.String(40), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("portal_answer_by_time", "portal_answer", ["at"])


def downgrade() -> None:
    op.drop_table("portal_answer")
    op.drop_table("portal_token")
