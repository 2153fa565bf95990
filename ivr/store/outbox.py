"""The outbox: jobs that are leased for a while and fenced, so that a slow holder cannot write over a later one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, text, update

from ivr.store.database import Database, milliseconds
from ivr.store.tables import outbox


@dataclass(frozen=True)
class Job:
    """`fence` is the lease's number: whoever holds an older one has lost the job."""

    id: int
    kind: str
    reference: str
    fence: int
    attempts: int


_CLAIM = """
UPDATE outbox SET leased_until = :until, fence = fence + 1, attempts = attempts + 1
WHERE id = (SELECT id FROM outbox WHERE is_done = {false} AND due_at <= :now AND leased_until <= :now
            ORDER BY due_at, id LIMIT 1 {skip})
RETURNING id, kind, reference, fence, attempts
"""


_ADD = text(
    "INSERT INTO outbox (kind, reference, due_at, leased_until, fence, attempts, is_done) "
    "VALUES (:kind, :reference, :due_at, 0, 0, 0, false)"
)


class Outbox:
    def __init__(self, database: Database) -> None:
        self._database = database
        dialect = (
            {"false": "0", "skip": ""} if database.is_sqlite else {"false": "false", "skip": "FOR UPDATE SKIP LOCKED"}
        )
        self._claim = text(_CLAIM.format(**dialect))

    def claim(self, now: datetime, lease_s: float) -> Job | None:
        """The oldest job that is due and that nobody holds, leased to the caller."""
        times = {"now": milliseconds(now), "until": milliseconds(now + timedelta(seconds=lease_s))}
        with self._database.money() as connection:
            row = connection.execute(self._claim, times).first()
        return Job(row.id, row.kind, row.reference, row.fence, row.attempts) if row else None

    def finish(self, job: Job) -> bool:
        with self._database.money() as connection:
            return close_job(connection, job)

    def postpone(self, job: Job, due: datetime) -> bool:
        with self._database.money() as connection:
            return close_job(connection, job, due_at=milliseconds(due))

    def outbox_depth(self) -> dict[str, int]:
        """Jobs not yet done, by kind."""
        waiting = select(outbox.c.kind, func.count()).where(~outbox.c.is_done).group_by(outbox.c.kind)
        with self._database.calls() as connection:
            found: dict[str, int] = dict(connection.execute(waiting).all())
        return {kind: found.get(kind, 0) for kind in ("authorize", "resolve", "sms")}


def add_job(connection: Connection, kind: str, reference: str, now: datetime) -> None:
    at = milliseconds(now)
    connection.execute(_ADD, {"kind": kind, "reference": reference, "due_at": at})


def close_job(connection: Connection, job: Job, *, due_at: int | None = None) -> bool:
    """Done, or due again at `due_at`; False if the lease has moved on to another."""
    held = update(outbox).where(outbox.c.id == job.id, outbox.c.fence == job.fence, ~outbox.c.is_done)
    change = held.values(is_done=True) if due_at is None else held.values(due_at=due_at, leased_until=0)
    return connection.execute(change).rowcount == 1
