"""People who sign in to the portal: their credentials, sessions, failed attempts, and refunds that wait for a second person."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "portal_user",
        sa.Column("name", sa.String(60), primary_key=True),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("totp_sealed", sa.Text, nullable=False),
        sa.Column("totp_step", sa.BigInteger, nullable=False),
        sa.Column("invitation", sa.String(64), nullable=False),
        sa.Column("invited_until", sa.BigInteger, nullable=False),
        sa.Column("is_off", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "portal_recovery_code",
        sa.Column("user", sa.String(60), sa.ForeignKey("portal_user.name"), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
    )
    op.create_table(
        "portal_passkey",
        sa.Column("id", sa.String(1400), primary_key=True),
        sa.Column("user", sa.String(60), sa.ForeignKey("portal_user.name"), nullable=False),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
    )
    op.create_index("portal_passkey_by_user", "portal_passkey", ["user"])
    op.create_table(
        "portal_session",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("user", sa.String(60), sa.ForeignKey("portal_user.name"), nullable=False),
        sa.Column("begun_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
    op.create_index("portal_session_by_user", "portal_session", ["user"])
    op.create_table(
        "portal_challenge",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "portal_failure",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user", sa.String(60), nullable=False),
        sa.Column("source", sa.String(60), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("portal_failure_by_time", "portal_failure", ["at"])
    op.create_table(
        "portal_request",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("reference", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("left_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("reopens_bill", sa.Boolean, nullable=False),
        sa.Column("asked_by", sa.String(60), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("decided_by", sa.String(60), nullable=False),
        sa.Column("decided_at", sa.BigInteger),
    )
    op.create_index("portal_request_by_status", "portal_request", ["status", "asked_at"])


def downgrade() -> None:
    for table in ("request", "failure", "challenge", "session", "passkey", "recovery_code", "user"):
        op.drop_table(f"portal_{table}")
