"""Threads around one forwarder, so that a slow bank holds up only its own charges; what a job means is not known here."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from ivr.store import Job, Store

log = structlog.get_logger()
HANDS = 16
SHORTEST_IDLE_S, LONGEST_IDLE_S = 0.02, 0.2  # how soon a new job is seen: at once when busy, at most this late
HOUSEKEEPING_S = 60.0
UNSENT_CARD_LIFE_S = 3600.0  # sealed fields of an attempt that was never charged live no longer


class Worker(Protocol):
    """What a crew needs of a forwarder."""

    @property
    def store(self) -> Store: ...

    @property
    def now(self) -> Callable[[], datetime]: ...

    @property
    def lease_s(self) -> float: ...

    def do(self, job: Job) -> None: ...


class Crew:
    """One dispatcher leases as many jobs as there are free hands, so no leased job waits for a hand.

    `sweep` ends calls that nobody ended, once each housekeeping.
    """

    def __init__(self, forwarder: Worker, hands: int = HANDS, sweep: Callable[[], object] = lambda: None) -> None:
        self._forwarder = forwarder
        self._sweep = sweep
        self._hands = hands
        self._free = threading.Semaphore(hands)
        self._next_housekeeping = 0.0

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; what is under way is finished first."""
        idle_s = SHORTEST_IDLE_S
        with ThreadPoolExecutor(self._hands, thread_name_prefix="forwarder") as pool:
            while not stop.is_set():
                self._keep_house()
                free = self._take_free_hands()
                jobs = self._lease(free) if free and not stop.is_set() else ()
                for job in jobs:
                    pool.submit(self._do, job)
                for _ in range(free - len(jobs)):
                    self._free.release()
                idle_s = SHORTEST_IDLE_S if jobs else min(idle_s * 2, LONGEST_IDLE_S)
                if free and not jobs:
                    stop.wait(idle_s)

    def _take_free_hands(self) -> int:
        """Waits a moment for the first one."""
        if not self._free.acquire(timeout=LONGEST_IDLE_S):
            return 0
        taken = 1
        while taken < self._hands and self._free.acquire(blocking=False):
            taken += 1
        return taken

    def _lease(self, most: int) -> Sequence[Job]:
        forwarder = self._forwarder
        try:
            return forwarder.store.claim_jobs(forwarder.now(), forwarder.lease_s, most)
        except Exception as error:
            log.error("cannot read the outbox", reason=type(error).__name__)
            return ()

    def _do(self, job: Job) -> None:
        try:
            self._forwarder.do(job)
        except Exception as error:
            # The lease runs out and the job is taken up again; if it had been marked sent, by an inquiry.
            log.error("job failed", job=job.id, kind=job.kind, reason=type(error).__name__)
        finally:
            self._free.release()

    def _keep_house(self) -> None:
        if time.monotonic() < self._next_housekeeping:
            return
        self._next_housekeeping = time.monotonic() + HOUSEKEEPING_S
        for work in (self._drop_unsent_cards, self._sweep):
            try:
                work()
            except Exception as error:
                log.error("cannot keep house", reason=type(error).__name__)

    def _drop_unsent_cards(self) -> None:
        store = self._forwarder.store
        store.wipe_log()
        dropped = store.drop_unsent_cards(self._forwarder.now() - timedelta(seconds=UNSENT_CARD_LIFE_S))
        if dropped:
            log.info("dropped sealed fields of abandoned calls", fields=dropped)
