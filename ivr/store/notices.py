"""What a billing system has to be told: each approved payment on a bill of its own, until it has acknowledged it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, update

from ivr.store.database import Database, milliseconds
from ivr.store.intents import Payment, payment_of
from ivr.store.outbox import NEVER, Job
from ivr.store.tables import ledger_entry, outbox, payment_intent


@dataclass(frozen=True)
class Notice:
    """`due` is its next try; None where it was given up."""

    payment: Payment
    attempts: int
    due: datetime | None


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

    def waiting_notices(self, most: int) -> Sequence[Notice]:
        """Not acknowledged yet, the oldest first."""
        job = outbox.c
        rows = (
            select(payment_intent, job.attempts, job.due_at)
            .join(outbox, job.reference == payment_intent.c.reference)
            .where(job.kind == "notice", ~job.is_done)
            .order_by(job.id)
            .limit(most)
        )
        with self._database.calls() as connection:
            return [Notice(payment_of(row), row.attempts, _due(row.due_at)) for row in connection.execute(rows)]

    def resend_notices(self, now: datetime, reference: str | None = None) -> int:
        """Due at once; all that wait, or one: of payments and of agreements."""
        waiting = update(outbox).where(outbox.c.kind.in_(("notice", "agreement")), ~outbox.c.is_done)
        if reference is not None:
            waiting = waiting.where(outbox.c.reference == reference)
        with self._database.money() as connection:
            return connection.execute(waiting.values(due_at=milliseconds(now), attempts=0)).rowcount

    def give_up_notice(self, job: Job) -> bool:
        """Not done, so the payment still counts as not acknowledged; due only when it is asked for again."""
        with self._database.money() as connection:
            held = outbox.c.id == job.id, outbox.c.fence == job.fence, ~outbox.c.is_done
            parked = update(outbox).where(*held).values(due_at=NEVER, leased_until=0)
            return connection.execute(parked).rowcount == 1


def _due(at: int) -> datetime | None:
    return datetime.fromtimestamp(at / 1000, UTC) if at < NEVER else None
