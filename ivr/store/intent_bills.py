"""The bills of a charge that pays several in one sum, each with its own part of the amount; a row each.

A charge that pays a single bill has no row here: its own row says which, and pays all of its amount. What is asked of a
payable counts both.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, text

from ivr.core.money import Money


@dataclass(frozen=True)
class IntentBill:
    """`id` names what a billing system is told of it, and is its idempotency key."""

    id: str
    source: str
    key: str
    amount: Money


_ADD = text(
    "INSERT INTO intent_bill (id, reference, number, payable_source, payable_key, amount_minor, currency) "
    "VALUES (:id, :reference, :number, :source, :key, :minor, :currency)"
)
_READ = text(
    "SELECT id, payable_source, payable_key, amount_minor, currency FROM intent_bill "
    "WHERE reference = :reference ORDER BY number"
)
_ACKNOWLEDGE = text("UPDATE intent_bill SET acknowledged_at = :at WHERE id = :id")
_REFERENCE = text("SELECT reference FROM intent_bill WHERE id = :id")


def bill_id(reference: str, number: int) -> str:
    """Of the bill of this number, from 1, of a charge."""
    return f"{reference}-b{number}"


def add_bills(connection: Connection, reference: str, bills: Iterable[IntentBill]) -> None:
    rows = [
        {
            "id": bill.id,
            "reference": reference,
            "number": number,
            "source": bill.source,
            "key": bill.key,
            "minor": bill.amount.minor,
            "currency": bill.amount.currency,
        }
        for number, bill in enumerate(bills, 1)
    ]
    if rows:
        connection.execute(_ADD, rows)


def read_bills_of(connection: Connection, reference: str) -> tuple[IntentBill, ...]:
    rows = connection.execute(_READ, {"reference": reference})
    return tuple(IntentBill(key, source, bill, Money(minor, currency)) for key, source, bill, minor, currency in rows)


def reference_of(connection: Connection, bill: str) -> str | None:
    """The charge that the bill of this id is of."""
    found = connection.execute(_REFERENCE, {"id": bill}).scalar()
    return str(found) if found is not None else None


def acknowledge_bill(connection: Connection, bill: str, at_ms: int) -> None:
    connection.execute(_ACKNOWLEDGE, {"id": bill, "at": at_ms})
