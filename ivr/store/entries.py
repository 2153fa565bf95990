"""The ledger's entries: what happened to a charge, in order, and what each moves; rows are added, never changed."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from ivr.core.money import Money
from ivr.store.database import milliseconds
from ivr.store.intents import PaymentIntent
from ivr.store.postings import MoneyTransfer, Posted, lowered_by, when_noted
from ivr.store.tables import ledger_entry
from ivr.store.transfers import read_posted, write_entry

BillChanges = Mapping[str, int]
"""By how much each bill owes more, by its key, in minor units; below nought where it owes less."""


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
) -> BillChanges:
    """An entry after the bank's answer, which moves what the entries before it have left. `about`: as for `add_entry`.
    `reopens`: what is given back is owed on the bill again. What its transfers make of the bills is for who calls to write."""
    number, amount = about or (0, intent.amount)
    before = read_posted(connection, intent.reference, amount.currency)
    transfers = when_noted(intent, kind, amount.minor, number, before, reopens=reopens)
    add_entry(connection, intent, kind, code, now, transfers, (number, amount))
    after = lowered_by(intent, [*before, Posted(kind, number, tuple(transfers))])
    return {key: lowered - after[key] for key, lowered in lowered_by(intent, before).items() if lowered != after[key]}


def note_entry(connection: Connection, intent: PaymentIntent, kind: str, now: datetime) -> BillChanges | None:
    """Of the charge's amount, unless there is one of the kind: None then."""
    if kind in read_story(connection, intent.reference):
        return None
    return post_entry(connection, intent, kind, None, now)


def read_story(connection: Connection, reference: str) -> list[str]:
    story = select(ledger_entry.c.kind).where(ledger_entry.c.reference == reference).order_by(ledger_entry.c.id)
    return list(connection.execute(story).scalars())
