"""What a billing system has to be told: each approved payment on a bill of its own, until it has acknowledged it.

A charge that paid several bills in one sum is a notice for each of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, update

from ivr.store.database import Database, milliseconds
from ivr.store.intent_bills import IntentBill, reference_of
from ivr.store.intents import Payment, payment_of, read_payment
from ivr.store.outbox import NEVER, Job
from ivr.store.tables import intent_bill, ledger_entry, outbox, payment_intent


@dataclass(frozen=True)
class Notice:
    """`id` is what it is sent again by; `due` is its next try, None where it was given up. `bill`: of a sum the one that it is
    about."""

    id: str
    payment: Payment
    attempts: int
    due: datetime | None
    bill: IntentBill | None = None


class NoticeRows:
    def __init__(self, database: Database) -> None:
        self._database = database

    def paid_at(self, payment: Payment) -> datetime | None:
        """When it was approved; of a reserved amount when it was captured."""
        kind = "captured" if payment.intent.captures_later else "approved"
        entries = ledger_entry.c.reference == payment.intent.reference, ledger_entry.c.kind == kind
        latest = select(ledger_entry.c.at).where(*entries).order_by(ledger_entry.c.id.desc()).limit(1)
        with self._database.calls() as connection:
            at = connection.execute(latest).scalar()
        return datetime.fromtimestamp(at / 1000, UTC) if at is not None else None

    def told_of(self, notice: str) -> tuple[Payment, IntentBill | None] | None:
        """What a notice is about: a payment, and of a sum the bill that it is about."""
        with self._database.calls() as connection:
            payment = read_payment(connection, reference_of(connection, notice) or notice)
        return (payment, _bill(payment, notice)) if payment else None

    def waiting_notices(self, most: int) -> Sequence[Notice]:
        """Not acknowledged yet, the oldest first."""
        job = outbox.c
        of_bill = func.coalesce(intent_bill.c.reference, job.reference)
        rows = (
            select(payment_intent, job.reference.label("notice"), job.attempts, job.due_at)
            .select_from(outbox)
            .outerjoin(intent_bill, intent_bill.c.id == job.reference)
            .join(payment_intent, payment_intent.c.reference == of_bill)
            .where(job.kind == "notice", ~job.is_done)
            .order_by(job.id)
            .limit(most)
        )
        with self._database.calls() as connection:
            return [_notice(row, payment_of(connection, row)) for row in connection.execute(rows).all()]

    def resend_notices(self, now: datetime, reference: str | None = None) -> int:
        """Due at once; all that wait, or one, or those of one payment: of payments and of agreements."""
        waiting = update(outbox).where(outbox.c.kind.in_(("notice", "agreement")), ~outbox.c.is_done)
        if reference is not None:
            bills = select(intent_bill.c.id).where(intent_bill.c.reference == reference)
            named: ColumnElement[bool] = (outbox.c.reference == reference) | outbox.c.reference.in_(bills)
            waiting = waiting.where(named)
        with self._database.money() as connection:
            return connection.execute(waiting.values(due_at=milliseconds(now), attempts=0)).rowcount

    def give_up_notice(self, job: Job) -> bool:
        """Not done, so the payment still counts as not acknowledged; due only when it is asked for again."""
        with self._database.money() as connection:
            held = outbox.c.id == job.id, outbox.c.fence == job.fence, ~outbox.c.is_done
            parked = update(outbox).where(*held).values(due_at=NEVER, leased_until=0)
            return connection.execute(parked).rowcount == 1


def _notice(row: Row[Any], payment: Payment) -> Notice:
    return Notice(row.notice, payment, row.attempts, _due(row.due_at), _bill(payment, row.notice))


def _bill(payment: Payment, notice: str) -> IntentBill | None:
    return next((bill for bill in payment.intent.bills if bill.id == notice), None)


def _due(at: int) -> datetime | None:
    return datetime.fromtimestamp(at / 1000, UTC) if at < NEVER else None
