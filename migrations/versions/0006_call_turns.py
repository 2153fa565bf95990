"""What happened in a call, turn by turn, for the page."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call_turn",
        sa.Column("call", sa.String(80), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("came", sa.String(60), nullable=False),
        sa.Column("step", sa.String(60), nullable=False),
        sa.Column("phase", sa.String(20), nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("took_ms", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("call_turn")
