"""Alerts on record: raised once, over once. Whoever is to be told is told in the transaction that records it.

Any number of processes may look at once. What one finds under its `scope` (a machine, or the database for all of them) stays
raised while somebody finds it, and is over when nobody has for a while: a figure that goes up and down does not ring each time.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, Row, insert, select, update

from ivr.store.audit import add_event
from ivr.store.database import Database, milliseconds
from ivr.store.merchant_notices import tell_alert
from ivr.store.tables import alert
from ivr.store.texts import add_email

columns = alert.c
LONGEST_ABOUT = 120
OverOrNot = Literal["raised", "over"]


@dataclass(frozen=True)
class FoundAlert:
    """`about`: what it is about, the same while it lasts; `words`: what is wrong, and what cures it."""

    kind: str
    about: str
    words: str


@dataclass(frozen=True)
class Alert(FoundAlert):
    id: int
    since: datetime
    seen_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class AlertReceivers:
    """`emails`: addresses. `name`: of the line, in a subject."""

    emails: Collection[str] = ()
    name: str = ""


class Alerts:
    def __init__(self, database: Database) -> None:
        self._database = database

    def note_alerts(
        self, scope: str, found: Collection[FoundAlert], over_after: timedelta, to: AlertReceivers, now: datetime
    ) -> Sequence[tuple[OverOrNot, Alert]]:
        """What has changed by it. `found`: all that is wrong now in this scope."""
        changed: list[tuple[OverOrNot, Alert]] = []
        with self._database.money() as connection:
            self._database.hold(connection, f"alerts {scope}")
            standing = columns.scope == scope, columns.ended_at.is_(None)
            open_ones = {(row.kind, row.about): row for row in connection.execute(select(alert).where(*standing))}
            for one in found:
                row = open_ones.pop((one.kind, one.about[:LONGEST_ABOUT]), None)
                if row is None:
                    changed.append(("raised", self._raise(connection, scope, one, now)))
                else:
                    seen = {"seen_at": milliseconds(now), "words": one.words}
                    connection.execute(update(alert).where(columns.id == row.id).values(seen))
            for row in open_ones.values():
                if milliseconds(now) - row.seen_at >= over_after / timedelta(milliseconds=1):
                    ended = {"ended_at": milliseconds(now)}
                    connection.execute(update(alert).where(columns.id == row.id).values(ended))
                    changed.append(("over", _alert(row, ended_at=now)))
            for what, one in changed:
                self._tell(connection, what, one, to, now)
        return changed

    def _raise(self, connection: Connection, scope: str, one: FoundAlert, now: datetime) -> Alert:
        at = milliseconds(now)
        row = {"kind": one.kind, "about": one.about[:LONGEST_ABOUT], "scope": scope, "words": one.words}
        made = insert(alert).values(row | {"since": at, "seen_at": at}).returning(columns.id)
        number = connection.execute(made).scalar_one()
        return _alert(connection.execute(select(alert).where(columns.id == number)).one())

    def _tell(self, connection: Connection, what: OverOrNot, one: Alert, to: AlertReceivers, now: datetime) -> None:
        add_event(self._database, connection, "alerts", f"alert {what}", f"{one.kind} {one.about}", now)
        tell_alert(connection, self._database, what, one.id, (one.kind, one.about, one.words), now)
        for number, address in enumerate(sorted(to.emails), start=1):
            subject = f"{'Alert' if what == 'raised' else 'Over'}: {one.kind.replace('_', ' ')}, {to.name}"
            body = one.words if what == "raised" else f"Over since {now:%Y-%m-%d %H:%M} UTC. It was: {one.words}"
            message = f"alert-{one.id}-{what}-{number}"
            add_email(connection, self._database, message, address, (subject, f"{body}\n"), now)

    def alerts(self, most: int, *, also_over: bool = False) -> Sequence[Alert]:
        """Those that stand first, then the latest first."""
        wanted = select(alert) if also_over else select(alert).where(columns.ended_at.is_(None))
        order = columns.ended_at.is_not(None), columns.since.desc(), columns.id.desc()
        with self._database.calls() as connection:
            return [_alert(row) for row in connection.execute(wanted.order_by(*order).limit(most))]


def _alert(row: Row[tuple[object, ...]], ended_at: datetime | None = None) -> Alert:
    over = _time(row.ended_at) if row.ended_at is not None else ended_at
    return Alert(row.kind, row.about, row.words, row.id, _time(row.since), _time(row.seen_at), over)


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
