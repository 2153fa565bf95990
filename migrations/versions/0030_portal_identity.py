"""Who somebody is at the identity provider, for single sign-on to the portal."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("portal_user", sa.Column("identity", sa.String(200), nullable=False, server_default=""))
    op.create_index("portal_user_by_identity", "portal_user", ["identity"])


def downgrade() -> None:
    op.drop_index("portal_user_by_identity", "portal_user")
    op.drop_column("portal_user", "identity")
