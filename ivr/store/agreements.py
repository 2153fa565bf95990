"""What callers agreed to besides charges: promises, instalment plans, mandates, each with the words that they heard."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Row, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from ivr.core.money import Money
from ivr.store.database import Database, milliseconds
from ivr.store.dues import AgreedBill, why_not_agreed
from ivr.store.intents import BeingPaid, DueChanged
from ivr.store.outbox import NOTICES, Job, add_job, close_job
from ivr.store.stops import Stopped, stops_charge
from ivr.store.tables import agreement as table

log = structlog.get_logger()
_RECORDED = select(table.c.key_pressed).where(table.c.reference == bindparam("reference"))


@dataclass(frozen=True)
class Agreement:
    """`account` is the bill's key; empty where nothing was looked up. `wording` is what was heard, word for word, in the
    version `flow_version` of the flow (empty where it was never published). `acknowledged_at`: by the billing system."""

    reference: str
    kind: str
    subject: str
    merchant: str
    call: str
    flow: str
    flow_version: str
    account: str
    amount: Money
    wording: str
    language: str
    key: str
    at: datetime
    terms: Mapping[str, str] = field(default_factory=dict)
    acknowledged_at: datetime | None = None

    @property
    def what(self) -> str:
        """Its kind, and the amount where there is one: `promise 42.50 USD`, `remember`."""
        return f"{self.kind} {self.amount}" if self.amount.minor else self.kind

    @property
    def in_words(self) -> str:
        """As a sentence has it: `promise of 42.50 USD`, `keep card`."""
        kind = self.kind.replace("_", " ")
        return f"{kind} of {self.amount}" if self.amount.minor else kind


class Agreements:
    def __init__(self, database: Database) -> None:
        self._database = database

    def record_agreement(self, agreement: Agreement, *, tell_billing: bool = False) -> bool:
        """On disk when this returns. False if it was recorded before: a repeated key is one agreement.

        Raises what the driver raises where it is not on disk for another reason.
        """
        try:
            with self._database.money() as connection:
                _add(connection, agreement, tell_billing=tell_billing)
        except IntegrityError:
            if not self._is_recorded(agreement.reference):
                raise
            return False
        return True

    def record_agreement_on_bill(
        self, agreement: Agreement, bill: AgreedBill, *, tell_billing: bool = False
    ) -> BeingPaid | DueChanged | None:
        """The same where it is to be paid on a bill, of which what is due is read in the same transaction: nothing is recorded
        that is not owed. None where it is on record, now or since before: what has been paid after it changes nothing in it.
        """
        try:
            with self._database.money() as connection:
                if connection.execute(_RECORDED, {"reference": agreement.reference}).first() is not None:
                    return None
                refusal = why_not_agreed(connection, self._database, bill, agreement.call)
                if refusal is None:
                    _add(connection, agreement, tell_billing=tell_billing)
                return refusal
        except IntegrityError:
            if not self._is_recorded(agreement.reference):
                raise
            return None

    def record_agreement_of_card(
        self, agreement: Agreement, bank: str, *, tell_billing: bool = False
    ) -> Stopped | None:
        """The same where it is that this bank keeps a card: not while no card is taken, because it could not be kept. Asked in the
        same transaction, as of a charge. None where it is on record, now or since before."""
        try:
            with self._database.money() as connection:
                if connection.execute(_RECORDED, {"reference": agreement.reference}).first() is not None:
                    return None
                if stops_charge(connection, self._database, agreement.call, bank):
                    return Stopped()
                _add(connection, agreement, tell_billing=tell_billing)
        except IntegrityError:
            if not self._is_recorded(agreement.reference):
                raise
        return None

    def agreement(self, reference: str) -> Agreement | None:
        with self._database.calls() as connection:
            rows = connection.execute(select(table).where(table.c.reference == reference)).all()
        return next(_readable(rows), None)

    def agreements_of(self, call: str) -> Sequence[Agreement]:
        """The first first."""
        return self._found(select(table).where(table.c.call == call).order_by(table.c.at))

    def latest_agreements(self, most: int, kind: str = "") -> Sequence[Agreement]:
        wanted = select(table).where(table.c.kind == kind) if kind else select(table)
        return self._found(wanted.order_by(table.c.at.desc(), table.c.reference).limit(most))

    def acknowledge_agreement(self, job: Job, now: datetime) -> bool:
        """The billing system knows of it: the job is done."""
        with self._database.money() as connection:
            if not close_job(connection, job):
                return False
            known = update(table).where(table.c.reference == job.reference)
            connection.execute(known.values(acknowledged_at=milliseconds(now)))
        return True

    def _found(self, statement: Any) -> Sequence[Agreement]:
        with self._database.calls() as connection:
            return list(_readable(connection.execute(statement)))

    def _is_recorded(self, reference: str) -> bool:
        with self._database.calls() as connection:
            return connection.execute(_RECORDED, {"reference": reference}).first() is not None


def _add(connection: Connection, agreement: Agreement, *, tell_billing: bool) -> None:
    connection.execute(insert(table), _row(agreement))
    if tell_billing:
        add_job(connection, "agreement", agreement.reference, NOTICES)


def _readable(rows: Iterable[Row[Any]]) -> Iterator[Agreement]:
    """A row that cannot be read is left out, and named in the log."""
    for row in rows:
        try:
            yield _agreement(row)
        except (ValueError, AttributeError):
            log.error("an agreement cannot be read: mend its row, such as its terms", reference=row.reference)


def _row(agreement: Agreement) -> dict[str, object]:
    same = (
        "reference",
        "kind",
        "subject",
        "merchant",
        "call",
        "flow",
        "flow_version",
        "account",
        "wording",
        "language",
    )
    row: dict[str, object] = {name: getattr(agreement, name) for name in same}
    row |= {"amount_minor": agreement.amount.minor, "currency": agreement.amount.currency}
    row |= {"terms": json.dumps(dict(agreement.terms)), "key_pressed": agreement.key}
    return row | {"at": milliseconds(agreement.at)}


def _agreement(row: Row[Any]) -> Agreement:
    return Agreement(
        reference=row.reference,
        kind=row.kind,
        subject=row.subject,
        merchant=row.merchant,
        call=row.call,
        flow=row.flow,
        flow_version=row.flow_version,
        account=row.account,
        amount=Money(row.amount_minor, row.currency),
        wording=row.wording,
        language=row.language,
        key=row.key_pressed,
        at=_time(row.at),
        terms=dict(json.loads(row.terms).items()),
        acknowledged_at=_time(row.acknowledged_at) if row.acknowledged_at is not None else None,
    )


def _time(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
