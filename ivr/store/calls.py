"""Calls: one row each, read and written once a webhook. Whoever saves second is told so (`StaleCall`)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Select, insert, select, text
from sqlalchemy.exc import IntegrityError

from ivr.core.call import Call
from ivr.core.call_form import read_call
from ivr.core.caller import shown_end
from ivr.core.line_quality import LineQuality
from ivr.core.moves import way_of
from ivr.store.caller_numbers import hide, hide_in_state, opened_state, sealed_caller, show
from ivr.store.database import Database
from ivr.store.merchant_notices import tell_call
from ivr.store.outbox import TEXTS, add_job
from ivr.store.splits import call_ended
from ivr.store.tables import call, payment_intent


@dataclass(frozen=True)
class StoredCall:
    """`is_whole` is False where another version wrote a form that this one cannot read: then only an ending is right."""

    call: Call
    version: int
    answer: str
    updated_at: datetime
    is_whole: bool = True


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
    line: LineQuality | None = None

    @property
    def caller(self) -> str:
        """The last four digits, as a receipt would show a card."""
        return f"...{self.call.ani[-4:]}" if len(self.call.ani) > 4 else self.call.ani


class StaleCall(Exception):
    """Another delivery of the same event was faster: read the call again."""


# Written out for the driver, because these two are what every webhook costs.
_LOAD = "SELECT state, version, answer, updated_at, flow, caller FROM call WHERE id = ?"
# `caller` is written with the state, in which marks stand for it; without keys it stays as it is.
_SAVE = (
    "UPDATE call SET version = version + 1, state = ?, answer = ?, caller = COALESCE(?, caller), updated_at = ? "
    "WHERE id = ? AND version = ?"
)
# By itself, because `way` is in an index, which the saves of a call that goes on leave as it is.
_END = (
    "UPDATE call SET version = version + 1, state = ?, answer = ?, caller = COALESCE(?, caller), updated_at = ?, "
    "is_over = ?, way = ?, outcome = ? WHERE id = ? AND version = ?"
)
# Of a version that is there: what it told was sent, or is to be told by text. The call itself is as it was.
_NOTE_SENT = "UPDATE call SET state = ?, caller = COALESCE(?, caller) WHERE id = ? AND version = ?"
# Of a call that is over: whoever had its ending to say, and wakes up only now, notes nothing as sent any more.
_PROMISE = "UPDATE call SET state = ?, caller = COALESCE(?, caller), version = version + 1 WHERE id = ? AND version = ?"
# Beside the call, which may be saved at the same moment: its version stays.
_NOTE_LINE = "UPDATE call SET line_came = ?, line_lost = ? WHERE id = ?"
_STARTED = text("SELECT started_at FROM call WHERE id = :id")


class Calls:
    """Thread-safe. `now` is passed in, as everywhere."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load_call(self, call_id: str) -> StoredCall | None:
        row = self._database.run(_LOAD, (call_id,)).fetchone()
        if row is None:
            return None
        state, version, answer, updated_at, flow, caller = row
        call, is_whole = self._read(call_id, state, caller, flow)
        return StoredCall(call, version, show(answer, call.ani), _time(updated_at), is_whole)

    def _read(self, call_id: str, state: str, caller: str | None, flow: str) -> tuple[Call, bool]:
        return read_call(opened_state(self._database.numbers, call_id, state, caller), call_id, flow)

    def _as_kept(self, state: Call, answer: str) -> tuple[str, str, str | None]:
        """Its JSON and its answer with marks for the caller's number, and the number sealed; None where nothing seals."""
        numbers = self._database.numbers
        if numbers is None:
            return state.to_json(), answer, None
        sealed = sealed_caller(numbers, state.id, state.ani)
        return hide_in_state(state.to_json(), state.ani), hide(answer, state.ani), sealed

    def save_call(self, state: Call, version: int, now: datetime, *, answer: str = "") -> None:
        """`version` is the one that was loaded, 0 for a new call; the row then has the next one."""
        at, is_over = self._database.on_its_clock(now), state.phase == "over"
        if version == 0:
            return self._add(state, at, answer, now)
        if is_over:
            ended = (*self._as_kept(state, answer), at, True, way_of(state), state.outcome, state.id, version)
            return self._end(state, ended, now)
        if self._database.run(_SAVE, (*self._as_kept(state, answer), at, state.id, version)).rowcount != 1:
            raise StaleCall(state.id)
        return None

    def _end(self, state: Call, values: tuple[object, ...], now: datetime) -> None:
        if state.to_tell or state.has_parts or "call.ended" in self._database.tells:
            self._end_with_promise(state, values, now)
        elif self._database.run(_END, values).rowcount != 1:
            raise StaleCall(state.id)

    def _end_with_promise(self, state: Call, values: tuple[object, ...], now: datetime) -> None:
        """A call that ends before the caller has heard how a charge ended: a text will tell, and that is kept here.

        So is an open charge, whether or not a text can tell: the forwarder finds out if it was begun at all. So is a notice
        of the call's end, where the merchant's own systems want one.
        """
        with self._database.money() as connection:
            if connection.exec_driver_sql(self._database.native(_END), values).rowcount != 1:
                raise StaleCall(state.id)
            if state.has_parts:
                call_ended(connection, self._database, state.id, now)
            for charge in state.to_tell:
                add_job(connection, "result", state.intent_of(charge.attempt), TEXTS)
            started = connection.execute(_STARTED, {"id": state.id}).scalar_one()
            tell_call(connection, self._database, state, _time(started), now)

    def note_sent(self, state: Call, version: int) -> None:
        """The same call, with what its last answer told noted as sent. Nothing where it has gone on meanwhile."""
        self._database.run(_NOTE_SENT, self._to_note(state, version))

    def note_line(self, call_id: str, line: LineQuality) -> None:
        """How its line has been so far. Nothing where there is no such call."""
        self._database.run(_NOTE_LINE, (line.came, line.lost, call_id))

    def _to_note(self, state: Call, version: int) -> tuple[object, ...]:
        text, _, caller = self._as_kept(state, "")
        return text, caller, state.id, version

    def promise_results(self, state: Call, version: int) -> None:
        """Of a call that is over: what its last answer told has perhaps not been heard, and a text will tell it. Once."""
        values = self._to_note(state, version)
        with self._database.money() as connection:
            if connection.exec_driver_sql(self._database.native(_PROMISE), values).rowcount != 1:
                return
            for charge in state.to_tell:
                add_job(connection, "result", state.intent_of(charge.attempt), TEXTS)

    def settle_call(self, stored: StoredCall, state: Call) -> None:
        """The row of a call that is over, with an ending that was not known when it ended; when it ended stays."""
        at = int(stored.updated_at.timestamp() * 1000)
        kept = self._as_kept(state, stored.answer)
        values = (*kept, at, True, way_of(state), state.outcome, state.id, stored.version)
        if self._database.run(_END, values).rowcount != 1:
            raise StaleCall(state.id)

    def _add(self, state: Call, at: int, answer: str, now: datetime) -> None:
        is_over = state.phase == "over"
        text, answer, caller = self._as_kept(state, answer)
        row = {"id": state.id, "version": 1, "state": text, "answer": answer, "flow": state.flow, "caller": caller}
        row |= {"way": way_of(state), "outcome": state.outcome} if is_over else {"way": None, "outcome": None}
        numbers = self._database.numbers
        row |= {"caller_end": shown_end(state.ani), "caller_hash": numbers.hash(state.ani) if numbers else None}
        try:
            tells = is_over and "call.ended" in self._database.tells
            with self._database.money() if tells else self._database.calls() as connection:
                connection.execute(insert(call), row | {"is_over": is_over, "started_at": at, "updated_at": at})
                if tells:
                    tell_call(connection, self._database, state, _time(at), now)
        except IntegrityError:
            raise StaleCall(state.id) from None

    def latest_calls(self, limit: int) -> Sequence[CallRecord]:
        return self._records(select(call).order_by(call.c.started_at.desc()).limit(limit))

    def call_record(self, call_id: str) -> CallRecord | None:
        return next(iter(self._records(select(call).where(call.c.id == call_id))), None)

    def _records(self, wanted: Select[Any]) -> Sequence[CallRecord]:
        with self._database.calls() as connection:
            rows = connection.execute(wanted).all()
            of_these = select(payment_intent).where(payment_intent.c.call.in_([row.id for row in rows]))
            oldest_first = of_these.order_by(payment_intent.c.created_at, payment_intent.c.reference)
            last = {payment.call: payment for payment in connection.execute(oldest_first)}
        return [self._record(row, last.get(row.id)) for row in rows]

    def _record(self, row: Row[Any], payment: Row[Any] | None) -> CallRecord:
        return CallRecord(
            id=row.id,
            started_at=_time(row.started_at),
            duration_s=(row.updated_at - row.started_at) / 1000,
            call=self._read(row.id, row.state, row.caller, row.flow)[0],
            payment=payment.status if payment else None,
            amount_minor=payment.amount_minor if payment else None,
            currency=payment.currency if payment else None,
            line=line_of(row),
        )

    def ended_calls(self, flow: str, limit: int) -> Iterator[Call]:
        """The latest of one flow, one by one: those that this version can read whole."""
        ended = select(call.c.id, call.c.state, call.c.caller).where(call.c.flow == flow, call.c.is_over)
        with self._database.calls() as connection:
            for row in connection.execute(ended.order_by(call.c.started_at.desc()).limit(limit)):
                read, is_whole = self._read(row.id, row.state, row.caller, flow)
                if is_whole:
                    yield read

    def idle_calls(self, idle_since: datetime, limit: int = 100) -> Sequence[str]:
        """Calls that nobody has ended and nothing has been heard of: a lost status webhook, a crashed node."""
        idle = select(call.c.id).where(~call.c.is_over, call.c.updated_at < self._database.on_its_clock(idle_since))
        idle = idle.order_by(call.c.updated_at).limit(limit)
        with self._database.calls() as connection:
            return list(connection.execute(idle).scalars())


def line_of(row: Row[Any]) -> LineQuality | None:
    return None if row.line_came is None else LineQuality(row.line_came, row.line_lost)


def _time(stored_ms: int) -> datetime:
    return datetime.fromtimestamp(stored_ms / 1000, UTC)
