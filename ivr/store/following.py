"""What follows from an approval once it counts for good: the bill is lowered or its system told, and the money captured."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from ivr.store.entries import BillChanges
from ivr.store.intents import PaymentIntent
from ivr.store.outbox import NOTICES, add_job, bank_queue

_LOWER_BILL = text(
    "UPDATE bill SET due_minor = CASE WHEN due_minor > :paid THEN due_minor - :paid ELSE 0 END "
    "WHERE account = :account AND currency = :currency"
)
_CHANGE_BILL = text(
    "UPDATE bill SET due_minor = CASE WHEN due_minor + :more > 0 THEN due_minor + :more ELSE 0 END "
    "WHERE account = :account AND currency = :currency"
)


@dataclass(frozen=True)
class FollowUp:
    """What an approval leaves behind. `tell_billing`: a job to tell the billing system, in place of lowering the bill here;
    `capture`: one to take the money, where the bank does not take it with the authorization. Of a reserved amount neither
    is left: its money is taken by a capture that somebody asks for, and billing is told then. `refunds`: the bank can refund,
    where it would not void a part of a bill that is taken back."""

    tell_billing: bool = False
    capture: bool = False
    refunds: bool = False


def notices_of(intent: PaymentIntent) -> Sequence[str]:
    """What a billing system is told of an approved charge, by their names: one for each bill of a sum."""
    return [bill.id for bill in intent.bills] or [intent.reference]


def follow_approval(connection: Connection, intent: PaymentIntent, follow_up: FollowUp) -> None:
    """`intent` with the amount that was approved. A bill that an amount is reserved for owes as much less, or two callers would
    reserve for it; a void owes it again."""
    if not follow_up.tell_billing:
        lower_bills(connection, intent)
    if intent.captures_later:
        return
    if follow_up.tell_billing:
        tell_billing(connection, intent)
    if follow_up.capture:
        add_job(connection, "capture", intent.reference, bank_queue(intent.bank))


def tell_billing(connection: Connection, intent: PaymentIntent) -> None:
    """What was paid for without a look-up, such as a meter's number, is told as well; there is no bill of it to lower."""
    for notice in notices_of(intent) if intent.payable_key or intent.account else ():
        add_job(connection, "notice", notice, NOTICES)


def lower_bills(connection: Connection, intent: PaymentIntent) -> None:
    for bill in intent.paid_bills:
        values = {"account": bill.key, "currency": bill.amount.currency, "paid": bill.amount.minor}
        connection.execute(_LOWER_BILL, values)


def change_bills(connection: Connection, intent: PaymentIntent, changes: BillChanges) -> None:
    """A bill owes no less than nothing, whoever has paid it meanwhile."""
    for bill in intent.paid_bills:
        values = {"account": bill.key, "currency": bill.amount.currency, "more": changes.get(bill.key, 0)}
        if values["more"]:
            connection.execute(_CHANGE_BILL, values)


def write_follow_up(follow_up: FollowUp) -> str:
    """For the row of a part, whose approval waits for the other parts."""
    written = {"tell": follow_up.tell_billing, "capture": follow_up.capture, "refund": follow_up.refunds}
    return " ".join(name for name, is_wanted in written.items() if is_wanted)


def read_follow_up(written: str) -> FollowUp:
    words = written.split()
    return FollowUp(tell_billing="tell" in words, capture="capture" in words, refunds="refund" in words)
