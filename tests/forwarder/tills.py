"""A store, a bank with books of its own, a clock moved by hand and forwarders between them; and the comparison of all books."""

from dataclasses import dataclass, field
from pathlib import Path

from ivr.channels.simulator import Clock
from ivr.forwarder.process import Forwarder
from ivr.store import FINAL, AttemptLimits, Status, Store
from tests.forwarder.paper_bank import PaperBank
from tests.store.payments import NOW, begin

LEASE_S = 60.0
MOST_ROUNDS = 400
# Each status, and the ledger entries that may have led to it.
STORIES: dict[str, set[tuple[str, ...]]] = {
    "approved": {("requested", "approved"), ("requested", "unknown", "approved")},
    "declined": {("requested", "declined"), ("requested", "unknown", "declined")},
    "reversed": {("requested", "unknown", "undo_asked", "reversed")},
    "not_sent": {("requested", "not_sent")},
}


@dataclass
class Till:
    store: Store
    bank: PaperBank
    clock: Clock = field(default_factory=lambda: Clock(NOW))
    begun: dict[str, int] = field(default_factory=dict)

    def forwarder(self, store: Store | None = None) -> Forwarder:
        return Forwarder(
            store or self.store,
            {"acme_bank": self.bank},
            lambda message: None,
            now=self.clock,
            lease_s=LEASE_S,
            write_result=lambda call, payment: f"Your payment: {payment.status}",
            pause=lambda seconds: None,
        )

    def charge(self, reference: str = "CA1-1", minor: int = 4250) -> str:
        self.begun[reference] = minor
        begin(
            self.store,
            reference,
            minor=minor,
            caller=reference,
            card=reference,
            limits=AttemptLimits(),
            now=self.clock(),
        )
        return reference

    def work(self) -> None:
        """Whatever is due now."""
        forwarder = self.forwarder()
        for _ in range(MOST_ROUNDS):
            if not forwarder.run_once():
                return
        raise AssertionError("the forwarder finds no end")

    def settle(self) -> None:
        """Until there is nothing left to do, however long that takes."""
        for _ in range(MOST_ROUNDS):
            self.work()
            if not any(self.store.outbox_depth().values()):
                return
            self.clock.advance(LEASE_S + 1)
        raise AssertionError(f"never settled: {self.store.outbox_depth()}")

    def status(self, reference: str = "CA1-1") -> Status:
        payment = self.store.payment(reference)
        assert payment is not None
        return payment.status

    def agrees_so_far(self) -> None:
        """At any moment: nothing was sent twice, and what we call final is what the bank's books say, now and for ever."""
        assert self.bank.sent_more_than_once() == []
        assert self.bank.sent_without_card() == []
        charged = self.bank.charged()
        for reference, minor in self.begun.items():
            status = self.status(reference)
            if status == "approved":
                assert charged.get(reference) == minor, f"{reference}: approved here, not charged there"
            elif status in FINAL:
                assert reference not in charged, f"{reference}: {status} here, charged there"
            if status in FINAL:
                assert tuple(self.store.entries(reference)) in STORIES[status]

    def agrees(self) -> None:
        """When all is settled and everything late has arrived: every payment is final, every cent is in both books."""
        self.settle()
        while self.bank.deliver():
            self.settle()
        self.agrees_so_far()
        assert all(self.status(reference) in FINAL for reference in self.begun)
        approved = {
            reference: self.begun[reference] for reference in self.begun if self.status(reference) == "approved"
        }
        assert approved == self.bank.charged()
        assert self.store.drop_unsent_cards(self.clock()) == 0


def bank_in(folder: Path) -> PaperBank:
    return PaperBank(folder / "bank-books.db")
