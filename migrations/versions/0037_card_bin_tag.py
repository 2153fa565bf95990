"""Of a card's first six digits a short keyed hash, beside its fingerprint: by it an alert tells cards that begin alike."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sealed_field", sa.Column("bin_tag", sa.String(16)))
    op.add_column("payment_intent", sa.Column("card_bin_tag", sa.String(16), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("payment_intent", "card_bin_tag")
    op.drop_column("sealed_field", "bin_tag")
