"""The primary of a streaming PostgreSQL pair is killed -9 while charges are made: what is lost, what is doubled, how long.

Real servers, real streaming, two forwarders, a bank whose books are a file. Once with commits that wait for the
standby (`synchronous_standby_names`), once without: then a charge may be in the bank's books and in nobody's ledger.
"""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError

from benchmarks.postgresql_pair import INSTALL, is_installed, pair, reachable_folder
from ivr.bank import AuthorizationRequest, BankAnswer
from ivr.forwarder.process import Forwarder
from ivr.forwarder.worker_pool import WorkerPool, queues_for, threads_of
from ivr.store import FINAL, Accepted, AlreadyBegun, StaleCall, Store, migrate, open_store
from tests.forwarder.paper_bank import PaperBank
from tests.patience import PATIENCE_S
from tests.store.payments import begin

CALLERS, FORWARDERS = 3, 2
LEASE_S = 2.0
BEHIND_S = 0.5  # how far the standby is behind when the primary dies: a link of some megabits under load
UNREACHABLE = (DBAPIError, psycopg.Error)  # of the library, and of the driver where statements go straight to it


def system_time() -> datetime:
    return datetime.now(UTC)


@dataclass
class Outcome:
    """`lost`: told to a caller as accepted, and not in the ledger. `unbooked`: in the bank's books, not approved in ours.

    `still_s`: from the kill to the next charge that was begun.
    """

    begun: int = 0
    refused_meanwhile: int = 0
    lost: list[str] = field(default_factory=list)
    unbooked: list[str] = field(default_factory=list)
    uncharged: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    still_s: float = 0.0


class MostlyAnswering(PaperBank):
    """Every fifth answer does not come, though it has charged."""

    asked = itertools.count(1)

    def authorize(self, request: AuthorizationRequest) -> BankAnswer:
        answer = super().authorize(request)
        return BankAnswer("unknown", request.reference) if next(self.asked) % 5 == 0 else answer


@dataclass
class Callers:
    """Each begins one charge after the other, and asks again under the same reference when there is no answer."""

    store: Store
    told: dict[str, float] = field(default_factory=dict)
    refused: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def call(self, name: int) -> None:
        for number in itertools.count():
            if self.stopping.is_set():
                return
            self.begin(f"CA{name}x{number}-1")

    def begin(self, reference: str) -> None:
        while not self.stopping.is_set():
            try:
                told = begin(self.store, reference, caller=reference, card=reference, now=system_time())
            except UNREACHABLE:
                self.refused += 1
                time.sleep(0.05)  # as a person who is told to try again, only sooner
                continue
            except StaleCall:  # its charge was begun, and the answer that said so was lost
                self.told[reference] = time.monotonic()
                return
            if isinstance(told, Accepted | AlreadyBegun):
                self.told[reference] = time.monotonic()
            return


@contextmanager
def forwarders(url: str, bank: PaperBank) -> Iterator[None]:
    queues = queues_for({"acme_bank": 2})
    stop = threading.Event()
    with ExitStack() as stack:
        running = []
        for _ in range(FORWARDERS):
            store = open_store(url, threads_of(queues))
            stack.callback(store.close)
            forwarder = Forwarder(store, {"acme_bank": bank}, lambda message: None, lease_s=LEASE_S)
            running.append(threading.Thread(target=WorkerPool(forwarder, queues).run, args=(stop,)))
            running[-1].start()
        try:
            yield
        finally:
            stop.set()
            for thread in running:
                thread.join()


def fail_over(folder: Path, *, synchronous: bool, charges: int) -> Outcome:
    """`charges` are begun, then the primary dies under load, then as many more are begun; all are then brought to an end."""
    with pair(folder, synchronous=synchronous) as servers:
        migrate(servers.url)
        store = open_store(servers.url)
        callers = Callers(store)
        bank = MostlyAnswering(folder / "bank-books.db")
        threads = [threading.Thread(target=callers.call, args=(name,)) for name in range(CALLERS)]
        with forwarders(servers.url, bank):
            for thread in threads:
                thread.start()
            until(lambda: len(callers.told) >= charges)
            killed_at = servers.fail_over(BEHIND_S)
            until(lambda: len(callers.told) >= 2 * charges)
            callers.stopping.set()
            for thread in threads:
                thread.join()
            until(lambda: not any(depth for depth in depths(store).values()))
        still_s = min(at for at in callers.told.values() if at > killed_at) - killed_at
        outcome = judge(store, bank, callers)
        outcome.still_s = still_s
        store.close()
        return outcome


def judge(store: Store, bank: PaperBank, callers: Callers) -> Outcome:
    charged = bank.charged()
    outcome = Outcome(len(callers.told), callers.refused)
    for reference in callers.told:
        payment = store.payment(reference)
        if payment is None:
            outcome.lost.append(reference)
        elif payment.status not in FINAL:
            outcome.uncharged.append(f"{reference} {payment.status}")
        elif payment.status == "approved" and reference not in charged:
            outcome.uncharged.append(reference)
    for reference in charged:
        payment = store.payment(reference)
        if payment is None or payment.status != "approved":
            outcome.unbooked.append(reference)
    outcome.doubled = bank.sent_more_than_once()
    return outcome


def depths(store: Store) -> dict[str, int]:
    try:
        return store.outbox_depth()
    except UNREACHABLE:
        return {"not known": 1}


def until(happened) -> None:
    due = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < due, "it did not happen"
        time.sleep(0.02)


def main() -> None:
    if not is_installed():
        raise SystemExit(f"PostgreSQL is not installed: {INSTALL}")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    print("commits wait for   begun  asked again   lost  at the bank only  not charged  doubled   still")
    for synchronous in (True, False):
        with reachable_folder() as folder:
            told = fail_over(folder, synchronous=synchronous, charges=500)
        print(
            f"{'the standby' if synchronous else 'the primary':17} {told.begun:6} {told.refused_meanwhile:12}"
            f" {len(told.lost):6} {len(told.unbooked):17} {len(told.uncharged):12} {len(told.doubled):8} {told.still_s:6.1f} s"
        )


if __name__ == "__main__":
    main()
