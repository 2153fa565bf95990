"""What takes no cards for now: the whole line, a flow or a bank."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "charge_stop",
        sa.Column("scope", sa.String(10), primary_key=True),
        sa.Column("name", sa.String(60), primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("stopped_by", sa.String(80), nullable=False),
        sa.Column("stopped_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("charge_stop")
