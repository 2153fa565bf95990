"""The outbox: jobs that are leased for a while and fenced, so that a slow holder cannot write over a later one."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Connection, TextClause, false, func, select, text

from ivr.store.database import Database, Straight, milliseconds
from ivr.store.intent_bills import acknowledge_bill
from ivr.store.tables import outbox

KINDS = (
    *("authorize", "resolve", "capture", "modification", "result", "result_again", "sms", "email"),
    *("notice", "agreement", "merchant_notice", "card_deletion"),
)


@dataclass(frozen=True)
class Job:
    """`fence` is the lease's number: whoever holds an older one has lost the job."""

    id: int
    kind: str
    reference: str
    fence: int
    attempts: int


# Each bank has a queue of its own, and so has each of the others: what is slow holds up itself alone.
TEXTS, EMAILS, NOTICES, MERCHANT_NOTICES = "texts", "emails", "notices", "merchant_notices"
# A result that has changed: its reference is the charge's, a blank, and why.
TOLD_AGAIN = "result_again"
# Due at once, whatever anybody's clock says. Jobs that were put off come after: nobody is on the line for them.
AT_ONCE = 0
# `:now` is null in production: then the database's own clock decides, which all nodes share. Tests give the time.
_SQLITE_CLOCK = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
_POSTGRESQL_CLOCK = "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000 AS BIGINT)"
# Materialized: PostgreSQL may otherwise run the inner query more than once and lease more than it was asked for.
# `is_done = false` and not `NOT is_done`: SQLite finds an index by the former only.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM outbox WHERE is_done = false {which} AND due_at <= {now} AND leased_until <= {now}
    ORDER BY due_at, id LIMIT :most {skip})
UPDATE outbox SET leased_until = {now} + :lease_ms, fence = fence + 1, attempts = attempts + 1
WHERE id IN (SELECT id FROM due)
RETURNING id, kind, reference, fence, attempts
"""
_ADD = Straight(
    "INSERT INTO outbox (kind, reference, queue, due_at, leased_until, fence, attempts, is_done) "
    "VALUES (:kind, :reference, :queue, :due_at, 0, 0, 0, false) ON CONFLICT (kind, reference) DO NOTHING"
)
_HELD = "WHERE id = :id AND fence = :fence AND is_done = false"
_TOUCH = Straight(f"UPDATE outbox SET fence = fence {_HELD}")  # noqa: S608
_FINISH = Straight(f"UPDATE outbox SET is_done = true {_HELD}")  # noqa: S608
_DROP = text("UPDATE outbox SET is_done = true WHERE kind = :kind AND reference = :reference AND is_done = false")
_ACKNOWLEDGE = text("UPDATE payment_intent SET acknowledged_at = :at WHERE reference = :reference")
_POSTPONE = f"UPDATE outbox SET due_at = {{now}} + :pause_ms, leased_until = 0 {_HELD}"  # noqa: S608
_RENEW = f"UPDATE outbox SET leased_until = {{now}} + :lease_ms {_HELD}"  # noqa: S608
_HURRY = Straight(
    "UPDATE outbox SET due_at = :at_once WHERE kind = :kind AND reference = :reference AND is_done = false"
)
NEVER = 253_370_764_800_000  # the year 9999: what has been given up is not due again until somebody says so
_PULL_IN = """
UPDATE outbox SET due_at = CASE WHEN due_at > {now} + :pause_ms THEN {now} ELSE due_at END,
    leased_until = CASE WHEN leased_until > {now} + :lease_ms THEN {now} ELSE leased_until END
WHERE is_done = false AND due_at < :never AND (due_at > {now} + :pause_ms OR leased_until > {now} + :lease_ms)
"""


def bank_queue(bank: str) -> str:
    return f"bank:{bank}"


@dataclass(frozen=True)
class Which:
    """Jobs of one queue, or those of all queues but some: what was queued for a bank that is no longer named, say."""

    queue: str = ""
    others_than: tuple[str, ...] = ()

    def condition(self) -> str:
        if self.queue:
            return "AND queue = :queue"
        return f"AND queue NOT IN (:{', :'.join(self._names())})" if self.others_than else ""

    def has(self, queue: str) -> bool:
        return queue == self.queue if self.queue else queue not in self.others_than

    def values(self) -> dict[str, object]:
        return {"queue": self.queue} if self.queue else {**self._names()}

    def _names(self) -> dict[str, str]:
        return {f"queue_{number}": name for number, name in enumerate(self.others_than)}


ANY = Which()


class Outbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, now: datetime | None, lease_s: float) -> Job | None:
        """The first job that is due and that nobody holds, leased to the caller."""
        return next(iter(self.claim_jobs(now, lease_s, 1)), None)

    def claim_jobs(self, now: datetime | None, lease_s: float, most: int, which: Which = ANY) -> Sequence[Job]:
        """Jobs that are due and that nobody holds, in one statement. `now`: None for the database's own clock."""
        values = which.values() | {"now": given(now), "lease_ms": int(lease_s * 1000), "most": most}
        with self._for_leases() as connection:
            return [Job(*row) for row in connection.execute(timed(connection, _CLAIM, which.condition()), values)]

    def finish(self, job: Job) -> bool:
        with self._database.money() as connection:
            return close_job(connection, job)

    def acknowledge(self, job: Job, at: datetime) -> bool:
        """A notice is done: from `at` on the billing system's answers have counted the payment."""
        with self._database.money() as connection:
            if not close_job(connection, job):
                return False
            at_ms = self._database.on_its_clock(at)
            if connection.execute(_ACKNOWLEDGE, {"reference": job.reference, "at": at_ms}).rowcount == 0:
                acknowledge_bill(connection, job.reference, at_ms)
            return True

    def postpone(self, job: Job, pause_s: float, now: datetime | None = None) -> bool:
        with self._database.money() as connection:
            return put_off(connection, job, pause_s, now)

    def renew(self, job: Job, lease_s: float, now: datetime | None = None) -> bool:
        """A lease for the next part of a long job; False if it has moved on to another."""
        values = {"now": given(now), "id": job.id, "fence": job.fence, "lease_ms": int(lease_s * 1000)}
        with self._for_leases() as connection:
            return connection.execute(timed(connection, _RENEW), values).rowcount == 1

    def pull_in(self, longest_pause_s: float, longest_lease_s: float, now: datetime | None = None) -> int:
        """Jobs put off, or leased, until further ahead than anybody does: the clock was wrong then, and is right now."""
        longest = {"pause_ms": int(longest_pause_s * 1000), "lease_ms": int(longest_lease_s * 1000), "never": NEVER}
        with self._database.money() as connection:
            return connection.execute(timed(connection, _PULL_IN), {"now": given(now)} | longest).rowcount

    def is_job_open(self, kind: str, reference: str) -> bool:
        wanted = outbox.c.kind == kind, outbox.c.reference == reference, outbox.c.is_done == false()
        with self._database.calls() as connection:
            return connection.execute(select(outbox.c.id).where(*wanted)).first() is not None

    def is_told_again(self, reference: str) -> bool:
        """Whether what became of a charge has changed since it could be told: what was written before is not true any more."""
        changed = outbox.c.reference.startswith(f"{reference} ", autoescape=True)
        with self._database.calls() as connection:
            return (
                connection.execute(select(outbox.c.id).where(outbox.c.kind == TOLD_AGAIN, changed)).first() is not None
            )

    def outbox_depth(self) -> dict[str, int]:
        """Jobs not yet done, by kind."""
        waiting = select(outbox.c.kind, func.count()).where(outbox.c.is_done == false()).group_by(outbox.c.kind)
        with self._database.calls() as connection:
            found = {kind: count for kind, count in connection.execute(waiting)}  # noqa: C416
        return {kind: found.get(kind, 0) for kind in KINDS}

    def _for_leases(self) -> AbstractContextManager[Connection]:
        """A lease that is lost in a power cut is no loss on SQLite: its holder was on the same machine.

        On PostgreSQL the holder lives on elsewhere, and the same fence must not be given out twice.
        """
        return self._database.calls() if self._database.is_sqlite else self._database.money()


def given(now: datetime | None) -> int | None:
    return None if now is None else milliseconds(now)


def timed(connection: Connection, statement: str, which: str = "") -> TextClause:
    return _timed(statement, which, connection.dialect.name == "sqlite")


@lru_cache
def _timed(statement: str, which: str, is_sqlite: bool) -> TextClause:
    """Written out once for each database: composing a statement anew costs more than running it."""
    clock, skip = (_SQLITE_CLOCK, "") if is_sqlite else (_POSTGRESQL_CLOCK, "FOR UPDATE SKIP LOCKED")
    return text(statement.format(now=f"COALESCE(CAST(:now AS BIGINT), {clock})", which=which, skip=skip))


def add_job(connection: Connection, kind: str, reference: str, queue: str) -> None:
    """Due at once. Once for each kind and reference, however often it is asked for."""
    _ADD.run(connection, {"kind": kind, "reference": reference, "queue": queue, "due_at": AT_ONCE})


def drop_job(connection: Connection, kind: str, reference: str) -> None:
    """What it was to find out is known. Whoever holds it has lost it."""
    connection.execute(_DROP, {"kind": kind, "reference": reference})


def hurry(connection: Connection, kind: str, reference: str) -> None:
    """What a postponed job waits for has happened: it is due now."""
    _HURRY.run(connection, {"kind": kind, "reference": reference, "at_once": AT_ONCE})


def tell_again(connection: Connection, reference: str, why: str) -> None:
    """A result that may have been told is another one by now (`why`, one word): a second text says so. One that is still to be told
    waits for nothing any more."""
    waiting = outbox.c.kind == "result", outbox.c.reference == reference, outbox.c.is_done == false()
    if connection.execute(select(outbox.c.id).where(*waiting)).first() is not None:
        hurry(connection, "result", reference)
    # Also where the first is under way just now: what it says was read before this.
    add_job(connection, TOLD_AGAIN, f"{reference} {why}", TEXTS)


def is_leased(connection: Connection, kind: str, reference: str, now: datetime) -> bool:
    """Somebody may be asking the bank for it at this moment."""
    wanted = outbox.c.kind == kind, outbox.c.reference == reference, outbox.c.is_done == false()
    leased = outbox.c.leased_until > milliseconds(now)
    return connection.execute(select(outbox.c.id).where(*wanted, leased)).first() is not None


def is_held(connection: Connection, job: Job) -> bool:
    """Also takes the row's lock, so that the lease stays with the caller until the transaction ends."""
    return bool(_TOUCH.run(connection, {"id": job.id, "fence": job.fence}).rowcount == 1)


def close_job(connection: Connection, job: Job) -> bool:
    """False if the lease has moved on to another."""
    return bool(_FINISH.run(connection, {"id": job.id, "fence": job.fence}).rowcount == 1)


def put_off(connection: Connection, job: Job, pause_s: float, now: datetime | None) -> bool:
    """Due again after the pause; False if the lease has moved on to another."""
    values = {"now": given(now), "id": job.id, "fence": job.fence, "pause_ms": int(pause_s * 1000)}
    return connection.execute(timed(connection, _POSTPONE), values).rowcount == 1
