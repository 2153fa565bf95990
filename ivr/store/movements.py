"""What has moved at the banks by our ledger: charges, refunds and voids in the order of their entries, read as a stream.

An amount that is only reserved moves with its capture, and not at all where it is voided.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Row, TextClause, text

from ivr.core.money import Money
from ivr.store.database import Database, milliseconds

MovementKind = Literal["charge", "refund", "void"]
_KINDS: dict[str, MovementKind] = {
    "approved": "charge",
    "captured": "charge",
    "capture_failed": "void",
    "refunded": "refund",
    "refunded_at_bank": "refund",
    "voided": "void",
    "refund_failed": "refund",
    "bank_refund_failed": "refund",
    "void_failed": "void",
}
# Of an entry e of a charge p: whether it moved money. What was told as done and failed after all is a movement back; what
# failed without having been done never moved. A reserved amount that was captured, and was not after all, is let go of.
MOVED = """
(e.kind IN ('refunded', 'refunded_at_bank', 'bank_refund_failed') OR (e.kind IN ('approved', 'voided') AND NOT p.captures_later)
    OR (e.kind = 'captured' AND p.captures_later) OR e.kind IN ('refund_failed', 'void_failed') AND EXISTS (
    SELECT 1 FROM ledger_entry d WHERE d.reference = e.reference AND d.modification = e.modification
    AND d.kind IN ('refunded', 'voided') AND NOT (d.kind = 'voided' AND p.captures_later))
    OR e.kind = 'capture_failed' AND p.captures_later AND EXISTS (SELECT 1 FROM ledger_entry d WHERE
    d.reference = e.reference AND d.modification = e.modification AND d.kind = 'captured' AND d.id < e.id))
"""
# What was given back of the charge before: of a charge with a fee alone, as nothing else asks.
_RETURNED = """
CASE WHEN p.fee_minor = 0 THEN 0 ELSE (
    SELECT coalesce(sum(CASE WHEN r.kind IN ('refund_failed', 'void_failed', 'bank_refund_failed') THEN -r.amount_minor ELSE r.amount_minor END), 0)
    FROM ledger_entry r WHERE r.reference = e.reference AND r.id < e.id AND (
        r.kind IN ('refunded', 'voided', 'refunded_at_bank', 'bank_refund_failed') OR r.kind IN ('refund_failed', 'void_failed') AND EXISTS (
        SELECT 1 FROM ledger_entry d WHERE d.reference = r.reference AND d.modification = r.modification
        AND d.kind IN ('refunded', 'voided')))) END
"""
_STREAM = f"""
SELECT e.at, e.kind, e.modification, e.amount_minor, e.currency, p.reference, p.confirmation_number, p.bank,
    p.bank_reference, p.merchant, p.card_summary, p.payable_key, p.account, p.line, p.fee_minor,
    p.amount_minor AS charged_minor, {{returned}} AS returned_minor
FROM ledger_entry e JOIN payment_intent p ON p.reference = e.reference
WHERE {MOVED}
"""  # noqa: S608
_ROWS_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Movement:
    """`amount`: above nought, but for a refund or void that was told as done and has failed: below it. `reference`: the
    charge's. `bill`: its key, or the account as it was keyed in. `flow`: with the called number, where that is known. `fee`: the
    part of the amount that is the fee for the card, which is what is given back last; of the amount's sign."""

    at: datetime
    kind: MovementKind
    reference: str
    amount: Money
    confirmation_number: str
    bank: str
    bank_reference: str
    merchant: str
    brand: str
    last4: str
    bill: str
    flow: str
    fee: Money


class Movements:
    def __init__(self, database: Database) -> None:
        self._database = database

    def movements(self, since: datetime | None = None, until: datetime | None = None) -> Iterator[Movement]:
        """`since` is within, `until` is not. Memory stays the same however many there are."""
        with self._database.stream(_between(since, until), _bounds(since, until), _ROWS_AT_ONCE) as rows:
            for row in rows:
                yield _movement(row)


def _between(since: datetime | None, until: datetime | None) -> TextClause:
    first = "AND e.at >= :since " if since else ""
    last = "AND e.at < :until " if until else ""
    return text(f"{_STREAM.format(returned=_RETURNED)} {first}{last}ORDER BY e.id")


def _bounds(since: datetime | None, until: datetime | None) -> dict[str, int]:
    return {name: milliseconds(at) for name, at in (("since", since), ("until", until)) if at}


def _movement(row: Row[Any]) -> Movement:
    brand, _, last4 = row.card_summary.rpartition(" ")
    sign = -1 if row.kind in ("refund_failed", "void_failed", "bank_refund_failed") else 1
    return Movement(
        datetime.fromtimestamp(row.at / 1000, UTC),
        _KINDS[row.kind],
        row.reference,
        Money(sign * row.amount_minor, row.currency),
        row.confirmation_number or "",
        row.bank,
        row.bank_reference or "",
        row.merchant,
        brand,
        last4,
        row.payable_key or row.account,
        row.line,
        Money(_fee_in(row, sign), row.currency),
    )


def _fee_in(row: Row[Any], sign: int) -> int:
    """Of a refund or void what reaches beyond all that was credited to the bill."""
    if row.kind in ("approved", "captured", "capture_failed"):
        return int(row.fee_minor)
    if not row.fee_minor:
        return 0
    credited, before = row.charged_minor - row.fee_minor, int(row.returned_minor)
    after = before + sign * row.amount_minor
    return int(max(after - credited, 0) - max(before - credited, 0))
