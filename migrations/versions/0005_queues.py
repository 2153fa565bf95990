"""A queue for each bank and for texts; what became of each text."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

QUEUE_OF_EACH = """
UPDATE outbox SET queue = COALESCE(
    'bank:' || (SELECT bank FROM payment_intent WHERE payment_intent.reference = outbox.reference), 'texts')
WHERE kind IN ('authorize', 'resolve')
"""


def upgrade() -> None:
    op.add_column("outbox", sa.Column("queue", sa.String(80), nullable=False, server_default="texts"))
    op.execute(QUEUE_OF_EACH)
    op.drop_index("outbox_by_due", "outbox")
    op.create_index("outbox_by_queue", "outbox", ["is_done", "queue", "due_at"])
    op.add_column("text_message", sa.Column("state", sa.String(12), nullable=False, server_default="waiting"))
    op.add_column("text_message", sa.Column("problem", sa.String(120)))
    is_account_problem = sa.Column("is_account_problem", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("text_message", is_account_problem)
    op.add_column("text_message", sa.Column("tried_at", sa.BigInteger))
    op.execute("UPDATE text_message SET state = 'sent' WHERE sent_at IS NOT NULL")
    op.create_index("text_by_try", "text_message", ["tried_at"])


def downgrade() -> None:
    op.drop_index("text_by_try", "text_message")
    for column in ("tried_at", "is_account_problem", "problem", "state"):
        op.drop_column("text_message", column)
    op.drop_index("outbox_by_queue", "outbox")
    op.create_index("outbox_by_due", "outbox", ["is_done", "due_at"])
    op.drop_column("outbox", "queue")
