"""Many workers, one forwarder: each job once, none waits for a slow one, none is dropped when told to stop."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ivr.forwarder.process import Forwarder
from ivr.forwarder.worker_pool import Queue, WorkerPool
from ivr.store import Job, KeptKind, Store, TurnRecord, Which, open_store
from tests.forwarder.tills import Till, bank_in
from tests.patience import PATIENCE_S
from tests.store.payments import a_call, stage


class Until:
    """A forwarder that stops its pool after so many jobs."""

    def __init__(self, forwarder: Forwarder, jobs: int, stop: threading.Event) -> None:
        self.forwarder, self.left, self.stop, self.lock = forwarder, jobs, stop, threading.Lock()
        self.store: Store = forwarder.store
        self.now: Callable[[], datetime] = forwarder.now
        self.due = forwarder.due
        self.lease_s = forwarder.lease_s

    def do(self, job: Job) -> None:
        try:
            self.forwarder.do(job)
        finally:
            with self.lock:
                self.left -= 1
            if self.left <= 0:
                self.stop.set()


@pytest.fixture
def till(store: Store, tmp_path: Path) -> Till:
    return Till(store, bank_in(tmp_path))


def run(till: Till, jobs: int, workers: int = 4) -> None:
    stop = threading.Event()
    WorkerPool(Until(till.forwarder(), jobs, stop), few(workers)).run(stop)


def few(workers: int) -> tuple[Queue]:
    return (Queue("everything", workers=workers),)


def test_two_forwarders_race_and_every_charge_is_sent_once(till: Till, url: str):
    for number in range(30):
        till.charge(f"CA{number}-1")
    stores = [open_store(url), open_store(url)]
    stop = threading.Event()
    both = Until(till.forwarder(), 30, stop)
    pools = []
    for own in stores:
        worker = Until(till.forwarder(own), 30, stop)
        worker.do = both.do  # type: ignore[method-assign]  # one count for both
        pools.append(WorkerPool(worker, few(4)))
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda pool: pool.run(stop), pools))
    for own in stores:
        own.close()
    assert till.bank.requests() == 30
    till.agrees()


def test_one_slow_answer_holds_up_nobody_else(till: Till):
    others_are_done = threading.Event()
    answered: list[str] = []
    enter = till.bank.authorize

    def authorize(request):  # type: ignore[no-untyped-def]
        if request.reference == "CA0-1":
            assert others_are_done.wait(PATIENCE_S)
        answer = enter(request)
        answered.append(request.reference)
        if len(answered) == 9:
            others_are_done.set()
        return answer

    till.bank.authorize = authorize  # type: ignore[method-assign]
    for number in range(10):
        till.charge(f"CA{number}-1")
    run(till, 10)
    assert answered[-1] == "CA0-1"
    till.agrees()


def test_no_more_are_under_way_than_there_are_workers(till: Till):
    lock = threading.Lock()
    under_way, most = [0], [0]

    def count(point: str) -> None:
        with lock:
            under_way[0] += {"before it leaves": 1, "in the books": -1}.get(point, 0)
            most[0] = max(most[0], under_way[0])

    till.bank.at = count
    for number in range(12):
        till.charge(f"CA{number}-1")
    run(till, 12, workers=3)
    assert 1 <= most[0] <= 3
    till.agrees()


def test_told_to_stop_it_finishes_what_is_under_way_and_begins_nothing_new(till: Till):
    stop = threading.Event()
    till.bank.at = lambda point: stop.set()
    for number in range(5):
        till.charge(f"CA{number}-1")
    WorkerPool(till.forwarder(), few(1)).run(stop)
    statuses = [till.status(f"CA{number}-1") for number in range(5)]
    assert statuses == ["approved", *["accepted"] * 4]
    till.agrees()


def test_a_job_that_fails_does_not_stop_the_others(till: Till):
    faults = iter([RuntimeError("a fault of ours")])
    read = till.store.payment

    def fail_once(reference: str):  # type: ignore[no-untyped-def]
        for fault in faults:
            raise fault
        return read(reference)

    till.store.payment = fail_once  # type: ignore[method-assign]
    till.charge("CA0-1")
    till.charge()
    run(till, 2, workers=1)
    assert till.status("CA0-1") == "accepted"
    assert till.status() == "approved"


def test_a_database_that_does_not_answer_is_asked_again(till: Till):
    claim, failures = till.store.claim_jobs, [ConnectionError(), ConnectionError()]

    def fail_first(now: datetime, lease_s: float, most: int, which: Which):  # type: ignore[no-untyped-def]
        if failures:
            raise failures.pop()
        return claim(now, lease_s, most, which)

    till.store.claim_jobs = fail_first  # type: ignore[method-assign]
    till.charge()
    run(till, 1)
    assert till.status() == "approved"


def test_cards_of_abandoned_calls_are_dropped(till: Till):
    stage(till.store, "CA9-1", now=till.clock() - timedelta(hours=2))
    stage(till.store, "CA8-1", now=till.clock())
    till.charge()
    run(till, 1)
    assert till.store.drop_unsent_cards(till.clock() - timedelta(hours=1)) == 0
    assert till.store.drop_unsent_cards(till.clock() + timedelta(seconds=1)) == 4


def test_turns_of_calls_long_over_are_dropped(till: Till):
    for call, days in (("CA9", 8), ("CA8", 6)):
        at = till.clock() - timedelta(days=days)
        till.store.note_turn(TurnRecord(call, 1, at, "call began", "", "language", (), 3))
    till.charge()
    run(till, 1)
    assert [len(till.store.turns_of(call)) for call in ("CA9", "CA8")] == [0, 1]


def test_each_kind_is_deleted_after_its_days_and_one_that_fails_keeps_no_other(
    till: Till, monkeypatch: pytest.MonkeyPatch
):
    for call, days in (("CA9", 3), ("CA8", 1)):
        till.store.save_call(a_call(call, phase="over"), 0, till.clock() - timedelta(days=days))
    as_it_is = Store.drop_old

    def fail(store: Store, kind: KeptKind, before: datetime) -> int:
        if kind == "texts":
            raise OSError("the disk")
        return as_it_is(store, kind, before)

    monkeypatch.setattr(Store, "drop_old", fail)
    WorkerPool(till.forwarder(), kept_days={"texts": 1, "numbers": 0, "calls": 2}).keep_house()
    assert [till.store.load_call(call) is not None for call in ("CA9", "CA8")] == [False, True]
