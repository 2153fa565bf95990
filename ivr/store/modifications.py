"""What is done with an approved charge afterwards: refunds, voids and captures, each asked for once and on record.

    asked ──▶ sent ──▶ done | failed          the bank's word
                 ├───▶ taken ──▶ done | failed  the bank tells later, in a notification
                 ├───▶ unknown ──▶ done | failed | taken   silence: asked again under the same key, or inquired for
                 └───▶ asked                   surely nothing left: tried again
    done ──▶ failed                            a refund that came back, or a capture that was not made after all, as the
                                               bank tells by itself

What was asked for and has not failed counts against what can still be refunded, in the transaction that asks: so never
more is refunded than was charged, whoever asks at once. Whoever asks says what could be refunded when they looked. If that
is no longer so, nothing is asked: the same request is `AlreadyAsked`, another is `Changed`. Balances are queries over the
ledger's entries, which are added and never changed. An intent keeps its status: it was approved, and that stays true.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from ivr.core.call import OPEN_PARTS, TAKEN_BACK
from ivr.store.audit import add_event
from ivr.store.database import Database
from ivr.store.entries import read_story
from ivr.store.following import FollowUp, change_bills
from ivr.store.intents import Payment, read_payment
from ivr.store.merchant_notices import tell_refund, tell_void
from ivr.store.modification_rows import (
    FOLLOWS,
    AlreadyAsked,
    Balance,
    Changed,
    Modification,
    ModificationState,
    ModificationWord,
    WantedModification,
    move_modification,
    note_modification,
    one_modification,
    read_balance,
    read_modifications,
)
from ivr.store.outbox import Job, close_job, drop_job, is_held, is_leased, put_off
from ivr.store.reservations import follow_capture, reservation_state
from ivr.store.splits import JOB, enter_modification, hold_split, part_modified
from ivr.store.tables import modification as table

# Left the house, and nobody has said how it ended: what can be settled by hand.
WITHOUT_OUTCOME: frozenset[ModificationState] = frozenset({"unknown", "taken"})
Settled = Literal["done", "failed"]


class Modifications:
    """Locks are taken in one order everywhere: the outbox's job first, then the charge."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ---- asked for

    def ask_modification(self, wanted: WantedModification, now: datetime) -> Modification | AlreadyAsked | Changed:
        """One transaction: the request, its ledger entry, its job and the audit event. A void forbids a capture to come.

        ValueError for a charge that is not approved, an amount of nothing, or a part of a sum that is to reopen its bills. Whether the bank has such an operation is
        for the caller to know.
        """
        with self._database.money() as connection:
            self._database.hold(connection, f"modifications of {wanted.reference}")
            payment = read_payment(connection, wanted.reference)
            if payment is None or payment.status != "approved" or wanted.amount.minor <= 0:
                raise ValueError("only an approved charge can be modified, and by more than nothing")
            if wanted.reopens_bill and payment.intent.bills and wanted.amount != payment.intent.amount:
                raise ValueError("bills that were paid in one sum are owed again together, by all of it")
            if is_not_for_hands(connection, self._database, payment):
                return Changed(read_balance(connection, payment).refundable)
            others = read_modifications(connection, wanted.reference)
            is_capturing = is_leased(connection, "capture", wanted.reference, now)
            refusal = _refusal(wanted, read_balance(connection, payment), others, is_capturing)
            if refusal is not None:
                return refusal
            asked = _asked(_reopening(wanted, payment), len(others) + 1, now)
            enter_modification(connection, self._database, payment, asked, now)
            return asked

    # ---- what is known

    def modification(self, key: str) -> Modification | None:
        with self._database.calls() as connection:
            return one_modification(connection, table.c.id == key)

    def modifications_of(self, reference: str) -> Sequence[Modification]:
        """The first first."""
        with self._database.calls() as connection:
            return read_modifications(connection, reference)

    def asked_before(self, wanted: WantedModification) -> Modification | None:
        """The same request, for the same that could be refunded then; None where it has not been made, or has failed."""
        return _same(wanted, self.modifications_of(wanted.reference))

    def balance_of(self, payment: Payment) -> Balance:
        with self._database.calls() as connection:
            return read_balance(connection, payment)

    # ---- the forwarder's side

    def mark_modification_sent(self, job: Job) -> bool:
        """Durably, before anything leaves. False where a request may have left before: that is not the first one."""
        with self._database.money() as connection:
            return is_held(connection, job) and move_modification(connection, job.reference, "asked", "sent")

    def put_back_modification(self, job: Job, pause_s: float, due: datetime | None, reason: str | None) -> bool:
        """Surely nothing left: whoever leases the job next sends it for the first time."""
        word = ModificationWord(reason=reason)
        with self._database.money() as connection:
            return put_off(connection, job, pause_s, due) and move_modification(
                connection, job.reference, "sent", "asked", word
            )

    def doubt_modification(self, job: Job, pause_s: float, due: datetime | None, reason: str | None) -> bool:
        """It may have left, and nobody has said what became of it: the job goes on."""
        word = ModificationWord(reason=reason)
        with self._database.money() as connection:
            if not put_off(connection, job, pause_s, due):
                return False
            return any(
                move_modification(connection, job.reference, old, "unknown", word) for old in ("sent", "unknown")
            )

    def end_modification(
        self,
        job: Job,
        status: ModificationState,
        word: ModificationWord,
        now: datetime,
        follow_up: FollowUp | None = None,
        *,
        refunds: bool = False,
    ) -> bool:
        """The end of a job, in one transaction: taken, done or failed. False if the lease was lost meanwhile.

        `follow_up`: what the capture of a reserved amount leaves behind. `refunds`: as for `end_modification`.
        """
        with self._database.money() as connection:
            found = one_modification(connection, table.c.id == job.reference) if close_job(connection, job) else None
            return found is not None and end_modification(
                connection, self._database, found, status, word, now, follow_up, refunds=refunds
            )

    # ---- settled by hand

    def settle_modification(
        self,
        key: str,
        status: Settled,
        settled_by: str,
        now: datetime,
        follow_up: FollowUp | None = None,
        *,
        refunds: bool = False,
    ) -> Modification | None:
        """What an operator knows from the bank: one transaction with its audit event, and the forwarder asks no more.

        `refunds`: as for `end_modification`.
        None where it is not without an outcome (any more), or where the forwarder is asking the bank at this moment, whose
        answer must not come too late: nothing is changed then.
        """
        word = ModificationWord(reason=f"settled by hand by {settled_by}")
        with self._database.money() as connection:
            found = one_modification(connection, table.c.id == key)
            if found is None or found.status not in WITHOUT_OUTCOME or is_leased(connection, JOB, key, now):
                return None
            drop_modification_job(connection, key)
            if not end_modification(connection, self._database, found, status, word, now, follow_up, refunds=refunds):
                return None  # somebody has just heard of it
            add_event(self._database, connection, settled_by, f"{found.kind} settled as {status}", key, now)
        return self.modification(key)


def end_modification(
    connection: Connection,
    database: Database,
    found: Modification,
    status: ModificationState,
    word: ModificationWord,
    now: datetime,
    follow_up: FollowUp | None = None,
    *,
    refunds: bool = False,
) -> bool:
    """False where it stands elsewhere by now, or the status cannot follow. The bill follows where that was asked for, and
    the merchant's own systems are told of what has been given back, or taken of what was reserved. `refunds`: a part of a bill
    that the bank would not void may be refunded in place of it."""
    payment = read_payment(connection, found.reference)
    can_follow = status in FOLLOWS.get(found.status, frozenset())
    if payment is None or not can_follow or not move_modification(connection, found.id, found.status, status, word):
        return False
    follow_up = follow_up or FollowUp()
    changes = note_modification(connection, payment, found, status, word.response_code, now)
    if not follow_up.tell_billing:
        change_bills(connection, payment.intent, changes)
    part_modified(connection, database, payment, replace(found, status=status), refunds=refunds, now=now)
    if status == "done" and found.kind == "refund":
        tell_refund(connection, database, payment, found.id, found.amount, now)
    if status == "done" and found.kind == "void":
        tell_void(connection, database, payment, now)
    if status == "done" and found.kind == "capture":
        follow_capture(connection, database, payment, now, follow_up)
    return True


def is_not_for_hands(connection: Connection, database: Database, payment: Payment) -> bool:
    """A part of a bill that is not paid in full yet is decided when its call is over; of one that was taken back, and of a
    charge that the bank has let go of before it took it, nothing is left."""
    if payment.split:
        hold_split(connection, database, payment.split)
        payment = read_payment(connection, payment.intent.reference) or payment
    has_lapsed = reservation_state(read_story(connection, payment.intent.reference)) == "lapsed"
    return has_lapsed or payment.part in (*OPEN_PARTS, *TAKEN_BACK)


def _reopening(wanted: WantedModification, payment: Payment) -> WantedModification:
    """A bill that an amount is only reserved for is not paid: without the amount it is owed again."""
    is_reserved = wanted.kind == "void" and payment.intent.captures_later and payment.intent.payable_key
    return replace(wanted, reopens_bill=True) if is_reserved else wanted


def find_told(connection: Connection, bank: str, names: Sequence[str]) -> Modification | None:
    """What a bank tells of: by our key, or by its own reference of it."""
    for column in (table.c.id, table.c.bank_reference):
        for name in filter(None, names):
            found = one_modification(connection, column == name)
            payment = read_payment(connection, found.reference) if found else None
            if found and payment and payment.intent.bank == bank:
                return found
    return None


def drop_modification_job(connection: Connection, key: str) -> None:
    drop_job(connection, JOB, key)


def _refusal(
    wanted: WantedModification, balance: Balance, others: Sequence[Modification], is_capturing: bool
) -> AlreadyAsked | Changed | None:
    """`is_capturing`: the forwarder's own capture is on its way."""
    capture = next((one for one in others if one.kind == "capture" and one.status != "failed"), None)
    if wanted.kind == "capture":
        if capture is not None:
            return AlreadyAsked(capture)
        return None if balance.refundable == wanted.left and not is_capturing else Changed(balance.refundable)
    if wanted.kind == "void" and (is_capturing or capture is not None):
        return Changed(balance.refundable)
    if balance.refundable == wanted.left and wanted.amount.minor <= wanted.left.minor:
        return None
    found = _same(wanted, others)
    return AlreadyAsked(found) if found else Changed(balance.refundable)


def _same(wanted: WantedModification, others: Sequence[Modification]) -> Modification | None:
    same = (wanted.kind, wanted.amount, wanted.left)
    found = (one for one in reversed(others) if (one.kind, one.amount, one.left) == same)
    return next((one for one in found if one.status != "failed"), None)


def _asked(wanted: WantedModification, number: int, now: datetime) -> Modification:
    return Modification(
        id=f"{wanted.reference}-m{number}",
        reference=wanted.reference,
        number=number,
        kind=wanted.kind,
        amount=wanted.amount,
        left=wanted.left,
        status="asked",
        asked_by=wanted.asked_by,
        asked_at=now,
        reopens_bill=wanted.reopens_bill,
        bank_reference=None,
        response_code=None,
        reason=None,
    )
