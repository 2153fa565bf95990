"""The way that a call took, once it is over, in an index by which many are summed up."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("call", sa.Column("way", sa.Text))
    op.create_index("call_by_flow", "call", ["flow", "way", "started_at"])


def downgrade() -> None:
    op.drop_index("call_by_flow", "call")
    op.drop_column("call", "way")
