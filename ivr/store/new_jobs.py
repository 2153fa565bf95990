"""How a forwarder hears of a new job before it would next look: by what each commit changes on SQLite, by NOTIFY on PostgreSQL.

Nothing depends on it: a job that is not heard of is found when a worker next looks by itself.
"""

import threading
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import Connection, text

from ivr.store.database import Database, driver_of

CHANNEL = "tonetill_jobs"
LOOK_S = 0.004  # between two looks at SQLite's count of commits: some 5 us each, in memory that all its processes share
LISTEN_S = 0.5  # how long the watch goes on after it was told to stop
AGAIN_S = 1.0  # until a connection that was lost is made anew
# At each commit, however many jobs wait: from one queue to the next in the index, and in each to its first new job. What was
# put off is due later, and a lease is one of a worker's, so that neither is in the way.
QUEUES_WITH_NEW = """
WITH RECURSIVE waiting (queue) AS (
    SELECT min(queue) FROM outbox WHERE is_done = false
    UNION ALL SELECT (SELECT min(o.queue) FROM outbox o WHERE o.is_done = false AND o.queue > waiting.queue)
    FROM waiting WHERE waiting.queue IS NOT NULL)
SELECT queue FROM waiting WHERE EXISTS (SELECT 1 FROM outbox o
    WHERE o.is_done = false AND o.queue = waiting.queue AND o.due_at <= 0 AND o.leased_until = 0)
"""
_NOTIFY = text("SELECT pg_notify(:channel, :queue)")

Tell = Callable[[str], object]


def announce_job(database: Database, queue: str) -> None:
    """To be said of a job that is on disk. In a transaction of its own: PostgreSQL lets transactions that notify commit one after
    the other, and a charge is not to wait for the disk in a queue. SQLite's commits are seen without it."""
    if not database.is_sqlite:
        with suppress(Exception), database.calls() as connection:
            connection.execute(_NOTIFY, {"channel": CHANNEL, "queue": queue})


class NewJobs:
    def __init__(self, database: Database) -> None:
        self._database = database

    def watch_jobs(self, stop: threading.Event, tell: Tell) -> None:
        """`tell(queue)` for each queue that has a new job, until `stop` is set. Holds one connection; where it is lost, or nothing
        can be heard (a pooler in between that shares sessions), nothing is told and it tries again."""
        watch = _watch_commits if self._database.is_sqlite else _listen
        while not stop.is_set():
            with suppress(Exception), self._database.watching() as connection:
                watch(connection, stop, tell)
            stop.wait(AGAIN_S)


def _watch_commits(connection: Connection, stop: threading.Event, tell: Tell) -> None:
    driver, seen = driver_of(connection), None
    while not stop.wait(LOOK_S):
        version = driver.execute("PRAGMA data_version").fetchone()
        if version != seen:
            seen = version
            for (queue,) in driver.execute(QUEUES_WITH_NEW).fetchall():
                tell(queue)


def _listen(connection: Connection, stop: threading.Event, tell: Tell) -> None:
    driver = driver_of(connection)
    driver.execute(f"LISTEN {CHANNEL}")
    while not stop.is_set():
        for notice in driver.notifies(timeout=LISTEN_S):
            tell(notice.payload)
