"""What takes no cards for now: the whole line, a flow or a bank. Switched by people, and in force on every node at once.

The last word is in the transaction that begins a charge (`stops_charge`): once `stop_charging` has returned, no
charge is begun that it covers, on whatever node its call is. What was begun before goes on to its end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from ivr.store.audit import add_event
from ivr.store.database import Database, Straight, milliseconds
from ivr.store.tables import charge_stop

StopScope = Literal["line", "flow", "bank"]
STOP_SCOPES: tuple[StopScope, ...] = get_args(StopScope)
LONGEST_REASON = 120  # characters
# Asked at each call's beginning and at each key of a card: straight to the driver, of a table with hardly a row.
_IS_STOPPED = (
    "SELECT 1 FROM charge_stop WHERE scope = 'line' OR (scope = 'flow' AND name = ?) OR (scope = 'bank' AND name = ?)"
)
_STOPS_CHARGE = Straight(
    "SELECT 1 FROM charge_stop WHERE scope = 'line' OR (scope = 'bank' AND name = :bank) "
    "OR (scope = 'flow' AND name = (SELECT flow FROM call WHERE id = :call))"
)
_LOCK = "charge_stop"


@dataclass(frozen=True)
class Stop:
    """`name`: of the flow or the bank; empty for the whole line."""

    scope: StopScope
    name: str
    reason: str
    by: str
    at: datetime

    @property
    def what(self) -> str:
        return in_words(self.scope, self.name)


@dataclass(frozen=True)
class Stopped:
    """The answer to a charge that was to be begun."""


class Stops:
    def __init__(self, database: Database) -> None:
        self._database = database

    def stop_charging(self, stop: Stop) -> bool:
        """False where it is stopped already: who did it first, and why, stays. On record in the same transaction."""
        row = {"scope": stop.scope, "name": stop.name, "reason": stop.reason[:LONGEST_REASON], "stopped_by": stop.by}
        with self._database.money() as connection:
            self._database.hold(connection, _LOCK)
            if connection.execute(select(charge_stop).where(*_same(stop.scope, stop.name))).first():
                return False
            connection.execute(insert(charge_stop), row | {"stopped_at": milliseconds(stop.at)})
            about = f"{stop.what}: {stop.reason}"[:200]
            add_event(self._database, connection, stop.by, "charging stopped", about, stop.at)
        return True

    def start_charging(self, scope: StopScope, name: str, by: str, now: datetime) -> bool:
        """False where it was not stopped."""
        with self._database.money() as connection:
            if not connection.execute(delete(charge_stop).where(*_same(scope, name))).rowcount:
                return False
            add_event(self._database, connection, by, "charging started", in_words(scope, name), now)
        return True

    def stops(self) -> Sequence[Stop]:
        """The whole line's first."""
        by_scope = {scope: number for number, scope in enumerate(STOP_SCOPES)}
        with self._database.calls() as connection:
            rows = connection.execute(select(charge_stop)).all()
        found = [
            Stop(row.scope, row.name, row.reason, row.stopped_by, datetime.fromtimestamp(row.stopped_at / 1000, UTC))
            for row in rows
        ]
        return sorted(found, key=lambda stop: (by_scope[stop.scope], stop.name))

    def is_stopped(self, flow: str, bank: str | None) -> bool:
        """Whether no card is to be asked for in this flow, which charges at this bank."""
        return self._database.run(_IS_STOPPED, (flow, bank or "")).fetchone() is not None


def stops_charge(connection: Connection, database: Database, call: str, bank: str) -> bool:
    """In the transaction of the charge. Whoever stops it waits for charges that are being begun, and those for whoever stops."""
    database.share(connection, _LOCK)
    return _STOPS_CHARGE.run(connection, {"call": call, "bank": bank}).fetchone() is not None


def in_words(scope: StopScope, name: str) -> str:
    return f"{scope} {name}" if name else "the whole line"


def _same(scope: StopScope, name: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return charge_stop.c.scope == scope, charge_stop.c.name == name
