"""The ledger's entries: what happened to a charge, in order, and what each moves; rows are added, never changed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from ivr.core.money import Money
from ivr.store.database import milliseconds
from ivr.store.intents import PaymentIntent
from ivr.store.postings import MoneyTransfer, when_noted
from ivr.store.tables import ledger_entry
from ivr.store.transfers import read_posted, write_entry


def add_entry(
    connection: Connection,
    intent: PaymentIntent,
    kind: str,
    code: str | None,
    now: datetime,
    transfers: Sequence[MoneyTransfer] = (),
    about: tuple[int, Money] | None = None,
) -> None:
    """With what it moves. `about`: the number and the amount of a modification; without it the entry is about the charge
    itself."""
    number, amount = about or (0, intent.amount)
    row = intent.reference, kind, amount.minor, amount.currency, code, milliseconds(now), number
    write_entry(connection, row, transfers)


def post_entry(
    connection: Connection,
    intent: PaymentIntent,
    kind: str,
    code: str | None,
    now: datetime,
    about: tuple[int, Money] | None = None,
    *,
    reopens: bool = False,
) -> None:
    """An entry after the bank's answer, which moves what the entries before it have left. `about`: as for `add_entry`.
    `reopens`: what is given back is owed on the bill again."""
    number, amount = about or (0, intent.amount)
    before = read_posted(connection, intent.reference, amount.currency)
    transfers = when_noted(intent, kind, amount.minor, number, before, reopens=reopens)
    add_entry(connection, intent, kind, code, now, transfers, (number, amount))


def note_entry(
    connection: Connection,
    intent: PaymentIntent,
    kind: str,
    code: str | None,
    now: datetime,
    amount: Money | None = None,
) -> bool:
    """Unless there is one of the kind; whether it was added. `amount`: another one than the charge's."""
    is_new = kind not in read_story(connection, intent.reference)
    if is_new:
        post_entry(connection, intent, kind, code, now, (0, amount or intent.amount))
    return is_new


def read_story(connection: Connection, reference: str) -> list[str]:
    story = select(ledger_entry.c.kind).where(ledger_entry.c.reference == reference).order_by(ledger_entry.c.id)
    return list(connection.execute(story).scalars())
