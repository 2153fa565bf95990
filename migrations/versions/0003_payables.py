"""What a payment is for, which line it came in on, and whether it counts; a caller's number may be of any length."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INDEXES = {
    "intent_by_payable": ["payable_source", "payable_key", "created_at"],
    "intent_by_line": ["line", "created_at"],
}


def added() -> tuple[sa.Column, ...]:
    return (
        sa.Column("payable_source", sa.String(60), nullable=False, server_default=""),
        sa.Column("payable_key", sa.String(60), nullable=False, server_default=""),
        sa.Column("line", sa.String(120), nullable=False, server_default=""),
        sa.Column("is_counted", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("acknowledged_at", sa.BigInteger),
    )


def upgrade() -> None:
    for column in added():
        op.add_column("payment_intent", column)
    for name, columns in INDEXES.items():
        op.create_index(name, "payment_intent", columns)
    with op.batch_alter_table("text_message") as texts:
        texts.alter_column("recipient", type_=sa.Text, existing_nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("text_message") as texts:
        texts.alter_column("recipient", type_=sa.String(40), existing_nullable=False)
    for name in INDEXES:
        op.drop_index(name, "payment_intent")
    for column in reversed(added()):
        op.drop_column("payment_intent", column.name)
