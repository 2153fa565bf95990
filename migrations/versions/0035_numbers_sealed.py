"""Callers' numbers are sealed at rest: columns for them on calls and texts, and the names of the keys.

What is there in clear is sealed by `set-up` right after this, which has the key and the time (`store.number_keys`).
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("call", sa.Column("caller", sa.Text))
    op.add_column("call", sa.Column("caller_hash", sa.String(64)))
    op.create_index("call_by_caller", "call", ["caller_hash", "started_at"])
    op.add_column("text_message", sa.Column("recipient_hash", sa.String(64)))
    op.create_index("text_by_recipient", "text_message", ["recipient_hash", "at"])
    op.create_table(
        "number_key",
        sa.Column("id", sa.String(8), primary_key=True),
        sa.Column("since", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Only before a number was sealed: what is sealed cannot be read any more."""
    op.drop_table("number_key")
    op.drop_index("text_by_recipient", "text_message")
    op.drop_column("text_message", "recipient_hash")
    op.drop_index("call_by_caller", "call")
    op.drop_column("call", "caller_hash")
    op.drop_column("call", "caller")
