"""Who did what, and when: events are added, and each carries a digest over the one before it. No card data, ever."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Row, insert, select

from ivr.store.database import Database, milliseconds
from ivr.store.tables import audit_event

START = "0" * 64


@dataclass(frozen=True)
class AuditEvent:
    """`who`: a person or a process; `what`: a verb in the past; `about`: a reference, never a number that a caller keyed."""

    id: int
    at: datetime
    who: str
    what: str
    about: str


class Audit:
    """Whoever changes, removes or inserts an event breaks the chain from there on. Cutting off its end is seen only by
    who has written the last digest down elsewhere: `last_digest` is for that."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, who: str, what: str, about: str, now: datetime) -> None:
        with self._database.money() as connection:
            add_event(self._database, connection, who, what, about, now)

    def audit_events(self, limit: int) -> Sequence[AuditEvent]:
        """The latest first."""
        latest = select(audit_event).order_by(audit_event.c.id.desc()).limit(limit)
        with self._database.calls() as connection:
            return [_event(row) for row in connection.execute(latest)]

    def last_digest(self) -> str:
        with self._database.calls() as connection:
            return _last(connection)[1]

    def broken_audit_event(self) -> int | None:
        """The number of the first event that is not what was written, or not where; None for a whole chain."""
        digest, expected = START, 1
        with self._database.calls() as connection:
            for row in connection.execute(select(audit_event).order_by(audit_event.c.id)):
                digest = chained(digest, (row.id, row.at, row.who, row.what, row.about))
                if row.id != expected or row.digest != digest:
                    return expected
                expected += 1
        return None


def add_event(database: Database, connection: Connection, who: str, what: str, about: str, now: datetime) -> None:
    """In the transaction of what it tells of."""
    database.hold(connection, "audit_event")
    number, digest = _last(connection)
    event = (number + 1, milliseconds(now), who, what, about)
    row = dict(zip(("id", "at", "who", "what", "about"), event, strict=True))
    connection.execute(insert(audit_event), row | {"digest": chained(digest, event)})


def chained(before: str, event: Sequence[object]) -> str:
    return hashlib.sha256(f"{before}{json.dumps(event)}".encode()).hexdigest()


def _last(connection: Connection) -> tuple[int, str]:
    row = connection.execute(
        select(audit_event.c.id, audit_event.c.digest).order_by(audit_event.c.id.desc()).limit(1)
    ).first()
    return (row.id, row.digest) if row else (0, START)


def _event(row: Row[tuple[object, ...]]) -> AuditEvent:
    return AuditEvent(row.id, datetime.fromtimestamp(row.at / 1000, UTC), row.who, row.what, row.about)
