"""The outbox: jobs that are leased for a while and fenced, so that a slow holder cannot write over a later one."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, text

from ivr.store.database import Database, milliseconds
from ivr.store.tables import outbox

KINDS = ("authorize", "resolve", "result", "sms", "notice")


@dataclass(frozen=True)
class Job:
    """`fence` is the lease's number: whoever holds an older one has lost the job."""

    id: int
    kind: str
    reference: str
    fence: int
    attempts: int


# Materialized: PostgreSQL may otherwise run the inner query more than once and lease more than it was asked for.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM outbox WHERE NOT is_done AND due_at <= :now AND leased_until <= :now
    ORDER BY due_at, id LIMIT :most {skip})
UPDATE outbox SET leased_until = :until, fence = fence + 1, attempts = attempts + 1
WHERE id IN (SELECT id FROM due)
RETURNING id, kind, reference, fence, attempts
"""
_CLAIM_ON_SQLITE, _CLAIM_ON_POSTGRESQL = (text(_CLAIM.format(skip=skip)) for skip in ("", "FOR UPDATE SKIP LOCKED"))
_ADD = text(
    "INSERT INTO outbox (kind, reference, due_at, leased_until, fence, attempts, is_done) "
    "VALUES (:kind, :reference, :due_at, 0, 0, 0, false) ON CONFLICT (kind, reference) DO NOTHING"
)
_HELD = "WHERE id = :id AND fence = :fence AND NOT is_done"
_TOUCH = text(f"UPDATE outbox SET fence = fence {_HELD}")  # noqa: S608
_FINISH = text(f"UPDATE outbox SET is_done = true {_HELD}")  # noqa: S608
_ACKNOWLEDGE = text(f"UPDATE outbox SET is_done = true, due_at = :at {_HELD}")  # noqa: S608
_POSTPONE = text(f"UPDATE outbox SET due_at = :due_at, leased_until = 0 {_HELD}")  # noqa: S608


class Outbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, now: datetime, lease_s: float) -> Job | None:
        """The oldest job that is due and that nobody holds, leased to the caller."""
        return next(iter(self.claim_jobs(now, lease_s, 1)), None)

    def claim_jobs(self, now: datetime, lease_s: float, most: int) -> Sequence[Job]:
        """The oldest jobs that are due and that nobody holds, in one statement."""
        values = {"now": milliseconds(now), "until": milliseconds(now + timedelta(seconds=lease_s)), "most": most}
        statement = _CLAIM_ON_SQLITE if self._database.is_sqlite else _CLAIM_ON_POSTGRESQL
        with self._for_leases() as connection:
            return [Job(*row) for row in connection.execute(statement, values)]

    def finish(self, job: Job) -> bool:
        with self._database.money() as connection:
            return close_job(connection, job)

    def acknowledge(self, job: Job, at: datetime) -> bool:
        """Done, with the time at which the other side had it: the job's `due_at` from then on."""
        with self._database.money() as connection:
            values = {"id": job.id, "fence": job.fence, "at": milliseconds(at)}
            return connection.execute(_ACKNOWLEDGE, values).rowcount == 1

    def postpone(self, job: Job, due: datetime) -> bool:
        with self._database.money() as connection:
            return close_job(connection, job, due_at=milliseconds(due))

    def outbox_depth(self) -> dict[str, int]:
        """Jobs not yet done, by kind."""
        waiting = select(outbox.c.kind, func.count()).where(~outbox.c.is_done).group_by(outbox.c.kind)
        with self._database.calls() as connection:
            found = {kind: count for kind, count in connection.execute(waiting)}  # noqa: C416
        return {kind: found.get(kind, 0) for kind in KINDS}

    def _for_leases(self) -> AbstractContextManager[Connection]:
        """A lease that is lost in a power cut is no loss on SQLite: its holder was on the same machine.

        On PostgreSQL the holder lives on elsewhere, and the same fence must not be given out twice.
        """
        return self._database.calls() if self._database.is_sqlite else self._database.money()


def add_job(connection: Connection, kind: str, reference: str, now: datetime) -> None:
    """Once for each kind and reference, however often it is asked for."""
    connection.execute(_ADD, {"kind": kind, "reference": reference, "due_at": milliseconds(now)})


def is_held(connection: Connection, job: Job) -> bool:
    """Also takes the row's lock, so that the lease stays with the caller until the transaction ends."""
    return connection.execute(_TOUCH, {"id": job.id, "fence": job.fence}).rowcount == 1


def close_job(connection: Connection, job: Job, *, due_at: int | None = None) -> bool:
    """Done, or due again at `due_at`; False if the lease has moved on to another."""
    held = {"id": job.id, "fence": job.fence}
    if due_at is None:
        return connection.execute(_FINISH, held).rowcount == 1
    return connection.execute(_POSTPONE, held | {"due_at": due_at}).rowcount == 1
