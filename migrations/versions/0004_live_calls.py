"""An index of the calls that go on: those that nobody has ended are looked for every minute."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "live_call", "call", ["id"], sqlite_where=sa.text("is_over = 0"), postgresql_where=sa.text("NOT is_over")
    )


def downgrade() -> None:
    op.drop_index("live_call", "call")
