"""A forwarder hears of a charge as soon as it is on disk, on both databases, and does without where nothing can be heard."""

import queue
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from itertools import count

import pytest

from ivr.store import Accepted, Store, bank_queue, open_store
from ivr.store.new_jobs import QUEUES_WITH_NEW, NewJobs
from tests.patience import PATIENCE_S
from tests.store.payments import NO_LIMITS, NOW, begin, intent, stage

ADD_JOB = """
INSERT INTO outbox (kind, reference, queue, due_at, leased_until, fence, attempts, is_done)
VALUES ('authorize', ?, ?, ?, 0, 0, 0, false)
"""


@contextmanager
def watched(url: str) -> Iterator["queue.Queue[str]"]:
    """What another process's watch is told."""
    store, stop, told = open_store(url), threading.Event(), queue.Queue()
    watch = threading.Thread(target=store.watch_jobs, args=(stop, told.put))
    watch.start()
    try:
        yield told
    finally:
        stop.set()
        watch.join()
        store.close()


def test_a_new_charge_is_heard_of_by_another_process_with_its_queue(url: str, store: Store):
    with watched(url) as told:
        for number in count():
            begin(store, f"CA{number}-1")
            with suppress(queue.Empty):
                assert told.get(timeout=0.2) == bank_queue("acme_bank")
                return
            assert number < 10 * PATIENCE_S, "nothing was heard"


def test_what_is_put_off_or_done_is_not_told_again(sqlite_url: str):
    """SQLite counts every commit, whatever it was of."""
    store = open_store(sqlite_url)
    begin(store)
    (job,) = store.claim_jobs(NOW, 60.0, 1)
    store.postpone(job, 300.0, NOW)
    begin(store, "CA2-1")
    (job,) = store.claim_jobs(NOW, 60.0, 1)
    store.finish(job)
    with watched(sqlite_url) as told:
        stage(store, "CA3-1")
        store.begin_payment(replace(intent("CA3-1"), bank="second_bank"), NO_LIMITS, NOW)
        assert told.get(timeout=PATIENCE_S) == bank_queue("second_bank")
    store.close()


@pytest.mark.parametrize("due_at", [0, 1_790_000_000_000], ids=["due", "put off"])
def test_a_look_at_a_commit_costs_the_same_however_many_jobs_wait(sqlite_url: str, due_at: int):
    """Counted in steps of SQLite's machine: a forwarder looks at every commit, and a backlog must not slow what makes it."""
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as database:
        steps = []
        for more in (range(10), range(10, 3000)):
            rows = [(f"CA{number}-1", f"bank:bank_{number % 3}", due_at) for number in more]
            database.executemany(ADD_JOB, rows)
            steps.append(0)

            def count_step() -> None:
                steps[-1] += 1

            database.set_progress_handler(count_step, 1)
            found = database.execute(QUEUES_WITH_NEW).fetchall()
            database.set_progress_handler(None, 0)
            assert found == ([] if due_at else [("bank:bank_0",), ("bank:bank_1",), ("bank:bank_2",)])
        few, many = steps
        assert many <= few * 2


def test_a_watch_that_loses_its_connection_begins_anew(monkeypatch: pytest.MonkeyPatch, url: str):
    monkeypatch.setattr("ivr.store.new_jobs.AGAIN_S", 0.0)
    stop, tries = threading.Event(), []

    class Cut:
        is_sqlite = True

        def watching(self) -> None:
            tries.append("again")
            if len(tries) == 3:
                stop.set()
            raise ConnectionError

    NewJobs(Cut()).watch_jobs(stop, tries.append)  # type: ignore[arg-type]
    assert tries == ["again"] * 3


def test_a_charge_is_begun_where_nobody_can_be_told_of_it(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ivr.store.new_jobs.CHANNEL", "")  # PostgreSQL refuses it
    assert begin(store) == Accepted()
    assert store.outbox_depth()["authorize"] == 1
