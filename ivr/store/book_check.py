"""Whether the accounts say what the charges say: each charge's accounts beside its row, its bank's beside what has moved.

That books balance is in their form. Here it is asked whether they are the right ones: by other queries than those that the
transfers were made by, so that a slip there is a difference here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text

from ivr.core.call import OPEN_PARTS
from ivr.core.money import Money
from ivr.store.database import Database
from ivr.store.movements import MOVED
from ivr.store.story_check import story_faults

_ROWS_AT_ONCE = 2000
_WITHOUT_LINES = text(
    """
SELECT e.reference, e.kind FROM ledger_entry e
WHERE coalesce(e.last_line, 0) <> (SELECT count(*) FROM transfer t WHERE t.entry = e.id) ORDER BY e.id
"""
)

# Transfers that no charge's accounts would show: of no charge, of another currency, day or owner than the charge's. `bill` and
# `held` are named by what is paid for, or by the merchant.
_ASTRAY = text(
    """
WITH named AS (
    SELECT e.reference, e.id, e.kind, e.currency AS entered_in, e.at AS entered_at, t.currency, t.at,
        t.debit_account AS account, t.line FROM ledger_entry e JOIN transfer t ON t.entry = e.id
    UNION ALL SELECT e.reference, e.id, e.kind, e.currency, e.at, t.currency, t.at, t.credit_account, t.line
    FROM ledger_entry e JOIN transfer t ON t.entry = e.id)
SELECT n.reference, n.kind, n.account, n.id, n.line,
    CASE WHEN p.reference IS NULL THEN 'of no charge' WHEN n.currency <> p.currency OR n.entered_in <> p.currency THEN 'of another currency'
        WHEN n.at <> n.entered_at THEN 'at another time' ELSE 'of another owner' END AS why
FROM named n LEFT JOIN payment_intent p ON p.reference = n.reference
WHERE p.reference IS NULL OR n.currency <> p.currency OR n.entered_in <> p.currency OR n.at <> n.entered_at OR n.account NOT IN (
    'in_flight:' || p.bank, 'suspense:' || p.bank, 'reserved:' || p.bank, 'bank:' || p.bank, 'uncollected:' || p.bank,
    'pending:' || p.merchant, 'sales:' || p.merchant, 'fees:' || p.merchant, 'refunds:' || p.merchant,
    CASE WHEN coalesce(p.payable_key, '') <> '' THEN 'held:' || p.payable_source || ':' || p.payable_key ELSE 'held:' || p.merchant END,
    'bill:' || coalesce(p.payable_source, '') || ':' || coalesce(p.payable_key, ''))
    AND NOT EXISTS (SELECT 1 FROM intent_bill b WHERE b.reference = p.reference
        AND n.account = 'bill:' || b.payable_source || ':' || b.payable_key)
ORDER BY n.id, n.line, n.account
"""
)


def _side(kind: str, *but: str) -> str:
    """Debits less credits of the accounts of a kind; `but`: transfers against those kinds are left out."""
    sides = (("debit", "credit", ""), ("credit", "debit", "-"))
    cases = (
        f"WHEN t.{one}_account LIKE '{kind}:%'"
        + "".join(f" AND t.{other}_account NOT LIKE '{one}:%'" for one in but)
        + f" THEN {sign}t.amount_minor"
        for one, other, sign in sides
    )
    return f"coalesce(sum(CASE {' '.join(cases)} ELSE 0 END), 0)"


_CHARGES = text(
    f"""
SELECT p.reference, p.status, p.part, p.captures_later, p.currency, p.amount_minor, p.asked_minor,
    {_side("in_flight")} AS in_flight, {_side("suspense")} AS suspense, {_side("pending")} AS pending,
    {_side("held")} AS held, {_side("bill")} AS bill, {_side("sales")} AS sales, {_side("fees")} AS fees,
    {_side("bank", "uncollected")} + {_side("uncollected", "bank", "held")} AS owed,
    (SELECT coalesce(sum(CASE WHEN e.kind IN ('approved', 'captured', 'refund_failed', 'void_failed', 'bank_refund_failed')
        THEN e.amount_minor ELSE -e.amount_minor END), 0) FROM ledger_entry e
        WHERE e.reference = p.reference AND e.currency = p.currency AND {MOVED}) AS moved,
    (SELECT coalesce(sum(c.amount_minor), 0) FROM ledger_entry c WHERE c.reference = p.reference AND c.kind = 'captured'
        AND NOT EXISTS (SELECT 1 FROM ledger_entry f WHERE f.reference = c.reference AND f.modification = c.modification
        AND f.kind = 'capture_failed' AND f.id > c.id)) AS captured,
    (SELECT coalesce(sum(m.amount_minor), 0) FROM modification m WHERE m.reference = p.reference AND m.status = 'done'
        AND m.kind <> 'capture' AND NOT (m.kind = 'void' AND p.captures_later) AND m.reopens_bill) AS reopened
FROM payment_intent p LEFT JOIN ledger_entry l ON l.reference = p.reference
    LEFT JOIN transfer t ON t.entry = l.id AND t.currency = p.currency
GROUP BY p.reference ORDER BY p.reference
"""  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class BookFault:
    """`account`: the kind of account that is wrong, the entry that has not its transfers, or with `why` the account to which an
    entry should have moved nothing. `expected` by the charge's row, `found` in the accounts."""

    reference: str
    account: str
    expected: Money | None = None
    found: Money | None = None
    why: str = ""


class BookCheck:
    def __init__(self, database: Database) -> None:
        self._database = database

    def book_faults(self) -> Iterator[BookFault]:
        """Every difference; memory stays the same for any number of charges. What is being written meanwhile is whole: one
        statement sees one state."""
        with self._database.stream(_WITHOUT_LINES, {}, _ROWS_AT_ONCE) as rows:
            yield from (BookFault(row.reference, row.kind) for row in rows)
        with self._database.stream(_ASTRAY, {}, _ROWS_AT_ONCE) as rows:
            for row in rows:
                yield BookFault(row.reference, row.account, why=f"a transfer of entry '{row.kind}' {row.why}")
        with self._database.stream(_CHARGES, {}, _ROWS_AT_ONCE) as rows:
            for row in rows:
                yield from _faults_of(row)
        for reference, about, why in story_faults(self._database):
            yield BookFault(reference, about, why=why)


def _faults_of(row: Row[Any]) -> Iterator[BookFault]:
    asked = row.amount_minor if row.asked_minor is None else row.asked_minor
    in_flight = asked if row.status in ("accepted", "sent") else 0
    unknown = asked if row.status == "unknown" else 0
    paid = -(int(row.bill) + int(row.sales) + int(row.fees))
    told = {
        "in_flight": (in_flight, row.in_flight),
        "suspense": (unknown, row.suspense),
        "pending": (in_flight + unknown, -row.pending),
        "bank": (row.moved, row.owed),
        "paid": (_paid(row), paid),
    }
    if row.status == "approved" and row.part in (*OPEN_PARTS, "undoing"):
        told["held"] = row.amount_minor, -row.held
    for account, (expected, found) in told.items():
        if int(expected) != int(found):
            yield BookFault(row.reference, account, Money(int(expected), row.currency), Money(int(found), row.currency))


def _paid(row: Row[Any]) -> int:
    """What bills, sales and fees have of it: all that was charged, less what its bill owes again."""
    is_part = row.part in (*OPEN_PARTS, "undoing", "undone")
    charged = int(row.captured) if row.captures_later else row.amount_minor * (row.status == "approved")
    return 0 if is_part else charged - int(row.reopened)
