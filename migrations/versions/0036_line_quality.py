"""Of a call on a line of our own: how many audio packets of the caller came, and how many never did."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None
COLUMNS = ("line_came", "line_lost")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("call", sa.Column(name, sa.BigInteger))


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_column("call", name)
