"""A bill that is paid with several cards: what becomes of the approved parts, decided once, in the transaction that settles it.

    take_back ──▶ ""                 all parts together come to the bill: charged for good
        └───────▶ undoing ──▶ undone the call is over with a rest unpaid, or the caller took it back; undone: the bank's word
                      └─────▶ ""     the bank would neither void nor refund it, or its refund came back: charged
    keep ───────▶ ""                 the same, or the call is over: what was paid is kept
        └───────▶ undoing            the caller took it back

Until then nothing follows from a part's approval: no bill is lowered, nobody is told, no money is captured. So an
all-or-nothing bill never shows a part of itself, and a part is taken back by a void at any bank. It is decided by whoever
comes last: the bank's last word on a part (`heard`), or the end of the call (`call_ended`). Both hold the split first, so
that one of them sees what the other has written.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, text

from ivr.core.actions import SplitPart
from ivr.core.call import OPEN, OPEN_PARTS, PartState
from ivr.core.money import Money
from ivr.store.audit import add_event
from ivr.store.database import Database
from ivr.store.entries import post_entry
from ivr.store.following import FollowUp, follow_approval, read_follow_up, write_follow_up
from ivr.store.intents import DueChanged, Payment, PaymentIntent, payment_of
from ivr.store.kept_cards import forget_undone
from ivr.store.merchant_notices import tell_moved
from ivr.store.modification_rows import (
    Kind,
    Modification,
    note_modification,
    read_balance,
    read_modifications,
    row_of,
)
from ivr.store.outbox import add_job, bank_queue, drop_job, hurry, tell_again
from ivr.store.postings import PART_COUNTED, PART_UNDONE
from ivr.store.tables import call, modification, payment_intent

UNDONE_BY = "the rest was not paid"  # who asked, in the audit trail
TAKEN_BACK_BY = "the caller took it back"
JOB = "modification"
_PARTS = (
    select(payment_intent)
    .where(payment_intent.c.split == bindparam("split"), payment_intent.c.split != "")
    .order_by(payment_intent.c.created_at, payment_intent.c.reference)
)
_OF_CALL = text(
    "SELECT DISTINCT split FROM payment_intent WHERE call = :call AND split <> '' AND part IN ('take_back', 'keep')"
)
_SET = text("UPDATE payment_intent SET part = :part WHERE reference = :reference")
_WAITS = text("UPDATE payment_intent SET waiting = :waiting WHERE reference = :reference")
_LEFT_OPEN = text(
    "SELECT DISTINCT p.split FROM payment_intent p JOIN call c ON c.id = p.call "
    "WHERE p.part IN ('take_back', 'keep') AND p.status = 'approved' AND c.is_over LIMIT 100"
)


class Splits:
    def __init__(self, database: Database) -> None:
        self._database = database

    def take_back(self, call_id: str, now: datetime) -> None:
        """The caller wants every part of the call's unpaid bills back. The second time it changes nothing."""
        with self._database.money() as connection:
            for split in connection.execute(_OF_CALL, {"call": call_id}).scalars().all():
                hold_split(connection, self._database, split)
                for part in read_parts(connection, split):
                    if part.part in OPEN_PARTS and part.status in OPEN:
                        _set(connection, part, "undoing")  # should it be approved, it is taken back then
                    elif part.part in OPEN_PARTS and part.status == "approved":
                        _undo(connection, self._database, part, TAKEN_BACK_BY, now)

    def settle_left_open(self, now: datetime) -> int:
        """Parts of calls that are over: none are left where nothing broke. How many bills had some."""
        with self._database.calls() as connection:
            found = connection.execute(_LEFT_OPEN).scalars().all()
        for split in found:
            with self._database.money() as connection:
                hold_split(connection, self._database, split)
                _decide(connection, self._database, read_parts(connection, split), now)
        return len(found)


def hold_split(connection: Connection, database: Database, split: str) -> None:
    """Before anything of it is read. Locks: the outbox's job or the call first, then the split, then intents."""
    database.hold(connection, f"split {split}" if split else "")


def read_parts(connection: Connection, split: str) -> list[Payment]:
    """The first first; those that were not approved too."""
    return [payment_of(connection, row) for row in connection.execute(_PARTS, {"split": split}).all()]


def agreed_part(
    connection: Connection, database: Database, intent: PaymentIntent, part: SplitPart, left: Money, now: datetime
) -> PaymentIntent | DueChanged:
    """In the transaction that begins a part, which holds the split: the intent, with what all parts are to come to by what is due now.

    `left`: what is due now less the approved parts, and so below nothing where these come to more: somebody else has lowered
    the bill since. Where they come to what is due, they count for good, as with the last part.
    """
    held = [one for one in read_parts(connection, part.first) if one.status == "approved" and one.part in OPEN_PARTS]
    worth = sum(_worth(connection, one) for one in held)
    left = replace(left, minor=left.minor + sum(one.intent.amount.minor for one in held) - worth)
    total = replace(left, minor=left.minor + worth)
    if intent.is_as_agreed(left):
        return replace(intent, part=replace(part, total=total))
    if left.minor > 0 or not held or left.currency != intent.amount.currency:
        return DueChanged(replace(left, minor=max(left.minor, 0)))
    if left.minor < 0:
        return DueChanged(replace(total, minor=max(total.minor, 0)), parts="overpaid")
    _count_for_good(connection, database, held, now)
    return DueChanged(total, parts="paid")


def call_ended(connection: Connection, database: Database, call_id: str, now: datetime) -> None:
    """In the transaction that ends the call."""
    for split in connection.execute(_OF_CALL, {"call": call_id}).scalars().all():
        hold_split(connection, database, split)
        _decide(connection, database, read_parts(connection, split), now)


def heard(connection: Connection, database: Database, payment: Payment, follow_up: FollowUp, now: datetime) -> None:
    """The bank's last word on a part, which stands in its row by now; the split is held."""
    reference = payment.intent.reference
    if payment.status == "approved":
        connection.execute(_WAITS, {"waiting": write_follow_up(follow_up), "reference": reference})
    if payment.status != "approved":
        _set(connection, payment, "")
    elif payment.part == "undoing":
        _undo(connection, database, payment, TAKEN_BACK_BY, now)
        return
    _decide(connection, database, read_parts(connection, payment.split), now)


def part_modified(
    connection: Connection, database: Database, payment: Payment, done: Modification, *, refunds: bool, now: datetime
) -> None:
    """A void or refund that takes a part back has ended; `refunds`: where a void was refused, a refund may be asked for."""
    follow_up = read_follow_up(payment.waiting)
    comes_back = payment.part == "undone" and done.status == "failed"  # a refund that was said to be done
    if not comes_back and (payment.part != "undoing" or done.status not in ("done", "failed")):
        return
    if done.status == "done":
        _undone(connection, database, payment, now)
    elif done.kind == "void" and (refunds or follow_up.refunds):
        _ask(connection, database, payment, "refund", done.asked_by, now)
    else:
        follow_approval(connection, payment.intent, follow_up)
        _set(connection, payment, "")
        post_entry(connection, payment.intent, PART_COUNTED, None, now)
        if not comes_back:
            hurry(connection, "result", payment.intent.reference)
            return
        tell_again(connection, payment.intent.reference, PART_COUNTED)
        tell_moved(connection, database, payment.intent.reference, "approved", now)


def part_let_go(connection: Connection, database: Database, payment: Payment, now: datetime) -> bool:
    """The bank has let go of it by itself, before all of the bill was there: nothing is left to take back. Whether it was one."""
    if payment.part not in (*OPEN_PARTS, "undoing"):
        if payment.split and payment.is_charged:  # its receipt may be on its way, or have been read
            tell_again(connection, payment.intent.reference, "let_go")
        return False
    hold_split(connection, database, payment.split)
    _undone(connection, database, payment, now)
    return True


def _undone(connection: Connection, database: Database, payment: Payment, now: datetime) -> None:
    _set(connection, payment, "undone")
    post_entry(connection, payment.intent, PART_UNDONE, None, now)
    forget_undone(connection, payment.intent, now)
    tell_moved(connection, database, payment.intent.reference, "reversed", now)
    hurry(connection, "result", payment.intent.reference)


def _decide(connection: Connection, database: Database, parts: Sequence[Payment], now: datetime) -> None:
    approved = [one for one in parts if one.status == "approved" and one.part in OPEN_PARTS]
    if not approved:
        return
    if sum(_worth(connection, one) for one in approved) >= (parts[-1].split_minor or 0):
        _count_for_good(connection, database, approved, now)
    elif any(one.status in OPEN for one in parts) or not _is_over(connection, parts[0].intent.call):
        return  # somebody comes later
    elif approved[0].part == "keep":
        _count_for_good(connection, database, approved, now)
    else:
        for one in approved:
            _undo(connection, database, one, UNDONE_BY, now)


def _worth(connection: Connection, payment: Payment) -> int:
    """What of a part is there, in minor units: somebody may have refunded it at the bank itself."""
    return payment.intent.amount.minor - read_balance(connection, payment).returned.minor


def _count_for_good(connection: Connection, database: Database, approved: Sequence[Payment], now: datetime) -> None:
    for one in approved:
        _set(connection, one, "")
        post_entry(connection, one.intent, PART_COUNTED, None, now)
        follow_approval(connection, one.intent, read_follow_up(one.waiting))
        hurry(connection, "result", one.intent.reference)
        tell_moved(connection, database, one.intent.reference, "approved", now)


def _undo(connection: Connection, database: Database, payment: Payment, asked_by: str, now: datetime) -> None:
    """All of it, or what was not refunded at the bank itself."""
    left = _worth(connection, payment)
    if left <= 0:
        _undone(connection, database, payment, now)
        return
    _set(connection, payment, "undoing")
    _ask(connection, database, payment, "void" if left == payment.intent.amount.minor else "refund", asked_by, now)


def _ask(
    connection: Connection, database: Database, payment: Payment, kind: Kind, asked_by: str, now: datetime
) -> None:
    before = read_modifications(connection, payment.intent.reference)
    asked = _asked(payment, len(before) + 1, kind, asked_by, now)
    amount = Money(_worth(connection, payment), asked.amount.currency)
    enter_modification(connection, database, payment, replace(asked, amount=amount, left=amount), now)


def enter_modification(
    connection: Connection, database: Database, payment: Payment, asked: Modification, now: datetime
) -> None:
    """The request, its ledger entry, its job and the audit event. A void forbids a capture to come."""
    if asked.kind == "void":
        drop_job(connection, "capture", asked.reference)
    connection.execute(insert(modification), row_of(asked))
    note_modification(connection, payment, asked, "asked", None, now)
    add_job(connection, JOB, asked.id, bank_queue(payment.intent.bank))
    add_event(database, connection, asked.asked_by, f"{asked.kind} asked", f"{asked.id} {asked.amount}", now)


def _asked(payment: Payment, number: int, kind: Kind, asked_by: str, now: datetime) -> Modification:
    reference, amount = payment.intent.reference, payment.intent.amount
    return Modification(
        id=f"{reference}-m{number}",
        reference=reference,
        number=number,
        kind=kind,
        amount=amount,
        left=amount,
        status="asked",
        asked_by=asked_by,
        asked_at=now,
        reopens_bill=False,
        bank_reference=None,
        response_code=None,
        reason=None,
    )


def _set(connection: Connection, payment: Payment, part: PartState) -> None:
    connection.execute(_SET, {"part": part, "reference": payment.intent.reference})


def _is_over(connection: Connection, call_id: str) -> bool:
    return bool(connection.execute(select(call.c.is_over).where(call.c.id == call_id)).scalar())
