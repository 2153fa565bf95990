"""Confirmation numbers of our own beside the bank's codes; refunds, voids and captures that were asked for."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# Damm's check digit, as `ivr.core.confirmation` had it when this was written.
DAMM = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip
FIRST, BEYOND = 10_000_000, 100_000_000


def upgrade() -> None:
    op.add_column("payment_intent", sa.Column("authorization_code", sa.String(40)))
    op.execute("UPDATE payment_intent SET authorization_code = confirmation_number")
    number_those_that_are_there()
    op.create_index("intent_by_confirmation", "payment_intent", ["confirmation_number"], unique=True)
    op.create_index("intent_by_time", "payment_intent", ["created_at"])
    number_ledger_entries()
    op.create_table(
        "modification",
        sa.Column("id", sa.String(120), primary_key=True),
        sa.Column("reference", sa.String(100), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("left_minor", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("asked_by", sa.String(80), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("reopens_bill", sa.Boolean, nullable=False),
        sa.Column("bank_reference", sa.String(40)),
        sa.Column("response_code", sa.String(4)),
        sa.Column("reason", sa.String(120)),
        sa.UniqueConstraint("reference", "number", name="one_modification_of_a_number"),
    )
    op.create_index("modification_by_bank_reference", "modification", ["bank_reference"])
    op.create_index("modification_by_status", "modification", ["status"])


def number_those_that_are_there() -> None:
    """Each its own, drawn as new charges draw theirs. The bank's code, which their callers have heard, is kept and searched."""
    connection = op.get_bind()
    references = connection.execute(sa.text("SELECT reference FROM payment_intent")).scalars().all()
    numbers: set[str] = set()
    while len(numbers) < len(references):
        drawn = str(FIRST + secrets.randbelow(BEYOND - FIRST))
        numbers.add(drawn + check_digit(drawn))
    update = sa.text("UPDATE payment_intent SET confirmation_number = :number WHERE reference = :reference")
    rows = [{"number": number, "reference": one} for number, one in zip(numbers, references, strict=True)]
    if rows:
        connection.execute(update, rows)


def check_digit(digits: str) -> str:
    interim = 0
    for digit in digits:
        interim = int(DAMM[interim][int(digit)])
    return str(interim)


def number_ledger_entries() -> None:
    """A charge may have several refunds, and each an entry of a kind. SQLite makes the table again, without its triggers."""
    with op.batch_alter_table("ledger_entry") as entries:
        entries.add_column(sa.Column("modification", sa.Integer, nullable=False, server_default="0"))
        entries.drop_constraint("one_entry_of_a_kind", type_="unique")
        entries.create_unique_constraint("one_entry_of_a_kind", ["reference", "kind", "modification"])
    refuse_changes_again()


def refuse_changes_again() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER ledger_refuses_{verb.lower()} BEFORE {verb} ON ledger_entry "
            "BEGIN SELECT RAISE(ABORT, 'ledger rows are added, never changed'); END"
        )


def downgrade() -> None:
    """Refuses where a charge has entries of several modifications: there is no room for them in what was before."""
    op.drop_table("modification")
    with op.batch_alter_table("ledger_entry") as entries:
        entries.drop_constraint("one_entry_of_a_kind", type_="unique")
        entries.create_unique_constraint("one_entry_of_a_kind", ["reference", "kind"])
        entries.drop_column("modification")
    refuse_changes_again()
    op.drop_index("intent_by_time", "payment_intent")
    op.drop_index("intent_by_confirmation", "payment_intent")
    op.execute("UPDATE payment_intent SET confirmation_number = authorization_code")
    op.drop_column("payment_intent", "authorization_code")
