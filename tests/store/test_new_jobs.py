"""A forwarder hears of a charge as soon as it is on disk, on both databases, and does without where nothing can be heard."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count

import pytest

from ivr.store import Accepted, Store, bank_queue, open_store
from ivr.store.new_jobs import NewJobs
from tests.patience import PATIENCE_S
from tests.store.payments import NO_LIMITS, NOW, begin, intent, stage


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
