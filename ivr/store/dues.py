"""What is due on a bill now, read inside the transaction that charges it or records what somebody agreed to about it."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from ivr.core.money import Money
from ivr.store.database import Database
from ivr.store.intents import (
    BeingPaid,
    Due,
    DueChanged,
    DueNow,
    held_on_payable,
    is_open_on_payable,
    paid_but_not_known,
)
from ivr.store.limits import payable_hold

_DUE = text("SELECT due_minor, currency FROM bill WHERE account = :account")


@dataclass(frozen=True)
class AgreedBill:
    """What is agreed to be paid, and on which bill. `of_due`: what was due when the amount was made of it; None for an amount of
    the caller's own, which may be a part of any that is enough. `due`: what another billing system says is due; None where the
    bill is in the embedded table."""

    source: str
    key: str
    amount: Money
    of_due: Money | None
    due: Due = None

    def is_as_agreed(self, due: Money) -> bool:
        if due.currency != self.amount.currency or due.minor < self.amount.minor:
            return False
        return self.of_due is None or due == self.of_due


def why_not_agreed(
    connection: Connection, database: Database, bill: AgreedBill, call: str
) -> BeingPaid | DueChanged | None:
    """What speaks against it now. As with a charge: who begins to pay the bill waits for this transaction, or goes first; and
    open charges are looked for before what is due is read, because one that is approved in between has lowered it by then."""
    database.hold(connection, payable_hold(bill.source, bill.key))
    if is_open_on_payable(connection, bill.source, bill.key, call):
        return BeingPaid()
    due = at_least_nothing(due_on(connection, database, bill.source, bill.key, bill.due, bill.amount.currency))
    return None if bill.is_as_agreed(due) else DueChanged(due)


def due_on(connection: Connection, database: Database, source: str, key: str, due: Due, currency: str) -> Money:
    """Less than nothing where more has been paid here than is due. `currency`: of the nothing that is due on a bill that is gone."""
    said = due.get(key) if isinstance(due, Mapping) else due
    if said is not None:
        return left_of(connection, database, source, key, said)
    owed = row_due(connection, key) or Money(0, currency)
    return without(owed, Money(held_on_payable(connection, source, key), owed.currency))


def left_of(connection: Connection, database: Database, source: str, key: str, said: DueNow) -> Money:
    """What a billing system said, less what has been paid here that it does not know of."""
    asked_at = database.on_its_clock(said.asked_at)
    return without(said.amount, paid_but_not_known(connection, source, key, said, asked_at))


def row_due(connection: Connection, account: str) -> Money | None:
    """Of the embedded table; None for a bill that it has not."""
    row = connection.execute(_DUE, {"account": account}).first()
    return Money(row.due_minor, row.currency) if row else None


def without(due: Money, paid: Money) -> Money:
    return Money(due.minor - paid.minor, due.currency)


def at_least_nothing(due: Money) -> Money:
    return Money(max(due.minor, 0), due.currency)
