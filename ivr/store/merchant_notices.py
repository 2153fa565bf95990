"""What the merchant's own systems have to be told: written in the transaction of what it is about, sent by the forwarder.

A notice waits, was sent, or has failed: after 72 hours, or because its address answered that it wants no more. What has
failed stays until somebody sends it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, exists, func, select, text, update

from ivr.core.call import Call
from ivr.core.money import Money
from ivr.store.database import Database, milliseconds
from ivr.store.intents import Payment, Status, read_payment
from ivr.store.notice_bodies import (
    AlertKind,
    NoticeKind,
    PaymentKind,
    alert_body,
    bill_body,
    call_body,
    payment_body,
    refund_body,
)
from ivr.store.outbox import AT_ONCE, MERCHANT_NOTICES, NEVER, Job, add_job, close_job, put_off
from ivr.store.tables import merchant_notice, outbox

LONGEST_PROBLEM = 120
JOB = "merchant_notice"
NoticeState = Literal["waiting", "sent", "failed"]
_TOLD: dict[Status, PaymentKind] = {
    "approved": "payment.approved",
    "declined": "payment.declined",
    "reversed": "payment.reversed",
}
_WRITE = text(
    "INSERT INTO merchant_notice (id, kind, about, body, at, state) "
    "VALUES (:id, :kind, :about, :body, :at, 'waiting') ON CONFLICT (id) DO NOTHING"
)


@dataclass(frozen=True)
class MerchantNotice:
    """`body` is the same at every try. `due`: its next try; None where none is due."""

    id: str
    kind: NoticeKind
    about: str
    body: str
    at: datetime
    state: NoticeState = "waiting"
    problem: str | None = None
    attempts: int = 0
    due: datetime | None = None


class MerchantNotices:
    def __init__(self, database: Database) -> None:
        self._database = database

    def merchant_notice(self, notice: str) -> MerchantNotice | None:
        return next(iter(self._found_notices(merchant_notice.c.id == notice)), None)

    def merchant_notices(self, most: int, *, also_sent: bool = False) -> Sequence[MerchantNotice]:
        """Those that have not been taken, the oldest first."""
        return self._found_notices(*([] if also_sent else [merchant_notice.c.state != "sent"]), most=most)

    def failed_merchant_notices(self) -> int:
        failed = select(func.count()).select_from(merchant_notice).where(merchant_notice.c.state == "failed")
        with self._database.calls() as connection:
            return int(connection.execute(failed).scalar_one())

    def is_gone(self, url: str) -> bool:
        """Whether this address has answered that it wants no more notices, and nobody has sent one again since."""
        with self._database.calls() as connection:
            return bool(connection.execute(select(exists().where(merchant_notice.c.gone_url == url))).scalar())

    def notice_sent(self, job: Job, now: datetime) -> bool:
        with self._database.money() as connection:
            return close_job(connection, job) and _note(connection, job, now, "sent", None)

    def notice_delayed(self, job: Job, problem: str, pause_s: float, now: datetime, due: datetime | None) -> bool:
        """`due`: the time that the pause counts from, as in `postpone`."""
        with self._database.money() as connection:
            return put_off(connection, job, pause_s, due) and _note(connection, job, now, "waiting", problem)

    def notice_failed(self, job: Job, problem: str, now: datetime, gone_url: str | None = None) -> bool:
        """Until it is sent again by hand. `gone_url`: the address that wants no more of them."""
        with self._database.money() as connection:
            return close_job(connection, job) and _note(connection, job, now, "failed", problem, gone_url)

    def resend_merchant_notices(self, notice: str | None = None) -> int:
        """Due at once: one by its id, also where it was sent before; else all that have not been taken. An address that
        wanted no more is asked again."""
        wanted = merchant_notice.c.id == notice if notice else merchant_notice.c.state != "sent"
        with self._database.money() as connection:
            found = list(connection.execute(select(merchant_notice.c.id).where(wanted)).scalars())
            for one in found:
                add_job(connection, JOB, one, MERCHANT_NOTICES)
            again = update(outbox).where(outbox.c.kind == JOB, outbox.c.reference.in_(found))
            connection.execute(again.values(is_done=False, due_at=AT_ONCE, leased_until=0, attempts=0))
            connection.execute(
                update(merchant_notice).where(merchant_notice.c.id.in_(found)).values(state="waiting", problem=None)
            )
            if found:
                connection.execute(update(merchant_notice).values(gone_url=None))
        return len(found)

    def _found_notices(self, *conditions: Any, most: int = 1) -> list[MerchantNotice]:
        job = outbox.c
        rows = (
            select(merchant_notice, job.attempts, job.due_at, job.is_done)
            .outerjoin(outbox, (job.kind == JOB) & (job.reference == merchant_notice.c.id))
            .where(*conditions)
            .order_by(merchant_notice.c.at, merchant_notice.c.id)
            .limit(most)
        )
        with self._database.calls() as connection:
            return [_notice(row) for row in connection.execute(rows)]


# ---- written in the transaction of what they are about, where the merchant wants to be told of it


def tell_payment(connection: Connection, database: Database, payment: Payment, status: Status, now: datetime) -> None:
    """`payment` as it stands now. Other statuses are no news: the charge is still under way, or nothing has left."""
    reference = payment.intent.reference
    if (kind := _TOLD.get(status)) is not None and kind in database.tells:
        _write(connection, kind, reference, reference, payment_body(kind, payment, now), now)
    if status == "approved" and not payment.intent.captures_later:
        _tell_bill(connection, database, payment, now)


def tell_capture(connection: Connection, database: Database, payment: Payment, now: datetime) -> None:
    """Of an amount that was reserved, and is taken now: this is when its bill is paid."""
    kind: PaymentKind = "payment.captured"
    if kind in database.tells:
        reference = payment.intent.reference
        _write(connection, kind, reference, reference, payment_body(kind, payment, now), now)
    _tell_bill(connection, database, payment, now)


def tell_void(connection: Connection, database: Database, payment: Payment, now: datetime) -> None:
    """The bank has let go of all of it: what was told as approved, and its bill as paid, takes no money. A part of a bill that is
    taken back is told as reversed."""
    kind: PaymentKind = "payment.voided"
    if kind in database.tells and payment.part in ("", "keep"):
        reference = payment.intent.reference
        _write(connection, kind, reference, reference, payment_body(kind, payment, now), now)


def _tell_bill(connection: Connection, database: Database, payment: Payment, now: datetime) -> None:
    for bill in payment.intent.paid_bills if "bill.paid" in database.tells else ():
        _write(connection, "bill.paid", bill.id, payment.intent.reference, bill_body(payment, bill, now), now)


def tell_moved(connection: Connection, database: Database, reference: str, status: Status, now: datetime) -> None:
    """The merchant's own systems are told where the payment stands now, if they want to know."""
    moved = read_payment(connection, reference) if database.tells else None
    if moved is not None:
        tell_payment(connection, database, moved, status, now)


def tell_refund(
    connection: Connection, database: Database, payment: Payment, refund: str, amount: Money, now: datetime
) -> None:
    """`refund`: our reference of this one refund; a second one of the same payment has another. `amount`: of the refund."""
    if "payment.refunded" in database.tells:
        body = refund_body(payment, refund, amount, now)
        _write(connection, "payment.refunded", refund, payment.intent.reference, body, now)


def tell_call(connection: Connection, database: Database, call: Call, started_at: datetime, now: datetime) -> None:
    if "call.ended" in database.tells:
        _write(connection, "call.ended", call.id, call.id, call_body(call, started_at, now), now)


def tell_alert(
    connection: Connection,
    database: Database,
    what: Literal["raised", "over"],
    number: int,
    alert: tuple[str, str, str],
    now: datetime,
) -> None:
    """`alert`: its kind, what it is about, and the words."""
    kind: AlertKind = "alert.raised" if what == "raised" else "alert.over"
    if kind in database.tells:
        _write(connection, kind, str(number), alert[1], alert_body(kind, number, alert, now), now)


def _write(connection: Connection, kind: NoticeKind, name: str, about: str, body: str, now: datetime) -> None:
    """Once, however often it happens."""
    notice = f"{kind.replace('.', '-')}-{name}"
    row = {"id": notice, "kind": kind, "about": about, "body": body, "at": milliseconds(now)}
    if connection.execute(_WRITE, row).rowcount == 1:
        add_job(connection, JOB, notice, MERCHANT_NOTICES)


def _note(
    connection: Connection,
    job: Job,
    now: datetime,
    state: NoticeState,
    problem: str | None,
    gone_url: str | None = None,
) -> bool:
    words = problem[:LONGEST_PROBLEM] if problem else None
    noted = update(merchant_notice).where(merchant_notice.c.id == job.reference)
    changes = {"state": state, "problem": words, "tried_at": milliseconds(now), "gone_url": gone_url}
    return connection.execute(noted.values(changes)).rowcount == 1


def _notice(row: Row[Any]) -> MerchantNotice:
    is_due = row.is_done is not None and not row.is_done and row.due_at < NEVER
    due = datetime.fromtimestamp(row.due_at / 1000, UTC) if is_due else None
    at = datetime.fromtimestamp(row.at / 1000, UTC)
    told = (row.id, row.kind, row.about, row.body, at, row.state, row.problem)
    return MerchantNotice(*told, row.attempts or 0, due)
