"""What is done with an approved charge afterwards: refunds, voids and captures, each asked for once and on record.

    asked ──▶ sent ──▶ done | failed          the bank's word
                 ├───▶ taken ──▶ done | failed  the bank tells later, in a notification
                 ├───▶ unknown ──▶ done | failed | taken   silence: asked again under the same key, or inquired for
                 └───▶ asked                   surely nothing left: tried again
    done ──▶ failed                            a refund that came back, as the bank tells by itself

What was asked for and has not failed counts against what can still be refunded, in the transaction that asks: so never
more is refunded than was charged, whoever asks at once. Whoever asks says what could be refunded when they looked. If that
is no longer so, nothing is asked: the same request is `AlreadyAsked`, another is `Changed`. Balances are queries over the
ledger's entries, which are added and never changed. An intent keeps its status: it was approved, and that stays true.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, select, text

from ivr.core.money import Money
from ivr.store.audit import add_event
from ivr.store.database import Database, milliseconds
from ivr.store.intents import Payment, read_payment
from ivr.store.ledger import add_entry
from ivr.store.outbox import Job, add_job, bank_queue, close_job, drop_job, is_held, put_off
from ivr.store.tables import modification as table

Kind = Literal["refund", "void", "capture"]
ModificationState = Literal["asked", "sent", "unknown", "taken", "done", "failed"]
FOLLOWS: Mapping[ModificationState, frozenset[ModificationState]] = {
    "asked": frozenset({"sent"}),
    "sent": frozenset({"asked", "unknown", "taken", "done", "failed"}),
    "unknown": frozenset({"taken", "done", "failed"}),
    "taken": frozenset({"done", "failed"}),
    "done": frozenset({"failed"}),
}
JOB = "modification"
# Ledger entries of each kind: when it is asked for, done, failed.
ENTRIES: Mapping[Kind, Mapping[ModificationState, str]] = {
    "refund": {"asked": "refund_asked", "done": "refunded", "failed": "refund_failed"},
    "void": {"asked": "void_asked", "done": "voided", "failed": "void_failed"},
    "capture": {"asked": "capture_asked", "done": "captured", "failed": "capture_failed"},
}
LONGEST_REASON = 120


@dataclass(frozen=True)
class Modification:
    """`id` is the idempotency key. `left`: what could be refunded when it was asked for. `bank_reference`: its own there."""

    id: str
    reference: str
    number: int
    kind: Kind
    amount: Money
    left: Money
    status: ModificationState
    asked_by: str
    asked_at: datetime
    reopens_bill: bool
    bank_reference: str | None
    response_code: str | None
    reason: str | None


@dataclass(frozen=True)
class WantedModification:
    """`left`: what could be refunded when whoever asks looked. `asked_by`: for the audit trail."""

    reference: str
    kind: Kind
    amount: Money
    left: Money
    asked_by: str
    reopens_bill: bool = False


@dataclass(frozen=True)
class ModificationWord:
    """What the bank said of it, as far as it is kept."""

    bank_reference: str | None = None
    response_code: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class AlreadyAsked:
    """The same was asked for meanwhile, by somebody else or by a repeated command: nothing was added."""

    modification: Modification


@dataclass(frozen=True)
class Changed:
    """Something else was asked for meanwhile, so what was looked at is no longer so: nothing was added."""

    refundable: Money


@dataclass(frozen=True)
class Balance:
    """`charged`: nothing unless approved. `returned`: refunded or voided. `asked`: of that which has no outcome yet."""

    charged: Money
    returned: Money
    asked: Money

    @property
    def refundable(self) -> Money:
        """What is neither back nor on its way back."""
        return Money(self.charged.minor - self.returned.minor - self.asked.minor, self.charged.currency)


# An entry counts unless its modification has failed.
_SUM = """
SELECT coalesce(sum(CASE WHEN e.kind = 'approved' THEN e.amount_minor ELSE 0 END), 0) AS charged,
    coalesce(sum(CASE WHEN e.kind IN ('refunded', 'voided') THEN e.amount_minor ELSE 0 END), 0) AS returned,
    coalesce(sum(CASE WHEN e.kind IN ('refund_asked', 'void_asked') THEN e.amount_minor ELSE 0 END), 0) AS held
FROM ledger_entry e WHERE e.reference = :reference AND NOT EXISTS (
    SELECT 1 FROM ledger_entry f WHERE f.reference = e.reference AND f.modification = e.modification
    AND f.kind IN ('refund_failed', 'void_failed'))
"""
_BALANCE = text(_SUM)
_MOVE = text(
    "UPDATE modification SET status = :new, reason = :reason, "
    "response_code = COALESCE(CAST(:code AS VARCHAR), response_code), "
    "bank_reference = COALESCE(CAST(:bank_reference AS VARCHAR), bank_reference) WHERE id = :id AND status = :old"
)
_CHANGE_BILL = text(
    "UPDATE bill SET due_minor = CASE WHEN due_minor + :more > 0 THEN due_minor + :more ELSE 0 END "
    "WHERE account = :account AND currency = :currency"
)


class Modifications:
    """Locks are taken in one order everywhere: the outbox's job first, then the charge."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ---- asked for

    def ask_modification(self, wanted: WantedModification, now: datetime) -> Modification | AlreadyAsked | Changed:
        """One transaction: the request, its ledger entry, its job and the audit event. A void forbids a capture to come.

        ValueError for a charge that is not approved, or an amount of nothing. Whether the bank has such an operation is
        for the caller to know.
        """
        with self._database.money() as connection:
            self._database.hold(connection, f"modifications of {wanted.reference}")
            payment = read_payment(connection, wanted.reference)
            if payment is None or payment.status != "approved" or wanted.amount.minor <= 0:
                raise ValueError("only an approved charge can be modified, and by more than nothing")
            others = _read(connection, wanted.reference)
            refusal = _refusal(wanted, read_balance(connection, payment), others)
            if refusal is not None:
                return refusal
            asked = _asked(wanted, len(others) + 1, now)
            self._enter(connection, payment, asked, now)
            return asked

    def _enter(self, connection: Connection, payment: Payment, asked: Modification, now: datetime) -> None:
        if asked.kind == "void":
            drop_job(connection, "capture", asked.reference)
        connection.execute(insert(table), _row(asked))
        _note(connection, payment, asked, "asked", None, now)
        add_job(connection, JOB, asked.id, bank_queue(payment.intent.bank))
        add_event(self._database, connection, asked.asked_by, f"{asked.kind} asked", f"{asked.id} {asked.amount}", now)

    # ---- what is known

    def modification(self, key: str) -> Modification | None:
        with self._database.calls() as connection:
            return _one(connection, table.c.id == key)

    def modifications_of(self, reference: str) -> Sequence[Modification]:
        """The first first."""
        with self._database.calls() as connection:
            return _read(connection, reference)

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
            return is_held(connection, job) and _move(connection, job.reference, "asked", "sent")

    def put_back_modification(self, job: Job, pause_s: float, due: datetime | None, reason: str | None) -> bool:
        """Surely nothing left: whoever leases the job next sends it for the first time."""
        word = ModificationWord(reason=reason)
        with self._database.money() as connection:
            return put_off(connection, job, pause_s, due) and _move(connection, job.reference, "sent", "asked", word)

    def doubt_modification(self, job: Job, pause_s: float, due: datetime | None, reason: str | None) -> bool:
        """It may have left, and nobody has said what became of it: the job goes on."""
        word = ModificationWord(reason=reason)
        with self._database.money() as connection:
            if not put_off(connection, job, pause_s, due):
                return False
            return any(_move(connection, job.reference, old, "unknown", word) for old in ("sent", "unknown"))

    def end_modification(self, job: Job, status: ModificationState, word: ModificationWord, now: datetime) -> bool:
        """The end of a job, in one transaction: taken, done or failed. False if the lease was lost meanwhile."""
        with self._database.money() as connection:
            found = _one(connection, table.c.id == job.reference) if close_job(connection, job) else None
            return found is not None and end_modification(connection, found, status, word, now)


def end_modification(
    connection: Connection, found: Modification, status: ModificationState, word: ModificationWord, now: datetime
) -> bool:
    """False where it stands elsewhere by now, or the status cannot follow. The bill follows where that was asked for."""
    payment = read_payment(connection, found.reference)
    can_follow = status in FOLLOWS.get(found.status, frozenset())
    if payment is None or not can_follow or not _move(connection, found.id, found.status, status, word):
        return False
    _note(connection, payment, found, status, word.response_code, now)
    if found.reopens_bill and payment.intent.payable_key:
        more = {("done", found.status): found.amount.minor, ("failed", "done"): -found.amount.minor}
        if change := more.get((status, found.status)):
            _change_bill(connection, payment, change)
    return True


def find_told(connection: Connection, bank: str, names: Sequence[str]) -> Modification | None:
    """What a bank tells of: by our key, or by its own reference of it."""
    for column in (table.c.id, table.c.bank_reference):
        for name in filter(None, names):
            found = _one(connection, column == name)
            payment = read_payment(connection, found.reference) if found else None
            if found and payment and payment.intent.bank == bank:
                return found
    return None


def drop_modification_job(connection: Connection, key: str) -> None:
    drop_job(connection, JOB, key)


def read_balance(connection: Connection, payment: Payment) -> Balance:
    row = connection.execute(_BALANCE, {"reference": payment.intent.reference}).one()
    currency = payment.intent.amount.currency
    charged, returned, held = (Money(int(minor), currency) for minor in row)
    return Balance(charged, returned, Money(held.minor - returned.minor, currency))


def _refusal(
    wanted: WantedModification, balance: Balance, others: Sequence[Modification]
) -> AlreadyAsked | Changed | None:
    if wanted.kind == "capture":
        open_one = next((one for one in others if one.kind == "capture" and one.status != "failed"), None)
        return AlreadyAsked(open_one) if open_one else None
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


def _row(asked: Modification) -> dict[str, object]:
    names = ("id", "reference", "number", "kind", "status", "asked_by", "reopens_bill")
    row: dict[str, object] = {name: getattr(asked, name) for name in names}
    row |= {"amount_minor": asked.amount.minor, "currency": asked.amount.currency, "left_minor": asked.left.minor}
    return row | {"asked_at": milliseconds(asked.asked_at)}


def _note(
    connection: Connection,
    payment: Payment,
    about: Modification,
    status: ModificationState,
    code: str | None,
    now: datetime,
) -> None:
    kind = ENTRIES[about.kind].get(status)
    if kind is not None:
        add_entry(connection, payment.intent, kind, code, now, (about.number, about.amount))


def _move(
    connection: Connection,
    key: str,
    old: ModificationState,
    new: ModificationState,
    word: ModificationWord | None = None,
) -> bool:
    word = word or ModificationWord()
    values = {"id": key, "old": old, "new": new, "code": word.response_code, "bank_reference": word.bank_reference}
    reason = word.reason[:LONGEST_REASON] if word.reason else None
    return connection.execute(_MOVE, values | {"reason": reason}).rowcount == 1


def _change_bill(connection: Connection, payment: Payment, more: int) -> None:
    intent = payment.intent
    values = {"account": intent.payable_key, "currency": intent.amount.currency, "more": more}
    connection.execute(_CHANGE_BILL, values)


def _one(connection: Connection, condition: Any) -> Modification | None:
    row = connection.execute(select(table).where(condition)).first()
    return _of(row) if row else None


def _read(connection: Connection, reference: str) -> list[Modification]:
    rows = connection.execute(select(table).where(table.c.reference == reference).order_by(table.c.number))
    return [_of(row) for row in rows]


def _of(row: Row[Any]) -> Modification:
    return Modification(
        id=row.id,
        reference=row.reference,
        number=row.number,
        kind=row.kind,
        amount=Money(row.amount_minor, row.currency),
        left=Money(row.left_minor, row.currency),
        status=row.status,
        asked_by=row.asked_by,
        asked_at=datetime.fromtimestamp(row.asked_at / 1000, UTC),
        reopens_bill=row.reopens_bill,
        bank_reference=row.bank_reference,
        response_code=row.response_code,
        reason=row.reason,
    )
