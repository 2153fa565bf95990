"""What a merchant's own systems are told of, and receipts by e-mail beside texts."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "merchant_notice",
        sa.Column("id", sa.String(140), primary_key=True),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("about", sa.String(120), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("problem", sa.String(120)),
        sa.Column("tried_at", sa.BigInteger),
        sa.Column("gone_url", sa.Text),
    )
    op.create_index("merchant_notice_by_state", "merchant_notice", ["state", "at"])
    op.add_column("text_message", sa.Column("way", sa.String(8), nullable=False, server_default="text"))
    op.add_column("text_message", sa.Column("subject", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("text_message", "subject")
    op.drop_column("text_message", "way")
    op.drop_index("merchant_notice_by_state", "merchant_notice")
    op.drop_table("merchant_notice")
