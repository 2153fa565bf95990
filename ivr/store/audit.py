"""Who did what, and when: events are added, and each carries a digest over the one before it. No card data, ever."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import ColumnElement, Connection, Row, insert, select, text

from ivr.store.database import Database, milliseconds
from ivr.store.tables import audit_event

START = "0" * 64
AT_ONCE = 10_000  # a statement of PostgreSQL's has 65,535 values at most, one of SQLite's 32,766
_IN_ORDER = text("SELECT id, at, who, what, about, digest FROM audit_event ORDER BY id")


@dataclass(frozen=True)
class AuditEvent:
    """`who`: a person or a process; `what`: a verb in the past; `about`: a reference, never a number that a caller keyed."""

    id: int
    at: datetime
    who: str
    what: str
    about: str


@dataclass(frozen=True)
class AuditHead:
    """The latest event's number and the digest over all up to it; 0 where there is none."""

    id: int
    digest: str


@dataclass(frozen=True)
class BrokenEvent:
    """`how`: `missing` from the chain, or `changed`: it, its digest or its place is not what was written."""

    id: int
    how: Literal["missing", "changed"]


@dataclass(frozen=True)
class AuditFilter:
    """Empty, 0 or None: any. `what` and `about`: a part of it. `since` is within, `until` is not. `before`: those with lower numbers."""

    who: str = ""
    what: str = ""
    about: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int = 0


EVERY_EVENT = AuditFilter()


class Audit:
    """Whoever changes, removes or inserts an event breaks the chain from there on. Cutting off its end is seen only by
    who has written the head down elsewhere: `audit_head` is for that."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, who: str, what: str, about: str, now: datetime) -> None:
        with self._database.money() as connection:
            add_event(self._database, connection, who, what, about, now)

    def audit_events(self, limit: int, wanted: AuditFilter = EVERY_EVENT) -> Sequence[AuditEvent]:
        """The latest first."""
        latest = select(audit_event).where(*_conditions(wanted)).order_by(audit_event.c.id.desc()).limit(limit)
        with self._database.calls() as connection:
            return [_event(row) for row in connection.execute(latest)]

    def audit_head(self) -> AuditHead:
        with self._database.calls() as connection:
            return AuditHead(*_last(connection))

    def audit_digests(self, of: Collection[int]) -> Mapping[int, str]:
        """What is on record now under these numbers; a number that is not there is left out."""
        wanted = sorted(set(of))
        found: dict[int, str] = {}
        with self._database.calls() as connection:
            for begin in range(0, len(wanted), AT_ONCE):
                some = audit_event.c.id.in_(wanted[begin : begin + AT_ONCE])
                rows = connection.execute(select(audit_event.c.id, audit_event.c.digest).where(some))
                found |= {row.id: row.digest for row in rows}
        return found

    def audit_trail(self) -> Iterator[tuple[AuditEvent, int, str]]:
        """All of it in order, each event with its time in milliseconds and its digest as they are on record. Memory stays the same."""
        with self._database.stream(_IN_ORDER, {}, 1000) as rows:
            for row in rows:
                yield _event(row), row.at, row.digest

    def broken_audit_event(self) -> BrokenEvent | None:
        """The first event that is not what was written, or not where; None for a whole chain. Memory stays the same."""
        digest, expected = START, 1
        with self._database.stream(_IN_ORDER, {}, 1000) as rows:
            for row in rows:
                if row.id != expected:
                    return BrokenEvent(expected, "missing")
                digest = chained(digest, (row.id, row.at, row.who, row.what, row.about))
                if row.digest != digest:
                    return BrokenEvent(expected, "changed")
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


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    columns = audit_event.c
    found: list[ColumnElement[bool]] = [columns.who == wanted.who] if wanted.who else []
    if wanted.what:
        found.append(columns.what.contains(wanted.what, autoescape=True))
    if wanted.about:
        found.append(columns.about.contains(wanted.about, autoescape=True))
    if wanted.since:
        found.append(columns.at >= milliseconds(wanted.since))
    if wanted.until:
        found.append(columns.at < milliseconds(wanted.until))
    if wanted.before:
        found.append(columns.id < wanted.before)
    return found


def _event(row: Row[tuple[object, ...]]) -> AuditEvent:
    return AuditEvent(row.id, datetime.fromtimestamp(row.at / 1000, UTC), row.who, row.what, row.about)
