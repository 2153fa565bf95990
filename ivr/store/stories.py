"""What is on record of one call's money, as it came, for people to follow; no card data, and nothing is changed here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select

from ivr.core.money import Money
from ivr.store.database import Database
from ivr.store.tables import ledger_entry, payment_intent, sealed_field


@dataclass(frozen=True)
class LedgerEntry:
    """`reference` is the payment intent's: the call and the number of its attempt. `modification`: the number of the
    refund, void or capture that it is about, 0 for the charge itself. Of refunds that
    were made at the bank, which have no number here, the second one has -1, the next -2."""

    id: int
    reference: str
    kind: str
    amount: Money
    response_code: str | None
    at: datetime
    modification: int = 0


@dataclass(frozen=True)
class SealedSize:
    """A field that lies sealed for an attempt, and how long the seal is."""

    field: str
    characters: int


class Stories:
    def __init__(self, database: Database) -> None:
        self._database = database

    def ledger_of(self, call_id: str) -> Sequence[LedgerEntry]:
        """All entries of the call's intents, oldest first."""
        of_call = select(payment_intent.c.reference).where(payment_intent.c.call == call_id)
        story = select(ledger_entry).where(ledger_entry.c.reference.in_(of_call)).order_by(ledger_entry.c.id)
        with self._database.calls() as connection:
            return [
                LedgerEntry(
                    *(row.id, row.reference, row.kind, Money(row.amount_minor, row.currency), row.response_code),
                    datetime.fromtimestamp(row.at / 1000, UTC),
                    row.modification,
                )
                for row in connection.execute(story)
            ]

    def sealed_sizes(self, intent: str) -> Sequence[SealedSize]:
        """In the order in which the caller keyed them in; empty once the bank's answer has deleted them."""
        length = func.length(sealed_field.c.jwe).label("characters")
        sealed = select(sealed_field.c.field, length).where(sealed_field.c.intent == intent).order_by(sealed_field.c.at)
        with self._database.calls() as connection:
            return [SealedSize(row.field, row.characters) for row in connection.execute(sealed)]
