"""Payment intents and what became of them: one intent, one charge; ledger rows are added, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, delete, func, select, text, update
from sqlalchemy.exc import IntegrityError

from ivr.core.money import Money
from ivr.store.database import Database, milliseconds
from ivr.store.outbox import Job, add_job, close_job
from ivr.store.tables import bill, ledger_entry, payment_intent, sealed_field

# accepted: committed, nothing has left. sent: a request may have left. The rest is the bank's word, or its lack.
Status = Literal["accepted", "sent", "unknown", "approved", "declined", "reversed", "not_sent"]
FINAL: frozenset[Status] = frozenset({"approved", "declined", "reversed", "not_sent"})
# What may follow what; everything else is refused, whoever asks.
FOLLOWS: Mapping[Status, frozenset[Status]] = {
    "accepted": frozenset({"sent", "not_sent"}),
    "sent": frozenset({"unknown", "approved", "declined", "accepted", "not_sent"}),
    "unknown": frozenset({"approved", "declined", "reversed"}),
}


@dataclass(frozen=True)
class PaymentIntent:
    """`reference` is ours, and the bank's idempotency key: the same however often the request is made."""

    reference: str
    merchant: str
    call: str
    bank: str
    amount: Money
    account: str
    card_summary: str
    ani_hash: str


@dataclass(frozen=True)
class SealedField:
    intent: str
    field: str
    jwe: str
    fingerprint: str | None = None


@dataclass(frozen=True)
class Limit:
    count: int
    window_s: int


@dataclass(frozen=True)
class Limits:
    per_caller: Limit | None = None
    per_card: Limit | None = None


@dataclass(frozen=True)
class Accepted:
    """The intent is on disk and will be forwarded, whatever happens to the call."""


@dataclass(frozen=True)
class AlreadyBegun:
    """This intent was accepted before: nothing was added."""


@dataclass(frozen=True)
class OverLimit:
    name: str


@dataclass(frozen=True)
class Payment:
    """An intent and where it stands."""

    intent: PaymentIntent
    status: Status
    confirmation_number: str | None
    response_code: str | None


# Written out once: composing a statement anew costs more than running it, and every card field stages one.
_STAGE = (
    "INSERT INTO sealed_field (intent, field, jwe, fingerprint, at) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (intent, field) DO UPDATE SET jwe = excluded.jwe, fingerprint = excluded.fingerprint, at = excluded.at"
)
_KNOWN = text("SELECT 1 FROM payment_intent WHERE reference = :reference")
_FINGERPRINT = text("SELECT fingerprint FROM sealed_field WHERE intent = :reference AND fingerprint IS NOT NULL")
_INTENT_COLUMNS = (
    *("reference", "idempotency_key", "merchant", "call", "bank", "amount_minor", "currency", "account"),
    *("card_summary", "ani_hash", "card_fingerprint", "status", "created_at"),
)
_ADD_INTENT = text(
    f"INSERT INTO payment_intent ({', '.join(_INTENT_COLUMNS)}) VALUES (:{', :'.join(_INTENT_COLUMNS)})"  # noqa: S608
)
_ADD_ENTRY = text(
    "INSERT INTO ledger_entry (reference, kind, amount_minor, currency, response_code, at) "
    "VALUES (:reference, :kind, :amount_minor, :currency, :response_code, :at)"
)
_ATTEMPTS = {
    column: text(f"SELECT count(*) FROM payment_intent WHERE {column} = :value AND created_at > :since")  # noqa: S608
    for column in ("ani_hash", "card_fingerprint")
}


class Ledger:
    def __init__(self, database: Database) -> None:
        self._database = database

    # ---- sealed fields, before the charge

    def stage_sealed(self, sealed: SealedField, at: datetime) -> None:
        """Replaces an earlier entry of the same field: the caller typed it again.

        Not yet money: one statement on the calls' connection. A power cut loses the call, and with it the entry.
        """
        row = (sealed.intent, sealed.field, sealed.jwe, sealed.fingerprint, milliseconds(at))
        self._database.run(_STAGE, row)

    def forget_card(self, intent: str) -> None:
        """Deletes what was sealed for an attempt that was never begun; one that was begun keeps its fields."""
        begun = select(payment_intent.c.reference).where(payment_intent.c.reference == intent)
        unsent = delete(sealed_field).where(sealed_field.c.intent == intent, ~begun.exists())
        with self._database.money() as connection:
            dropped = connection.execute(unsent).rowcount
        if dropped:
            self._database.drop_wal()

    # ---- the charge

    def within_caller_limit(self, ani_hash: str, limit: Limit, now: datetime) -> bool:
        with self._database.calls() as connection:
            return _is_within(connection, "ani_hash", ani_hash, limit, now)

    def within_card_limit(self, fingerprint: str, limit: Limit, now: datetime) -> bool:
        with self._database.calls() as connection:
            return _is_within(connection, "card_fingerprint", fingerprint, limit, now)

    def begin_payment(
        self, intent: PaymentIntent, limits: Limits, now: datetime
    ) -> Accepted | AlreadyBegun | OverLimit:
        """One transaction: intent, idempotency key, its sealed fields, the first ledger entry and the outbox row."""
        try:
            with self._database.money() as connection:
                return self._begin(connection, intent, limits, now)
        except IntegrityError:
            return AlreadyBegun()

    def _begin(
        self, connection: Connection, intent: PaymentIntent, limits: Limits, now: datetime
    ) -> Accepted | AlreadyBegun | OverLimit:
        if connection.execute(_KNOWN, {"reference": intent.reference}).first():
            return AlreadyBegun()
        fingerprint = _fingerprint(connection, intent.reference)
        self._one_at_a_time(connection, intent.ani_hash, fingerprint)
        checks = (
            ("attempts_per_caller", "ani_hash", intent.ani_hash, limits.per_caller),
            ("attempts_per_card", "card_fingerprint", fingerprint, limits.per_card),
        )
        for name, column, value, limit in checks:
            if limit and not _is_within(connection, column, value, limit, now):
                connection.execute(delete(sealed_field).where(sealed_field.c.intent == intent.reference))
                return OverLimit(name)
        connection.execute(_ADD_INTENT, _intent_row(intent, fingerprint, now))
        _add_entry(connection, intent, "requested", None, now)
        add_job(connection, "authorize", intent.reference, now)
        return Accepted()

    def _one_at_a_time(self, connection: Connection, *keys: str) -> None:
        """Two charges of one caller or card count each other. SQLite has one writer anyway."""
        if not self._database.is_sqlite:
            for key in sorted(keys):
                connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": key})

    def payment(self, reference: str) -> Payment | None:
        with self._database.calls() as connection:
            return _read(connection, reference)

    def payments_of(self, call: str) -> list[Payment]:
        order = payment_intent.c.created_at, payment_intent.c.reference
        references = select(payment_intent.c.reference).where(payment_intent.c.call == call).order_by(*order)
        with self._database.calls() as connection:
            found = [_read(connection, reference) for reference in connection.execute(references).scalars()]
        return [payment for payment in found if payment]

    def entries(self, reference: str) -> list[str]:
        """The ledger's story of an intent, oldest first."""
        story = select(ledger_entry.c.kind).where(ledger_entry.c.reference == reference).order_by(ledger_entry.c.id)
        with self._database.calls() as connection:
            return list(connection.execute(story).scalars())

    # ---- the forwarder's side

    def mark_sent(self, job: Job) -> dict[str, str] | None:
        """Durably, before anything leaves. The sealed fields; None if a request may have left before: never send again."""
        with self._database.money() as connection:
            payment = _read(connection, job.reference)
            if payment is None or not _move(connection, job.reference, "accepted", "sent"):
                return None
            fields = select(sealed_field.c.field, sealed_field.c.jwe).where(sealed_field.c.intent == job.reference)
            return {row.field: row.jwe for row in connection.execute(fields)}

    def record(self, job: Job, status: Status, now: datetime, answer: "BankWord | None" = None) -> bool:
        """The end of a job, in one transaction; False if the lease was lost meanwhile or the status cannot follow.

        A final status deletes the sealed fields; `unknown` leaves a job to resolve it; `approved` lowers the bill.
        """
        word = answer or BankWord()
        with self._database.money() as connection:
            payment = _read(connection, job.reference, lock=not self._database.is_sqlite)
            if payment is None or not close_job(connection, job):
                return False
            if status not in FOLLOWS.get(payment.status, frozenset()):
                return False
            _move(connection, job.reference, payment.status, status, word)
            _add_entry(connection, payment.intent, status, word.response_code, now)
            if status == "unknown":
                add_job(connection, "resolve", job.reference, now)
            if status == "approved":
                _lower_bill(connection, payment.intent)
            if status in FINAL:
                connection.execute(delete(sealed_field).where(sealed_field.c.intent == job.reference))
        if status in FINAL:
            self._database.drop_wal()
        return True

    def put_back(self, job: Job, due: datetime) -> bool:
        """Surely nothing left: the intent may be sent again, later, by whoever leases the job then."""
        with self._database.money() as connection:
            if not close_job(connection, job, due_at=milliseconds(due)):
                return False
            return _move(connection, job.reference, "sent", "accepted")


@dataclass(frozen=True)
class BankWord:
    """What the bank said, as far as it is kept."""

    confirmation_number: str | None = None
    response_code: str | None = None


def _move(connection: Connection, reference: str, old: Status, new: Status, word: BankWord | None = None) -> bool:
    word = word or BankWord()
    change = (
        update(payment_intent)
        .where(payment_intent.c.reference == reference, payment_intent.c.status == old)
        .values(status=new, confirmation_number=word.confirmation_number, response_code=word.response_code)
    )
    return connection.execute(change).rowcount == 1


def _add_entry(connection: Connection, intent: PaymentIntent, kind: str, code: str | None, now: datetime) -> None:
    entry = {"reference": intent.reference, "kind": kind, "response_code": code, "at": milliseconds(now)}
    connection.execute(_ADD_ENTRY, entry | {"amount_minor": intent.amount.minor, "currency": intent.amount.currency})


def _lower_bill(connection: Connection, intent: PaymentIntent) -> None:
    paid = intent.amount.minor
    floor = func.max if connection.dialect.name == "sqlite" else func.greatest
    lowered = update(bill).where(bill.c.account == intent.account, bill.c.currency == intent.amount.currency)
    connection.execute(lowered.values(due_minor=floor(bill.c.due_minor - paid, 0)))


def _is_within(connection: Connection, column: str, value: str, limit: Limit, now: datetime) -> bool:
    since = milliseconds(now - timedelta(seconds=limit.window_s))
    attempts = connection.execute(_ATTEMPTS[column], {"value": value, "since": since}).scalar_one()
    return int(attempts) < limit.count


def _fingerprint(connection: Connection, intent: str) -> str:
    return str(connection.execute(_FINGERPRINT, {"reference": intent}).scalar() or "")


def _intent_row(intent: PaymentIntent, fingerprint: str, now: datetime) -> dict[str, object]:
    return {
        "reference": intent.reference,
        "idempotency_key": intent.reference,
        "merchant": intent.merchant,
        "call": intent.call,
        "bank": intent.bank,
        "amount_minor": intent.amount.minor,
        "currency": intent.amount.currency,
        "account": intent.account,
        "card_summary": intent.card_summary,
        "ani_hash": intent.ani_hash,
        "card_fingerprint": fingerprint,
        "status": "accepted",
        "created_at": milliseconds(now),
    }


def _read(connection: Connection, reference: str, *, lock: bool = False) -> Payment | None:
    query = select(payment_intent).where(payment_intent.c.reference == reference)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        return None
    intent = PaymentIntent(
        reference=row.reference,
        merchant=row.merchant,
        call=row.call,
        bank=row.bank,
        amount=Money(row.amount_minor, row.currency),
        account=row.account,
        card_summary=row.card_summary,
        ani_hash=row.ani_hash,
    )
    return Payment(intent, row.status, row.confirmation_number, row.response_code)
