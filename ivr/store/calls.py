"""Calls: one row each, read and written once a webhook. Whoever saves second is told so (`StaleCall`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from ivr.core.call import Call
from ivr.store.database import Database, milliseconds
from ivr.store.tables import call, payment_intent, sealed_field


@dataclass(frozen=True)
class StoredCall:
    call: Call
    version: int
    answer: str


@dataclass(frozen=True)
class CallRecord:
    """For people: the caller's number masked, the last payment's status beside the call's own outcome."""

    id: str
    started_at: datetime
    duration_s: float
    call: Call
    payment: str | None
    amount_minor: int | None
    currency: str | None


class StaleCall(Exception):
    """Another delivery of the same event was faster: read the call again."""


# Written out for the driver, because these two are what every webhook costs.
_LOAD = "SELECT state, version, answer FROM call WHERE id = ?"
_SAVE = (
    "UPDATE call SET version = version + 1, state = ?, answer = ?, is_over = ?, updated_at = ? "
    "WHERE id = ? AND version = ?"
)


class Calls:
    """Thread-safe. `now` is passed in, as everywhere."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load_call(self, call_id: str) -> StoredCall | None:
        row = self._database.run(_LOAD, (call_id,)).fetchone()
        return StoredCall(Call.from_json(row[0]), row[1], row[2]) if row else None

    def save_call(self, state: Call, version: int, now: datetime, *, answer: str = "") -> None:
        """`version` is the one that was loaded, 0 for a new call; the row then has the next one."""
        at, is_over = milliseconds(now), state.phase == "over"
        if version == 0:
            return self._add(state, at, answer, is_over)
        values = (state.to_json(), answer, is_over, at, state.id, version)
        if self._database.run(_SAVE, values).rowcount != 1:
            raise StaleCall(state.id)
        return None

    def _add(self, state: Call, at: int, answer: str, is_over: bool) -> None:
        row = {"id": state.id, "version": 1, "state": state.to_json(), "answer": answer, "flow": state.flow}
        try:
            with self._database.calls() as connection:
                connection.execute(insert(call), row | {"is_over": is_over, "started_at": at, "updated_at": at})
        except IntegrityError:
            raise StaleCall(state.id) from None

    def latest_calls(self, limit: int) -> Sequence[CallRecord]:
        payments = (
            select(payment_intent.c.status, payment_intent.c.amount_minor, payment_intent.c.currency)
            .where(payment_intent.c.call == bindparam("id_"))
            .order_by(payment_intent.c.created_at.desc())
            .limit(1)
        )
        latest = select(call).order_by(call.c.started_at.desc()).limit(limit)
        with self._database.calls() as connection:
            rows = connection.execute(latest).all()
            found = [connection.execute(payments, {"id_": row.id}).first() for row in rows]
        return [_record(row, payment) for row, payment in zip(rows, found, strict=True)]

    def idle_calls(self, idle_since: datetime, limit: int = 100) -> Sequence[str]:
        """Calls that nobody has ended and nothing has been heard of: a lost status webhook, a crashed node."""
        idle = select(call.c.id).where(~call.c.is_over, call.c.updated_at < milliseconds(idle_since)).limit(limit)
        with self._database.calls() as connection:
            return list(connection.execute(idle).scalars())

    def drop_unsent_cards(self, before: datetime) -> int:
        """Sealed fields of attempts that were never charged and never will be: abandoned calls'."""
        committed = select(payment_intent.c.reference)
        old = delete(sealed_field).where(
            sealed_field.c.at < milliseconds(before), sealed_field.c.intent.not_in(committed)
        )
        with self._database.money() as connection:
            dropped = connection.execute(old).rowcount
        if dropped:
            self._database.drop_wal()
        return dropped


def _record(row: object, payment: object) -> CallRecord:
    from datetime import UTC

    started, updated = row.started_at, row.updated_at  # type: ignore[attr-defined]
    return CallRecord(
        id=row.id,  # type: ignore[attr-defined]
        started_at=datetime.fromtimestamp(started / 1000, UTC),
        duration_s=(updated - started) / 1000,
        call=Call.from_json(row.state),  # type: ignore[attr-defined]
        payment=getattr(payment, "status", None),
        amount_minor=getattr(payment, "amount_minor", None),
        currency=getattr(payment, "currency", None),
    )
