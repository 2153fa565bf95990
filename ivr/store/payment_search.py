"""Finds charges for people: by what a caller can read out, and by what an operator filters. Nothing is changed here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select

from ivr.store.database import Database, milliseconds
from ivr.store.intents import Payment, payment_of
from ivr.store.modification_rows import REFUNDED_AT_BANK
from ivr.store.reservations import HOLD_LAPSED
from ivr.store.tables import intent_bill, ledger_entry, modification, payment_intent

columns = payment_intent.c
# Statuses that are none of a charge's own: something of it was refunded, or is asked for and has no outcome.
REFUNDED, WAITING = "refunded", "waiting"


@dataclass(frozen=True)
class PaymentFilter:
    """Empty or None: any. `since` is within, `until` is not. `status`: a charge's, or REFUNDED, or WAITING. `flow`: its name.
    `bill`: the key of what was paid for, by itself or in one sum, or the account as it was keyed in. `uncaptured`: amounts that
    are reserved, of which nothing is taken, given up or lapsed. `currency` is asked for together with `amount_minor` or not at all.
    `ani_hash`: of the caller. `older_than`: the time in milliseconds and the reference of one; it and those before it in the
    list are left out."""

    since: datetime | None = None
    until: datetime | None = None
    status: str = ""
    flow: str = ""
    bank: str = ""
    bill: str = ""
    last4: str = ""
    uncaptured: bool = False
    amount_minor: int | None = None
    currency: str = ""
    ani_hash: str = ""
    older_than: tuple[int, str] | None = None


class PaymentSearch:
    def __init__(self, database: Database) -> None:
        self._database = database

    def find_payments(self, wanted: PaymentFilter, most: int) -> Sequence[Payment]:
        """The latest first."""
        return self._search(_conditions(wanted), most)

    def payments_by_number(self, number: str, most: int = 2) -> Sequence[Payment]:
        """By our confirmation number, or by the bank's code: callers of older charges have heard that one."""
        ours = self._search([columns.confirmation_number == number], most)
        return ours or self._search([columns.authorization_code == number], most)

    def count_payments(self, since: datetime, until: datetime) -> Mapping[str, int]:
        """Charges begun in that time, by status."""
        begun = columns.created_at >= milliseconds(since), columns.created_at < milliseconds(until)
        counted = select(columns.status, func.count()).where(*begun).group_by(columns.status).order_by(columns.status)
        with self._database.calls() as connection:
            return {row[0]: row[1] for row in connection.execute(counted)}

    def _search(self, conditions: Sequence[ColumnElement[bool]], most: int) -> Sequence[Payment]:
        latest = columns.created_at.desc(), columns.reference
        rows = select(payment_intent).where(*conditions).order_by(*latest).limit(most)
        with self._database.calls() as connection:
            return [payment_of(connection, row) for row in connection.execute(rows).all()]


def _conditions(wanted: PaymentFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.since:
        found.append(columns.created_at >= milliseconds(wanted.since))
    if wanted.until:
        found.append(columns.created_at < milliseconds(wanted.until))
    if wanted.status:
        found.append(_of_status(wanted.status))
    if wanted.flow:
        # `line` is the flow, a blank and the called number, where that is known.
        found.append((columns.line == wanted.flow) | columns.line.startswith(f"{wanted.flow} ", autoescape=True))
    if wanted.bank:
        found.append(columns.bank == wanted.bank)
    if wanted.bill:
        in_sum: Any = intent_bill.c.reference == columns.reference
        is_in_sum = exists().where(in_sum, intent_bill.c.payable_key == wanted.bill)
        found.append((columns.payable_key == wanted.bill) | (columns.account == wanted.bill) | is_in_sum)
    if wanted.last4:
        found.append(columns.card_summary.endswith(f" {wanted.last4}", autoescape=True))
    if wanted.amount_minor is not None:
        found.append(columns.amount_minor == wanted.amount_minor)
    if wanted.currency:
        found.append(columns.currency == wanted.currency)
    if wanted.ani_hash:
        found.append(columns.ani_hash == wanted.ani_hash)
    if wanted.older_than:
        at, reference = wanted.older_than
        found.append((columns.created_at < at) | ((columns.created_at == at) & (columns.reference > reference)))
    if wanted.uncaptured:
        found += [columns.status == "approved", columns.captures_later, ~_has_ended()]
    return found


def _has_ended() -> ColumnElement[bool]:
    """Whether a reserved amount was taken, given up or has lapsed. A capture that failed in the end may be asked for again;
    of what has lapsed nothing is left, whatever failed since."""
    entry, later = ledger_entry.alias(), ledger_entry.alias()
    failed = exists().where(
        later.c.reference == columns.reference,
        later.c.modification == entry.c.modification,
        later.c.id > entry.c.id,
        later.c.kind.in_(("capture_failed", "void_failed")),
    )
    ends = entry.c.kind.in_(("captured", "voided")) & ~failed | (entry.c.kind == HOLD_LAPSED)
    return exists().where(entry.c.reference == columns.reference, ends)


def _of_status(status: str) -> ColumnElement[bool]:
    of_it: Any = modification.c.reference == columns.reference
    if status == REFUNDED:
        kinds = modification.c.kind.in_(("refund", "void"))
        at_bank = exists().where(ledger_entry.c.reference == columns.reference, ledger_entry.c.kind == REFUNDED_AT_BANK)
        return exists().where(of_it, kinds, modification.c.status == "done") | at_bank
    if status == WAITING:
        return exists().where(of_it, modification.c.status.not_in(("done", "failed")))
    return columns.status == status
