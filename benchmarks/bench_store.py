"""What a call costs the store, and how many charges a forwarder takes to the bank in a second, beside bare sqlite3."""

import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog

from ivr.bank import AuthorizationRequest, BankAnswer
from ivr.bank.tonetill import PROMISES
from ivr.core.call import Call
from ivr.core.money import Money
from ivr.forwarder.process import Forwarder
from ivr.forwarder.worker_pool import WORKERS, WorkerPool, queues_for
from ivr.store import AttemptLimits, Job, Limit, PaymentIntent, SealedField, Store, migrate, open_store

NOW = datetime.now(UTC)
FIELDS = ("card_number", "expiry", "security_code", "postal_code")
LAPS, CALLS, CHARGES = 3, 1500, 300


class InstantBank:
    """Answers at once: what is measured is ours."""

    promises = PROMISES

    def authorize(self, request: AuthorizationRequest) -> BankAnswer:
        return BankAnswer("approved", request.reference, "00", "123456")

    def inquire(self, reference: str) -> BankAnswer:
        raise NotImplementedError

    reverse = inquire


class Until:
    """A forwarder that stops its pool after so many jobs."""

    def __init__(self, forwarder: Forwarder, jobs: int, stop: threading.Event) -> None:
        self.forwarder, self.left, self.stop, self.lock = forwarder, jobs, stop, threading.Lock()
        self.store, self.now, self.lease_s = forwarder.store, forwarder.now, forwarder.lease_s
        self.due = forwarder.due

    def do(self, job: Job) -> None:
        self.forwarder.do(job)
        with self.lock:
            self.left -= 1
        if not self.left:
            self.stop.set()


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory() as folder:
        urls = [f"sqlite:///{folder}/store.db", *filter(None, [os.environ.get("BENCH_POSTGRESQL")])]
        for url in urls:
            migrate(url)
            measure(url.partition(":")[0], open_store(url), Path(folder))


def measure(name: str, store: Store, folder: Path) -> None:
    call = Call(f"CA{time.time_ns():032x}", "pay-a-bill", "+15550100", "+15550199", "twilio", "en-US",
                values={"account_number": "12345678", "bill.due": Money(4250), "brand": "visa"})  # fmt: skip
    store.save_call(call, 0, NOW)
    bare = bare_sqlite(folder)
    for _ in range(LAPS):
        ours, ours_wall = cost(lambda: load_and_save(store, call.id), CALLS)
        theirs, _ = cost(bare, CALLS)
        print(
            f"{name:12} load+save {ours:5.0f} us CPU, {ours_wall:5.0f} us wall; bare sqlite3 {theirs:4.0f} us CPU: {ours / theirs:.1f}x"
        )
    for lap in range(LAPS):
        begun = begin(store, f"{time.time_ns()}-{lap}")
        drained, cpu = drain(store)
        synced = syncs_per_second(folder)
        print(f"{name:12} begin {begun:5.0f}/s (4 fields each); drain {drained:4.0f} charges/s, {cpu:5.0f} us CPU each; "
              f"the disk syncs {synced:.0f}/s")  # fmt: skip
    store.close()


def load_and_save(store: Store, call_id: str) -> None:
    stored = store.load_call(call_id)
    assert stored is not None
    store.save_call(stored.call, stored.version, NOW, answer="x" * 400)


def bare_sqlite(folder: Path) -> Callable[[], None]:
    """The same two statements with nothing around them, in a file of their own."""
    shutil.rmtree(folder / "bare", ignore_errors=True)
    (folder / "bare").mkdir()
    connection = sqlite3.connect(folder / "bare" / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE call (id TEXT PRIMARY KEY, version INTEGER, state TEXT, answer TEXT)")
    connection.execute("INSERT INTO call VALUES ('CA1', 1, ?, '')", ("x" * 500,))

    def run() -> None:
        _, state, version = connection.execute("SELECT id, state, version FROM call WHERE id = 'CA1'").fetchone()
        connection.execute(
            "UPDATE call SET version = version + 1, state = ?, answer = ? WHERE id = 'CA1' AND version = ?",
            (state, "x" * 400, version),
        )

    return run


def begin(store: Store, lap: str) -> float:
    started = time.perf_counter()
    limits = AttemptLimits(3, Limit(5, 3600), Limit(3, 86400), Limit(6, 86400), Limit(60, 3600))
    for number in range(CHARGES):
        reference = f"CA{lap}{number}-1"
        for field in FIELDS:
            fingerprint = reference if field == "card_number" else None
            store.stage_sealed(SealedField(reference, field, "eyJ" + os.urandom(400).hex(), fingerprint), NOW)
        intent = PaymentIntent(
            reference, "m", reference[:-2], "b", Money(100), "12345678", "visa 1111", reference, line="rent 1555"
        )
        store.begin_payment(intent, limits, NOW)
    return CHARGES / (time.perf_counter() - started)


def drain(store: Store) -> tuple[float, float]:
    stop = threading.Event()
    forwarder = Forwarder(store, {"b": InstantBank()}, lambda message: None)
    started, cpu = time.perf_counter(), time.process_time()
    WorkerPool(Until(forwarder, CHARGES, stop), queues_for({"b": WORKERS})).run(stop)
    return CHARGES / (time.perf_counter() - started), (time.process_time() - cpu) / CHARGES * 1e6


def syncs_per_second(folder: Path) -> float:
    """What the disk gives at that moment: two of these are what a charge needs at least."""
    with (folder / "sync").open("wb") as file:
        started = time.perf_counter()
        for _ in range(100):
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
        return 100 / (time.perf_counter() - started)


def cost(run: Callable[[], None], times: int) -> tuple[float, float]:
    """Microseconds a run: CPU of this thread, and wall."""
    cpu, wall = time.thread_time(), time.perf_counter()
    for _ in range(times):
        run()
    return (time.thread_time() - cpu) / times * 1e6, (time.perf_counter() - wall) / times * 1e6


if __name__ == "__main__":
    main()
