"""The simulator's books of refunds, voids and captures: each key is decided once, and what is left of a charge in the same step."""

import sqlite3
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from ivr.core.money import Money

SCHEMA = """
create table if not exists modifications (
    idempotency_key text primary key, reference text not null, kind text not null,
    amount_minor integer not null, currency text not null, outcome text not null check (outcome in ('done', 'refused')),
    response_code text not null, reason text not null, at text not null);
create index if not exists modifications_of on modifications (reference);
"""
Kind = Literal["refund", "void", "capture"]
# ISO 8583 field 39: 12 invalid transaction, 13 invalid amount, 25 no such record, 61 exceeds a limit.
DONE, INVALID, WRONG_AMOUNT, NO_RECORD, TOO_MUCH = "00", "12", "13", "25", "61"


@dataclass(frozen=True)
class BookedModification:
    idempotency_key: str
    reference: str
    kind: Kind
    amount: Money
    outcome: Literal["done", "refused"] = "done"
    response_code: str = DONE
    reason: str = ""

    def refused(self, code: str, reason: str) -> "BookedModification":
        return replace(self, outcome="refused", response_code=code, reason=reason)


@dataclass(frozen=True)
class BookedCharge:
    """A charge as a modification finds it."""

    amount: Money
    is_open: bool
    is_captured: bool
    is_settled: bool
    returned_minor: int


class ModificationBooks:
    """On the books' own connection and lock."""

    def __init__(self, db: sqlite3.Connection, lock: threading.Lock) -> None:
        self._db, self._lock = db, lock

    def find(self, idempotency_key: str) -> BookedModification | None:
        with self._lock:
            return self._find(idempotency_key)

    def enter(self, wanted: BookedModification, today: str) -> BookedModification:
        """Decides it once: whoever comes second under the key is given what the first one was told. `today`: as YYYY-MM-DD."""
        with self._lock:
            if known := self._find(wanted.idempotency_key):
                return known
            decided = decide(wanted, self._standing(wanted.reference, today)) if wanted.outcome == "done" else wanted
            amount = decided.amount.minor, decided.amount.currency
            told = decided.outcome, decided.response_code, decided.reason, datetime.now(UTC).isoformat()
            row = (decided.idempotency_key, decided.reference, decided.kind, *amount, *told)
            self._db.execute("insert into modifications values (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            return decided

    def standing(self, reference: str, today: str) -> BookedCharge | None:
        with self._lock:
            return self._standing(reference, today)

    def _find(self, key: str) -> BookedModification | None:
        row = self._db.execute("select * from modifications where idempotency_key = ?", (key,)).fetchone()
        return modification_of(row) if row else None

    def _standing(self, reference: str, today: str) -> BookedCharge | None:
        charge = self._db.execute(
            "select amount_minor, currency, outcome, capture_later, at from entries where reference = ?", (reference,)
        ).fetchone()
        if charge is None or charge[0] is None:
            return None
        minor, currency, outcome, capture_later, at = charge
        done = self._db.execute(
            "select kind, sum(amount_minor) from modifications where reference = ? and outcome = 'done' group by kind",
            (reference,),
        )
        sums = dict(done.fetchall())
        is_open = outcome == "approved" and "void" not in sums
        is_captured = not capture_later or "capture" in sums
        return BookedCharge(Money(minor, currency), is_open, is_captured, str(at)[:10] < today, sums.get("refund", 0))


def decide(wanted: BookedModification, charge: BookedCharge | None) -> BookedModification:
    if charge is None or not charge.is_open:
        return wanted.refused(NO_RECORD, "no such charge, or nothing is charged by it")
    if wanted.amount.currency != charge.amount.currency or wanted.amount.minor <= 0:
        return wanted.refused(WRONG_AMOUNT, "the amount is in another currency, or nothing")
    return DECISIONS[wanted.kind](wanted, charge)


def decide_refund(wanted: BookedModification, charge: BookedCharge) -> BookedModification:
    if not charge.is_captured:
        return wanted.refused(INVALID, "not captured yet: void it")
    if wanted.amount.minor > charge.amount.minor - charge.returned_minor:
        return wanted.refused(TOO_MUCH, "more than is left of the charge")
    return wanted


def decide_void(wanted: BookedModification, charge: BookedCharge) -> BookedModification:
    if charge.returned_minor or wanted.amount != charge.amount:
        return wanted.refused(INVALID, "a void takes back all of a charge, or nothing")
    if charge.is_settled:
        return wanted.refused(INVALID, "settled already: refund it")
    return wanted


def decide_capture(wanted: BookedModification, charge: BookedCharge) -> BookedModification:
    if charge.is_captured:
        return wanted.refused(INVALID, "captured already")
    if wanted.amount.minor > charge.amount.minor:
        return wanted.refused(TOO_MUCH, "more than was authorized")
    return wanted


DECISIONS = {"refund": decide_refund, "void": decide_void, "capture": decide_capture}


def read_modifications(file: Path) -> list[BookedModification]:
    """Also while the simulator runs, or after it was killed."""
    db = sqlite3.connect(file, timeout=10)
    try:
        # Books that were begun before any was booked have no such table.
        if not db.execute("select 1 from sqlite_master where name = 'modifications'").fetchone():
            return []
        return [modification_of(row) for row in db.execute("select * from modifications order by at")]
    finally:
        db.close()


def modification_of(
    row: tuple[str, str, Kind, int, str, Literal["done", "refused"], str, str, str],
) -> BookedModification:
    key, reference, kind, minor, currency, outcome, code, reason, _at = row
    return BookedModification(key, reference, kind, Money(minor, currency), outcome, code, reason)
