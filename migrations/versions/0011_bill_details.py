"""What a bill says besides what is due, and whose it is."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bill", sa.Column("belongs_to", sa.String(32), nullable=False, server_default=""))
    op.add_column("bill", sa.Column("details", sa.Text, nullable=False, server_default=""))
    op.create_index("bill_by_customer", "bill", ["belongs_to"])


def downgrade() -> None:
    op.drop_index("bill_by_customer", "bill")
    op.drop_column("bill", "details")
    op.drop_column("bill", "belongs_to")
