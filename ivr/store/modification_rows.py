"""What a refund, void or capture is, where it can stand, and its row; when it moves is for `modifications`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, select, text

from ivr.core.money import Money
from ivr.store.database import milliseconds
from ivr.store.entries import BillChanges, post_entry
from ivr.store.intents import Payment
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
    """`charged`: nothing unless approved. `returned`: refunded or voided, here or at the bank itself. `asked`: of that
    which has no outcome yet."""

    charged: Money
    returned: Money
    asked: Money

    @property
    def refundable(self) -> Money:
        """What is neither back nor on its way back. The bank may give back what is asked for here at the same time."""
        left = self.charged.minor - self.returned.minor - self.asked.minor
        return Money(max(left, 0), self.charged.currency)


# Nobody here asked for it, so no modification has it: the bank has told of it.
REFUNDED_AT_BANK = "refunded_at_bank"
BANK_REFUND_FAILED = "bank_refund_failed"  # one of those has come back
# An entry counts unless its modification has failed.
_SUM = """
SELECT coalesce(sum(CASE WHEN e.kind = 'approved' THEN e.amount_minor ELSE 0 END), 0) AS charged,
    coalesce(sum(CASE WHEN e.kind IN ('refunded', 'voided') THEN e.amount_minor ELSE 0 END), 0) AS returned,
    coalesce(sum(CASE WHEN e.kind IN ('refund_asked', 'void_asked') THEN e.amount_minor ELSE 0 END), 0) AS held,
    coalesce(sum(CASE e.kind WHEN 'refunded_at_bank' THEN e.amount_minor
        WHEN 'bank_refund_failed' THEN -e.amount_minor ELSE 0 END), 0) AS at_bank
FROM ledger_entry e WHERE e.reference = :reference AND NOT EXISTS (
    SELECT 1 FROM ledger_entry f WHERE f.reference = e.reference AND f.modification = e.modification
    AND f.kind IN ('refund_failed', 'void_failed'))
"""
_BALANCE = text(_SUM)
_AT_BANK = text(f"SELECT at_bank FROM ({_SUM}) AS sums")  # noqa: S608
_MOVE = text(
    "UPDATE modification SET status = :new, reason = :reason, "
    "response_code = COALESCE(CAST(:code AS VARCHAR), response_code), "
    "bank_reference = COALESCE(CAST(:bank_reference AS VARCHAR), bank_reference) WHERE id = :id AND status = :old"
)


def note_modification(
    connection: Connection,
    payment: Payment,
    about: "Modification",
    status: ModificationState,
    code: str | None,
    now: datetime,
) -> BillChanges:
    """In the ledger's story of the charge, where the kind and status are a part of it."""
    kind = ENTRIES[about.kind].get(status)
    if kind is None:
        return {}
    about_it = about.number, about.amount
    return post_entry(connection, payment.intent, kind, code, now, about_it, reopens=about.reopens_bill)


def read_balance(connection: Connection, payment: Payment) -> Balance:
    row = connection.execute(_BALANCE, {"reference": payment.intent.reference}).one()
    currency = payment.intent.amount.currency
    charged, returned, held, at_bank = (int(minor) for minor in row)
    return Balance(Money(charged, currency), Money(returned + at_bank, currency), Money(held - returned, currency))


def returned_at_bank(connection: Connection, reference: str) -> int:
    """What is back by refunds that were made at the bank itself, in minor units."""
    return int(connection.execute(_AT_BANK, {"reference": reference}).scalar_one())


def row_of(asked: Modification) -> dict[str, object]:
    names = ("id", "reference", "number", "kind", "status", "asked_by", "reopens_bill")
    row: dict[str, object] = {name: getattr(asked, name) for name in names}
    row |= {"amount_minor": asked.amount.minor, "currency": asked.amount.currency, "left_minor": asked.left.minor}
    return row | {"asked_at": milliseconds(asked.asked_at)}


def move_modification(
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


def one_modification(connection: Connection, condition: Any) -> Modification | None:
    row = connection.execute(select(table).where(condition)).first()
    return modification_of(row) if row else None


def read_modifications(connection: Connection, reference: str) -> list[Modification]:
    rows = connection.execute(select(table).where(table.c.reference == reference).order_by(table.c.number))
    return [modification_of(row) for row in rows]


def modification_of(row: Row[Any]) -> Modification:
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
