"""Calls, sealed fields, intents, the ledger, the outbox, bills and texts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call",
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("flow", sa.String(60), nullable=False),
        sa.Column("is_over", sa.Boolean, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )
    op.create_index("call_by_start", "call", ["started_at"])
    op.create_table(
        "sealed_field",
        sa.Column("intent", sa.String(100), primary_key=True),
        sa.Column("field", sa.String(20), primary_key=True),
        sa.Column("jwe", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.String(64)),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    create_money_tables()
    op.create_table(
        "bill",
        sa.Column("account", sa.String(32), primary_key=True),
        sa.Column("due_minor", sa.BigInteger, nullable=False),
        sa.Column("minimum_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
    )
    op.create_table(
        "text_message",
        sa.Column("id", sa.String(120), primary_key=True),
        sa.Column("recipient", sa.String(40), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("sent_at", sa.BigInteger),
    )
    keep_ledger_rows()


def create_money_tables() -> None:
    op.create_table(
        "payment_intent",
        sa.Column("reference", sa.String(100), primary_key=True),
        sa.Column("idempotency_key", sa.String(100), nullable=False, unique=True),
        sa.Column("merchant", sa.String(40), nullable=False),
        sa.Column("call", sa.String(80), nullable=False),
        sa.Column("bank", sa.String(60), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("card_summary", sa.String(40), nullable=False),
        sa.Column("ani_hash", sa.String(64), nullable=False),
        sa.Column("card_fingerprint", sa.String(64), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("confirmation_number", sa.String(40)),
        sa.Column("response_code", sa.String(4)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_payment_intent_call", "payment_intent", ["call"])
    op.create_index("intent_by_caller", "payment_intent", ["ani_hash", "created_at"])
    op.create_index("intent_by_card", "payment_intent", ["card_fingerprint", "created_at"])
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("reference", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("response_code", sa.String(4)),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("reference", "kind", name="one_entry_of_a_kind"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("reference", sa.String(120), nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("leased_until", sa.BigInteger, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("is_done", sa.Boolean, nullable=False),
        sa.UniqueConstraint("kind", "reference", name="one_job_of_a_kind"),
    )
    op.create_index("outbox_by_due", "outbox", ["is_done", "due_at"])


def keep_ledger_rows() -> None:
    """A ledger row is added, never changed or removed: the database itself refuses it."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER ledger_refuses_{verb.lower()} BEFORE {verb} ON ledger_entry "
                "BEGIN SELECT RAISE(ABORT, 'ledger rows are added, never changed'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION ledger_refuses() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'ledger rows are added, never changed'; END $$"
    )
    op.execute(
        "CREATE TRIGGER ledger_refuses_change BEFORE UPDATE OR DELETE ON ledger_entry "
        "FOR EACH ROW EXECUTE FUNCTION ledger_refuses()"
    )


def downgrade() -> None:
    for table in ("text_message", "bill", "outbox", "ledger_entry", "payment_intent", "sealed_field", "call"):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION IF EXISTS ledger_refuses()")
