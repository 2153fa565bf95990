"""Payment intents and what became of them: one intent, one charge; ledger rows are added, never changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select, text

from ivr.core.money import Money
from ivr.reading.scalars import BILL
from ivr.store.calls import StaleCall
from ivr.store.confirmation_numbers import Draw, at_random
from ivr.store.database import Database, milliseconds
from ivr.store.dues import at_least_nothing, due_on, left_of, row_due
from ivr.store.entries import add_entry, note_entry, read_story
from ivr.store.following import FollowUp, follow_approval
from ivr.store.intent_bills import IntentBill
from ivr.store.intents import (
    FINAL,
    FOLLOWS,
    Accepted,
    AlreadyBegun,
    BankWord,
    BeingPaid,
    CardMarks,
    Due,
    DueChanged,
    DueNow,
    Payment,
    PaymentIntent,
    Status,
    add_intent,
    held_on_payable,
    is_begun,
    is_open_on_payable,
    move,
    next_number,
    paid_in,
    payment_of,
    read_payment,
    require_true_amount,
    write_trace,
)
from ivr.store.kept_cards import forget_told, keep_approved, keep_aside, with_told, without_forgotten
from ivr.store.limits import Attempter, AttemptLimits, OverLimit, limit_reached
from ivr.store.merchant_notices import tell_moved
from ivr.store.new_jobs import announce_job
from ivr.store.outbox import Job, add_job, bank_queue, close_job, hurry, is_held, put_off
from ivr.store.postings import captured_in, when_concluded, when_requested
from ivr.store.sealed import Staged, delete_sealed, read_sealed
from ivr.store.splits import agreed_part, heard, hold_split
from ivr.store.stops import Stopped, stops_charge
from ivr.store.tables import payment_intent
from ivr.store.transfers import read_posted

_IS_OVER = text("SELECT is_over FROM call WHERE id = :id")
Refusal = OverLimit | BeingPaid | DueChanged | Stopped


class Ledger:
    """Locks are taken in one order everywhere: the outbox's job first, then the intent."""

    def __init__(self, database: Database, draw: Draw = at_random) -> None:
        self._database, self._draw = database, draw

    # ---- the charge is begun

    def begin_payment(
        self, intent: PaymentIntent, limits: AttemptLimits, now: datetime, due: Due = None
    ) -> Accepted | AlreadyBegun | Refusal:
        """One transaction: intent, idempotency key, its sealed fields, the first ledger entry and the outbox row.

        `due`: what another billing system says is due; None where the bill is in the embedded table. A refusal deletes the
        sealed fields. StaleCall where the call has ended meanwhile, NoCard where nothing is sealed: nothing is charged.
        """
        begun = self._begin(intent, limits, now, due)
        if isinstance(begun, Accepted):
            announce_job(self._database, bank_queue(intent.bank))
        return begun

    def _begin(
        self, intent: PaymentIntent, limits: AttemptLimits, now: datetime, due: Due
    ) -> Accepted | AlreadyBegun | Refusal:
        require_true_amount(intent)
        with self._database.money() as connection:
            self._database.hold(connection, intent.reference)
            if is_begun(connection, intent.reference):
                return AlreadyBegun()
            staged = _staged_for(connection, intent)
            refusal = self._refusal(connection, intent, staged, limits, now, due)
            if isinstance(refusal, PaymentIntent):
                add_intent(connection, refusal, CardMarks(staged.fingerprint, staged.bin_tag), now, self._draw)
                add_entry(connection, refusal, "requested", None, now, when_requested(refusal))
                add_job(connection, "authorize", intent.reference, bank_queue(intent.bank))
                return Accepted()
            delete_sealed(connection, intent.reference)
        self._database.drop_wal()
        return refusal

    def _refusal(
        self,
        connection: Connection,
        intent: PaymentIntent,
        staged: Staged,
        limits: AttemptLimits,
        now: datetime,
        due: Due,
    ) -> Refusal | PaymentIntent:
        """The intent as it is begun where nothing speaks against it. Open charges are looked for before what is due is read:
        one that is approved in between has lowered it by then."""
        if stops_charge(connection, self._database, intent.call, intent.bank):
            return Stopped()
        attempter = attempter_of(intent, staged.fingerprint)
        self._database.hold(connection, *attempter.holds())
        over = limit_reached(connection, attempter, limits, now)
        if over is not None or not intent.payable_key:
            return over or intent
        # Of a part the end of its call takes its turn too: what is open and what is due are read after it, or before it.
        hold_split(connection, self._database, intent.part.first if intent.part else "")
        paying = [b for b in intent.paid_bills if is_open_on_payable(connection, b.source, b.key, intent.call)]
        if paying:
            return BeingPaid(tuple(bill.key for bill in paying) if intent.bills else ())
        left = [self._due_now(connection, bill, due) for bill in intent.paid_bills]
        if intent.part is not None:
            return agreed_part(connection, self._database, intent, intent.part, left[0], now)
        left = [at_least_nothing(one) for one in left]
        if intent.bills:
            return sum_changed(intent, left) or intent
        return intent if intent.is_as_agreed(left[0]) else DueChanged(left[0])

    def _due_now(self, connection: Connection, bill: IntentBill, due: Due) -> Money:
        """Less than nothing where more has been paid here than is due."""
        return due_on(connection, self._database, bill.source, bill.key, due, bill.amount.currency)

    def is_being_paid(self, source: str, key: str, call: str = "") -> bool:
        """Early word of `BeingPaid` to this call, before a card is keyed in; the final word is in the charge's transaction."""
        with self._database.calls() as connection:
            return is_open_on_payable(connection, source, key, call)

    def left_to_pay(self, source: str, key: str, due: DueNow) -> Money:
        """What a billing system of the merchant's said, less what has been paid here that it does not know of."""
        with self._database.calls() as connection:
            return at_least_nothing(left_of(connection, self._database, source, key, due))

    def left_on(self, keys: Sequence[str]) -> Mapping[str, Money]:
        """What is due on bills of our own table, without parts that do not count yet; nothing of those that it has not."""
        with self._database.calls() as connection:
            owed = {key: row_due(connection, key) for key in keys}
            return {
                key: at_least_nothing(Money(due.minor - held_on_payable(connection, BILL, key), due.currency))
                for key, due in owed.items()
                if due is not None
            }

    def paid_by_others(self, keys: Sequence[str], call: str, since: datetime, until: datetime) -> Mapping[str, int]:
        """What other calls' charges have paid of each bill, approved between these times, in minor units. It is for what
        callers hear: the times are those of the machines that wrote and ask, and no charge is begun by it."""
        window = {"call": call, "since": milliseconds(since), "until": milliseconds(until)}
        with self._database.calls() as connection:
            return {key: paid_in(connection, BILL, key, window) for key in keys}

    # ---- what is known of it

    def payment(self, reference: str) -> Payment | None:
        with self._database.calls() as connection:
            return read_payment(connection, reference)

    def payments_of(self, call_id: str) -> list[Payment]:
        order = payment_intent.c.created_at, payment_intent.c.reference
        with self._database.calls() as connection:
            found = connection.execute(select(payment_intent).where(payment_intent.c.call == call_id).order_by(*order))
            return [payment_of(connection, row) for row in found.all()]

    def entries(self, reference: str) -> list[str]:
        """The ledger's story of an intent, oldest first."""
        with self._database.calls() as connection:
            return read_story(connection, reference)

    # ---- the forwarder's side

    def trace(self, job: Job, bank: str, write: Callable[[int], str], now: datetime) -> str | None:
        """What the bank will find the request by, durably and before it leaves. `write` makes it of the bank's next number.

        None where a request may have left before, or the lease is lost.
        """
        with self._database.money() as connection:
            if not is_held(connection, job):
                return None
            trace = write(next_number(connection, bank))
            return trace if write_trace(connection, job.reference, trace, now) else None

    def mark_sent(self, job: Job) -> dict[str, str] | None:
        """Durably, before anything leaves. The sealed fields; None if a request may have left before: never send again.

        Empty where the charge is by a kept card that was forgotten meanwhile: then nothing may leave.
        """

        def mark(connection: Connection) -> dict[str, str] | None:
            payment = move(connection, job.reference, "accepted", "sent") if is_held(connection, job) else None
            if payment is None:
                return None
            return without_forgotten(connection, payment.intent.bank, read_sealed(connection, job.reference).fields)

        return self._database.together(mark)

    def sealed_again(self, job: Job) -> dict[str, str] | None:
        """The sealed fields of a charge without an answer, for the same request under the same key; None where it has one."""
        with self._database.money() as connection:
            payment = read_payment(connection, job.reference) if is_held(connection, job) else None
            if payment is None or payment.status != "unknown":
                return None
            return read_sealed(connection, job.reference).fields

    def record(
        self,
        job: Job,
        status: Status,
        now: datetime,
        answer: BankWord | None = None,
        follow_up: FollowUp | None = None,
    ) -> bool:
        """The end of a job, in one transaction; False if the lease was lost meanwhile or the status cannot follow.

        A final status deletes the sealed fields; `unknown` leaves a job to resolve it; what `approved` leaves says
        `follow_up`.
        """
        word = answer or BankWord()

        def write(connection: Connection) -> bool:
            payment = read_payment(connection, job.reference) if close_job(connection, job) else None
            if payment is None or status not in FOLLOWS.get(payment.status, frozenset()):
                return False
            concluding = Concluding(now, follow_up or FollowUp())
            if not conclude(connection, self._database, payment, status, word, concluding):
                raise LostRace(job.reference)
            return True

        is_recorded = self._database.together(write)
        if is_recorded and status in FINAL:
            self._database.drop_wal()
        return is_recorded

    def note_charge(self, reference: str, kind: str, now: datetime) -> None:
        """One more entry of a payment's story, which stays where it stands. The second time it changes nothing."""
        with self._database.money() as connection:
            payment = read_payment(connection, reference)
            if payment is not None:
                note_entry(connection, payment.intent, kind, now)

    def note_unanswered(self, job: Job, kind: str, now: datetime) -> bool:
        """The same by who holds the job of a charge without an answer, in one transaction with the look at both. False where
        the lease has moved on, or the charge has its answer by now."""
        with self._database.money() as connection:
            payment = read_payment(connection, job.reference) if is_held(connection, job) else None
            if payment is None or payment.status != "unknown":
                return False
            note_entry(connection, payment.intent, kind, now)
            return True

    def put_back(self, job: Job, pause_s: float, now: datetime | None = None) -> bool:
        """Surely nothing left: the intent may be sent again, later, by whoever leases the job then."""
        with self._database.money() as connection:
            if not put_off(connection, job, pause_s, now):
                return False
            return move(connection, job.reference, "sent", "accepted") is not None


class NoCard(Exception):
    """A charge without a card: nothing was sealed for it, or what was has been forgotten. A fault, not a stale call."""


class LostRace(Exception):
    """Somebody without the lease has moved the intent: the transaction is undone, the lease's next holder looks again."""


def _staged_for(connection: Connection, intent: PaymentIntent) -> Staged:
    # The caller's hang-up may have been handled at the same moment, by another thread or node.
    if connection.execute(_IS_OVER, {"id": intent.call}).scalar():
        raise StaleCall(intent.call)
    staged = read_sealed(connection, intent.reference)
    staged = replace(staged, fields=without_forgotten(connection, intent.bank, staged.fields))
    if not staged.fields:
        raise NoCard(intent.reference)
    return staged


def attempter_of(intent: PaymentIntent, fingerprint: str) -> Attempter:
    return Attempter(
        call=intent.call,
        ani_hash=intent.ani_hash,
        card_fingerprint=fingerprint,
        payable_source="" if intent.bills else intent.payable_source,
        payable_key="" if intent.bills else intent.payable_key,
        line=intent.line,
        bills=tuple((bill.source, bill.key) for bill in intent.bills),
    )


def sum_changed(intent: PaymentIntent, left: Sequence[Money]) -> DueChanged | None:
    """Bills in one sum are each paid in full: less or more due on any of them is another sum. `left`: in their order."""
    other = next((due for due in left if due.currency != intent.amount.currency), None)
    if other is not None:
        return DueChanged(other)
    if all(due == bill.amount for due, bill in zip(left, intent.bills, strict=True)):
        return None
    dues = tuple((bill.key, due) for bill, due in zip(intent.bills, left, strict=True))
    return DueChanged(Money(sum(due.minor for due in left), intent.amount.currency), dues)


def conclude(
    connection: Connection, database: Database, payment: Payment, status: Status, word: BankWord, more: "Concluding"
) -> bool:
    """The payment moves to this status, with all that follows; False where it no longer stands where it was read."""
    reference = payment.intent.reference
    hold_split(connection, database, payment.split)
    moved = move(connection, reference, payment.status, status, word)
    if moved is None:
        return False
    is_captured = payment.intent.captures_later and is_captured_already(connection, payment)
    transfers = when_concluded(moved, payment.status, is_captured=is_captured)
    add_entry(connection, moved.intent, status, word.response_code, more.now, transfers)
    if status == "approved":
        keep_approved(connection, moved, with_told(connection, reference, word), more.now)
    elif status in FINAL:
        forget_told(connection, moved.intent, word, more.now)
    if status == "unknown":
        keep_aside(connection, moved.intent, word, more.now)
        add_job(connection, "resolve", reference, bank_queue(moved.intent.bank))
    if status in FINAL:
        delete_sealed(connection, reference)
        hurry(connection, "result", reference)
    if moved.split and status in FINAL:
        heard(connection, database, moved, more.follow_up, more.now)
    elif status == "approved":
        follow_approval(connection, moved.intent, more.follow_up)
    if not (moved.split and status == "approved"):
        tell_moved(connection, database, reference, status, more.now)
    return True


def is_captured_already(connection: Connection, payment: Payment) -> bool:
    """A bank may tell of a capture before the approval is heard of."""
    return bool(captured_in(read_posted(connection, payment.intent.reference, payment.intent.amount.currency)))


@dataclass(frozen=True)
class Concluding:
    """`follow_up`: what an approval leaves behind."""

    now: datetime
    follow_up: FollowUp
