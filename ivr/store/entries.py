"""The ledger's entries: what happened to a charge, in order; rows are added, never changed."""

from datetime import datetime

from sqlalchemy import Connection, select, text

from ivr.core.money import Money
from ivr.store.database import milliseconds
from ivr.store.intents import PaymentIntent
from ivr.store.tables import ledger_entry

_ADD_ENTRY = text(
    "INSERT INTO ledger_entry (reference, kind, amount_minor, currency, response_code, at, modification) "
    "VALUES (:reference, :kind, :amount_minor, :currency, :response_code, :at, :modification)"
)


def add_entry(
    connection: Connection,
    intent: PaymentIntent,
    kind: str,
    code: str | None,
    now: datetime,
    about: tuple[int, Money] | None = None,
) -> None:
    """`about`: the number and the amount of a modification; without it the entry is about the charge itself."""
    number, amount = about or (0, intent.amount)
    entry = {"reference": intent.reference, "kind": kind, "response_code": code, "at": milliseconds(now)}
    entry |= {"amount_minor": amount.minor, "currency": amount.currency, "modification": number}
    connection.execute(_ADD_ENTRY, entry)


def note_entry(connection: Connection, intent: PaymentIntent, kind: str, code: str | None, now: datetime) -> bool:
    """Unless there is one of the kind; whether it was added."""
    is_new = kind not in read_story(connection, intent.reference)
    if is_new:
        add_entry(connection, intent, kind, code, now)
    return is_new


def read_story(connection: Connection, reference: str) -> list[str]:
    story = select(ledger_entry.c.kind).where(ledger_entry.c.reference == reference).order_by(ledger_entry.c.id)
    return list(connection.execute(story).scalars())
