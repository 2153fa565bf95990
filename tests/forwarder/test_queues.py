"""What is slow holds up only itself: each bank has its own workers and connections, and so have texts."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ivr.bank import AuthorizationRequest, BankAnswer
from ivr.bank.tonetill import PROMISES, TonetillBank
from ivr.channels.simulator import Clock
from ivr.forwarder.process import Forwarder
from ivr.forwarder.worker_pool import WorkerPool, queues_for, threads_of
from ivr.store import TEXTS, Accepted, AttemptLimits, SealedField, Store, TextMessage, Which, bank_queue, open_store
from ivr.store.outbox import add_job
from ivr.vault import SealContext
from tests.bank.requests import sealed_fields
from tests.bank_process import BankKeys, RunningBank
from tests.forwarder.tills import Till, bank_in
from tests.patience import PATIENCE_S
from tests.store.payments import NOW, begin, intent, stage

SLOW_CHARGES = 40


class SilentBank:
    """Takes every question and answers none, until it is let go."""

    promises = PROMISES

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.lock = threading.Lock()
        self.under_way = self.most = 0

    def authorize(self, request: AuthorizationRequest) -> BankAnswer:
        with self.lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        self.let_go.wait(PATIENCE_S)
        with self.lock:
            self.under_way -= 1
        return BankAnswer("unknown", request.reference)

    def inquire(self, reference: str) -> BankAnswer:
        return BankAnswer("declined", reference, "05")

    def reverse(self, reference: str) -> BankAnswer:
        return BankAnswer("reversed", reference, "00")


@contextmanager
def at_work(forwarder: Forwarder, connections: dict[str, int]) -> Iterator[None]:
    stop = threading.Event()
    pool = threading.Thread(target=WorkerPool(forwarder, queues_for(connections)).run, args=(stop,))
    pool.start()
    try:
        yield
    finally:
        stop.set()
        pool.join(PATIENCE_S)
        assert not pool.is_alive()


def wait_for(happened: Callable[[], bool]) -> None:
    tick = threading.Event()
    for _ in range(int(PATIENCE_S * 50)):
        if happened():
            return
        tick.wait(0.02)
    raise AssertionError("it did not happen")


def begin_at(store: Store, bank: str, reference: str) -> None:
    stage(store, reference, card=reference)
    assert (
        store.begin_payment(replace(intent(reference, caller=reference), bank=bank), AttemptLimits(), NOW) == Accepted()
    )


def statuses(store: Store, prefix: str, count: int) -> set[str]:
    payments = [store.payment(f"{prefix}{number}-1") for number in range(count)]
    return {payment.status for payment in payments if payment is not None}


def test_a_bank_that_is_silent_holds_up_its_own_charges_alone(url: str, tmp_path: Path):
    """The silent bank has more charges waiting than it has workers, and they were queued first."""
    store = open_store(url, threads_of(queues_for({"silent": 4, "good": 4})))
    silent, good = SilentBank(), bank_in(tmp_path)
    for number in range(SLOW_CHARGES):
        begin_at(store, "silent", f"CS{number}-1")
    for number in range(20):
        begin_at(store, "good", f"CG{number}-1")
    store.queue_sms("CA1-receipt", "+15550100", "Paid.", NOW)
    sent: list[TextMessage] = []
    forwarder = Forwarder(store, {"silent": silent, "good": good}, sent.append)
    try:
        with at_work(forwarder, {"silent": 4, "good": 4}):
            wait_for(lambda: statuses(store, "CG", 20) == {"approved"} and len(sent) == 1)
            wait_for(lambda: silent.under_way == 4)
            assert statuses(store, "CS", SLOW_CHARGES) == {"sent", "accepted"}
            silent.let_go.set()
            wait_for(lambda: statuses(store, "CS", SLOW_CHARGES) == {"declined"})
        assert silent.most == 4
    finally:
        silent.let_go.set()
        store.close()


def test_texts_that_hang_hold_up_no_charge(store: Store, tmp_path: Path):
    let_go = threading.Event()
    for number in range(12):
        store.queue_sms(f"CA{number}-receipt", "+15550100", "Paid.", NOW)
    for number in range(6):
        begin_at(store, "good", f"CG{number}-1")

    def hang(message: TextMessage) -> None:
        let_go.wait(PATIENCE_S)

    try:
        with at_work(Forwarder(store, {"good": bank_in(tmp_path)}, hang), {"good": 2}):
            wait_for(lambda: statuses(store, "CG", 6) == {"approved"})
            let_go.set()
    finally:
        let_go.set()


def test_a_real_bank_that_accepts_and_says_nothing_leaves_the_other_bank_at_work(
    store: Store, bank_keys: BankKeys, bank_process: RunningBank
):
    """Over TLS: a listener that takes connections and never shakes hands, beside the simulator."""
    now = datetime.now(UTC)
    references = []
    for number in range(3):
        begin_at(store, "silent", f"CS{number}-1")
        wanted = intent(f"CAreal{now.timestamp()}{number}-1")
        context = SealContext(wanted.merchant, wanted.call, wanted.reference)
        for field, jwe in sealed_fields(bank_keys.vault(), context, "4111111111111111").items():
            store.stage_sealed(SealedField(wanted.reference, field, jwe), now)
        assert store.begin_payment(replace(wanted, bank="good"), AttemptLimits(), now) == Accepted()
        references.append(wanted.reference)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        silent = TonetillBank(bank_keys.settings(url, connect_timeout="20s", read_timeout="20s", connections=2))
        with silent, TonetillBank(bank_process.settings) as good:
            forwarder = Forwarder(store, {"silent": silent, "good": good}, lambda message: None)
            with at_work(forwarder, {"silent": silent.connections, "good": good.connections}):
                wait_for(lambda: {store.payment(one).status for one in references} == {"approved"})  # type: ignore[union-attr]
                assert statuses(store, "CS", 3) == {"sent", "accepted"}
                listener.close()  # the handshakes fail at once: nothing has left


def test_a_charge_at_a_bank_that_is_no_longer_named_is_told_to_be_not_sent(store: Store, tmp_path: Path):
    begin_at(store, "renamed", "CA1-1")
    queues = queues_for({"good": 2})
    clock = Clock(NOW)
    forwarder = Forwarder(store, {"good": bank_in(tmp_path)}, lambda message: None, now=clock)
    left_over = queues[-1].which
    for _ in range(20):
        for job in store.claim_jobs(clock(), 60, 5, left_over):
            forwarder.do(job)
        clock.advance(2)
    assert statuses(store, "CA", 2) == {"not_sent"}


def test_each_queue_gives_its_own_jobs_and_what_is_left_over_gives_the_rest(store: Store):
    begin_at(store, "first", "CA1-1")
    begin_at(store, "second", "CA2-1")
    begin_at(store, "third", "CA3-1")
    store.queue_sms("CA1-receipt", "+15550100", "Paid.", NOW)
    queues = queues_for({"first": 1, "second": 1})
    taken = {queue.name: [job.reference for job in store.claim_jobs(NOW, 60, 9, queue.which)] for queue in queues}
    found = {name: jobs for name, jobs in taken.items() if jobs}
    assert found == {
        "bank:first": ["CA1-1"],
        "bank:second": ["CA2-1"],
        "texts": ["CA1-receipt"],
        "left over": ["CA3-1"],
    }


# ---- whose clock it is


@pytest.mark.parametrize("days", [2, -2])
def test_a_charge_begun_by_a_node_whose_clock_is_days_off_is_forwarded_at_once(store: Store, tmp_path: Path, days: int):
    """The forwarder has no clock of its own for this either: the database's decides."""
    begin(store, now=datetime.now(UTC) + timedelta(days=days))
    store.queue_sms("CA1-receipt", "+15550100", "Paid.", datetime.now(UTC) + timedelta(days=days))
    sent: list[TextMessage] = []
    forwarder = Forwarder(store, {"acme_bank": bank_in(tmp_path)}, sent.append)
    assert forwarder.due is None
    assert [forwarder.run_once() for _ in range(3)] == [True, True, False]
    assert statuses(store, "CA", 2) == {"approved"}
    assert len(sent) == 1


def test_what_was_put_off_by_the_databases_clock_waits_and_what_was_leased_is_nobody_elses(store: Store):
    begin(store)
    job = store.claim(None, 60)
    assert job is not None
    assert store.claim(None, 60) is None
    assert store.postpone(job, 3600)
    assert store.claim(None, 60) is None
    assert store.claim(datetime.now(UTC) + timedelta(hours=2), 60) is not None


def test_a_job_put_off_while_the_databases_own_clock_was_wrong_is_pulled_in(store: Store):
    begin(store, "CA1-1", caller="1")
    begin(store, "CA2-1", caller="2", card="2")
    begin(store, "CA3-1", caller="3", card="3")
    wrong = NOW + timedelta(days=2)
    put_off, leased, rightly_put_off = (store.claim(wrong if n < 2 else NOW, 60) for n in range(3))
    assert put_off is not None
    assert rightly_put_off is not None
    store.postpone(put_off, 5, wrong)
    store.postpone(rightly_put_off, 300, NOW)
    assert store.claim(NOW + timedelta(minutes=1), 60) is None
    assert store.pull_in(3600, 60, NOW) == 2
    assert {job.reference for job in store.claim_jobs(NOW, 60, 9)} == {"CA1-1", "CA2-1"}
    assert leased is not None
    assert store.mark_sent(leased) is None  # its lease has gone to another


def test_a_promised_result_is_due_as_soon_as_the_payment_is_final(store: Store, tmp_path: Path):
    """Not when its next pause is over: an outage of hours has made that long."""
    till = Till(store, bank_in(tmp_path))
    till.charge()
    job = store.claim_jobs(till.clock(), 60, 1, Which(bank_queue("acme_bank")))[0]
    with store._database.money() as connection:
        add_job(connection, "result", "CA1-1", TEXTS)
    result = store.claim_jobs(till.clock(), 60, 1, Which(TEXTS))[0]
    store.postpone(result, 300, till.clock())
    assert store.claim_jobs(till.clock(), 60, 1, Which(TEXTS)) == []
    till.forwarder().do(job)
    assert [one.kind for one in store.claim_jobs(till.clock(), 60, 1, Which(TEXTS))] == ["result"]
