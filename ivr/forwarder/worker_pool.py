"""Threads around one forwarder: each bank has workers of its own, and so have texts; what a job means is not known here."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

import structlog

from ivr.calls.retention import due_before
from ivr.logs import fault_name
from ivr.store import ANY, EMAILS, MERCHANT_NOTICES, NOTICES, TEXTS, Job, KeptKind, Store, Which, bank_queue

log = structlog.get_logger()
WORKERS = 16
OTHER_WORKERS = {TEXTS: 4, EMAILS: 4, NOTICES: 4, MERCHANT_NOTICES: 4}
SHORTEST_IDLE_S, LONGEST_IDLE_S = 0.02, 0.2  # how soon a new job is seen: at once when busy, at most this late
UNHURRIED_IDLE_S = 1.0  # where no caller is on the line
HOUSEKEEPING_S = 60.0
AWAKE_S = 0.5
UNSENT_CARD_LIFE_S = 3600.0  # sealed fields of an attempt that was never charged live no longer
# Where nothing else is said: a call's turns are for people who follow it up.
KEPT_DAYS: Mapping[KeptKind, int] = {"turns": 7}
OLD_EVERY_S = 3600.0  # looking for what is old reads much of it
MOST_ROUNDS = 20  # of a hundred rows of each kind; the rest is for the next time
LONGEST_PUT_OFF_S = 3600.0  # longer than any pause between two tries, of whatever job


class PooledForwarder(Protocol):
    """What a pool needs of a forwarder. `due`: the time that decides what is due; None for the database's own."""

    @property
    def store(self) -> Store: ...

    @property
    def now(self) -> Callable[[], datetime]: ...

    @property
    def due(self) -> datetime | None: ...

    @property
    def lease_s(self) -> float: ...

    def do(self, job: Job) -> None: ...


@dataclass(frozen=True)
class Queue:
    """Jobs that share workers, and hold up each other and nobody else."""

    name: str
    which: Which = ANY
    workers: int = WORKERS
    longest_idle_s: float = LONGEST_IDLE_S


EVERYTHING = (Queue("everything"),)


def queues_for(connections: Mapping[str, int]) -> tuple[Queue, ...]:
    """One for each bank, with as many workers as it allows connections; texts; e-mails; notices; and whatever is left over.

    Left over is what was queued for a bank that `banks.yaml` no longer names: its callers are told that nothing was sent.
    """
    banks = [Queue(bank_queue(name), Which(bank_queue(name)), most) for name, most in connections.items()]
    others = [Queue(name, Which(name), most, UNHURRIED_IDLE_S) for name, most in OTHER_WORKERS.items()]
    named = tuple(queue.name for queue in (*banks, *others))
    return (*banks, *others, Queue("left over", Which(others_than=named), 1, UNHURRIED_IDLE_S))


def threads_of(queues: Sequence[Queue]) -> int:
    """Each worker and each dispatcher needs a connection to the database, and so do housekeeping, the watch for new jobs and
    the one for published flows."""
    return sum(queue.workers + 1 for queue in queues) + 3


def wait_awake(stop: threading.Event, seconds: float) -> None:
    """In the main thread, which alone runs what a signal asks for. The kernel may deliver one to any thread, and then this
    one hears of it at its next wait: the keys of a SIGHUP, and a SIGTERM, must not wait for a minute."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and not stop.wait(min(left, AWAKE_S)):
        pass


class WorkerPool:
    """A dispatcher for each queue leases as many jobs as it has free workers, so no leased job waits for one.

    `sweep` ends calls that nobody ended, once each housekeeping; `look_at_keys` sees what is about to end; `raise_alerts` what is
    wrong with the line. `kept_days`: how long each kind of data is kept; 0 for ever.
    """

    def __init__(
        self,
        forwarder: PooledForwarder,
        queues: Sequence[Queue] = EVERYTHING,
        sweep: Callable[[], object] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
        look_at_keys: Callable[[], object] = lambda: None,
        raise_alerts: Callable[[], object] = lambda: None,
        kept_days: Mapping[KeptKind, int] = KEPT_DAYS,
    ) -> None:
        self._forwarder = forwarder
        self._look_at_keys, self._raise_alerts = look_at_keys, raise_alerts
        self._sweep = sweep
        self._queues = queues
        self._monotonic = monotonic
        self._kept_days, self._old_due_s = kept_days, 0.0

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; what is under way is finished first."""
        dispatchers = [Dispatcher(self._forwarder, queue, stop) for queue in self._queues]
        store = self._forwarder.store
        threads = [*dispatchers, threading.Thread(target=store.watch_jobs, args=(stop, waking(dispatchers)))]
        for thread in threads:
            thread.start()
        while not stop.is_set():
            self.keep_house()
            wait_awake(stop, HOUSEKEEPING_S)
        for dispatcher in dispatchers:
            dispatcher.wake()
        for thread in threads:
            thread.join()

    def keep_house(self) -> None:
        """What is nobody's job; none of it keeps the rest from being done."""
        works = (self._drop_unsent_cards, self._pull_in, self._sweep, self._look_at_keys, self._drop_old)
        for work in (*works, self._raise_alerts):
            try:
                work()
            except Exception as error:
                log.error("cannot keep house", reason=fault_name(error))

    def _drop_unsent_cards(self) -> None:
        store = self._forwarder.store
        store.wipe_log()
        dropped = store.drop_unsent_cards(self._forwarder.now() - timedelta(seconds=UNSENT_CARD_LIFE_S))
        if dropped:
            log.info("dropped sealed fields of abandoned calls", fields=dropped)

    def _drop_old(self) -> None:
        if (now_s := self._monotonic()) < self._old_due_s:
            return
        self._old_due_s = now_s + OLD_EVERY_S
        for kind, days in self._kept_days.items():
            if before := due_before(days, self._forwarder.now()):
                self._drop_old_of(kind, before)

    def _drop_old_of(self, kind: KeptKind, before: datetime) -> None:
        """A kind that cannot be deleted does not keep the others."""
        try:
            rounds = iter(lambda: self._forwarder.store.drop_old(kind, before), 0)
            rows = sum(islice(rounds, MOST_ROUNDS))
        except Exception as error:
            log.error("cannot delete what is old", kind=kind, reason=fault_name(error))
        else:
            if rows:
                log.info("deleted what is old", kind=kind, rows=rows)

    def _pull_in(self) -> None:
        pulled_in = self._forwarder.store.pull_in(LONGEST_PUT_OFF_S, self._forwarder.lease_s, self._forwarder.due)
        if pulled_in:
            log.warning("jobs were due too far ahead: the database's clock has been wrong", jobs=pulled_in)


def waking(dispatchers: "Sequence[Dispatcher]") -> Callable[[str], object]:
    """Wakes whoever leases the jobs of a queue; one whom nobody wakes looks by itself."""

    def wake(queue: str) -> None:
        for one in dispatchers:
            if one.queue.which.has(queue):
                one.wake()

    return wake


@dataclass(frozen=True)
class QueueJobs:
    """Leases the jobs of one queue and does them; no fault of either stops whoever calls."""

    forwarder: PooledForwarder
    queue: Queue

    def lease(self, most: int) -> Sequence[Job]:
        forwarder = self.forwarder
        try:
            return forwarder.store.claim_jobs(forwarder.due, forwarder.lease_s, most, self.queue.which)
        except Exception as error:
            log.error("cannot read the outbox", queue=self.queue.name, reason=fault_name(error))
            return ()

    def do(self, job: Job) -> None:
        try:
            self.forwarder.do(job)
        except Exception as error:
            # The lease runs out and the job is taken up again; if it had been marked sent, by an inquiry.
            log.error("job failed", job=job.id, kind=job.kind, reason=fault_name(error))


class Dispatcher(threading.Thread):
    def __init__(self, forwarder: PooledForwarder, queue: Queue, stop: threading.Event) -> None:
        super().__init__(name=f"dispatcher {queue.name}")
        self._jobs, self.queue, self._stop_asked = QueueJobs(forwarder, queue), queue, stop
        self._free = threading.Semaphore(queue.workers)
        self._woken = threading.Event()

    def wake(self) -> None:
        """There may be a job: it looks now."""
        self._woken.set()

    def run(self) -> None:
        idle_s = SHORTEST_IDLE_S
        with ThreadPoolExecutor(self.queue.workers, thread_name_prefix=self.queue.name) as pool:
            while not self._stop_asked.is_set():
                free = self._take_free_workers()
                jobs = self._jobs.lease(free) if free and not self._stop_asked.is_set() else ()
                for job in jobs:
                    pool.submit(self._do, job)
                for _ in range(free - len(jobs)):
                    self._free.release()
                idle_s = SHORTEST_IDLE_S if jobs else min(idle_s * 2, self.queue.longest_idle_s)
                if free and not jobs:
                    self._woken.wait(idle_s)
                    self._woken.clear()

    def _take_free_workers(self) -> int:
        """Waits a moment for the first one."""
        if not self._free.acquire(timeout=LONGEST_IDLE_S):
            return 0
        taken = 1
        while taken < self.queue.workers and self._free.acquire(blocking=False):
            taken += 1
        return taken

    def _do(self, job: Job) -> None:
        try:
            self._jobs.do(job)
        finally:
            self._free.release()
