"""What a test of whole calls stands on: the product's own parts in one process, with a scripted bank at the boundary."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ivr.channels.simulator import Line, LocalLine, Paid, Texted, World
from ivr.cli.workbench import Workbench, build_workbench
from ivr.core.money import Money
from ivr.runner.assembly import load_flow
from ivr.store import Store
from tests.scripted_bank import ScriptedBank

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "tests" / "flows" / "sample" / "pay-a-bill.yaml"


@dataclass
class Bench:
    """`line` is the call that was dialled last."""

    workbench: Workbench
    bank: ScriptedBank
    line: LocalLine | None = None
    begun: dict[str, datetime] = field(default_factory=dict)

    def dial(self, flow: str, ani: str) -> Line:
        self.line = self.workbench.dial(flow, ani)
        self.begun[self.line.call_id] = self.workbench.clock()
        return self.line

    def world(self) -> World:
        return BenchWorld(self)

    def tell_bank(self, behaviour: str) -> None:
        self.bank.behaviour = behaviour
        if all(self.ended(call) != "open" for call in self.begun):
            # The callers have gone: nobody waits, so let every pause between inquiries, and before a text, pass.
            for _ in range(3):
                self.workbench.clock.advance(600)
                self.workbench.work()
        self.workbench.work()

    def ended(self, call: str) -> str:
        stored = self.workbench.store.load_call(call)
        assert stored is not None
        return stored.call.outcome or "open"

    def payments(self) -> Sequence[str]:
        """The status of each payment of the call dialled last."""
        assert self.line is not None
        return [payment.status for payment in self.workbench.store.payments_of(self.line.call_id)]

    def money_agrees(self) -> None:
        """The bank's books and ours say the same, and nothing was sent twice."""
        payments = [payment for call in self.begun for payment in self.workbench.store.payments_of(call)]
        ours = {p.intent.reference: p.intent.amount.minor for p in payments if p.status == "approved"}
        in_doubt = {p.intent.reference for p in payments if p.status == "unknown"}
        assert ours == {
            reference: money.minor for reference, money in self.bank.charged.items() if reference not in in_doubt
        }
        if self.bank.behaviour != "is unreachable":
            assert all(count == 1 for count in self.bank.requests.values())


@dataclass(frozen=True)
class BenchWorld:
    """What a call file asks of the world, answered by the bench's own store, bank and clock."""

    bench: Bench

    @property
    def flows(self) -> Collection[str]:
        return self.bench.workbench.runner.flows

    @property
    def prompts(self) -> Collection[str]:
        prompts = self.bench.workbench.prompts
        return {name for language in prompts.languages() for name in prompts.names(language)}

    def dial(self, flow: str, ani: str) -> tuple[str, Line]:
        line = self.bench.dial(flow, ani)
        assert self.bench.line is not None
        return self.bench.line.call_id, line

    def bank(self, behaviour: str) -> None:
        self.bench.tell_bank(behaviour)

    def pass_time(self, seconds: float) -> None:
        self.bench.workbench.clock.advance(seconds)
        self.bench.workbench.work()

    def elapsed_s(self, call: str) -> float:
        return (self.bench.workbench.clock() - self.bench.begun[call]).total_seconds()

    def ended(self, call: str) -> str:
        return self.bench.ended(call)

    def payments(self, call: str) -> Sequence[Paid]:
        found = self.bench.workbench.store.payments_of(call)
        return [Paid(payment.status, str(payment.intent.amount)) for payment in found]

    def texts(self, call: str) -> Sequence[Texted]:
        found = self.bench.workbench.store.texts_of(call)
        return [Texted(text.id.rpartition("-")[2], text.body) for text in found]

    def books(self) -> str:
        totals = Counter[str]()
        for money in self.bench.bank.charged.values():
            totals[money.currency] += money.minor
        return ", ".join(str(Money(minor, currency)) for currency, minor in sorted(totals.items())) or "nothing"

    def owes(self, account: str) -> str:
        bill = self.bench.workbench.store.find_bill(account)
        return str(bill.due) if bill else "no such account"


def make_bench(sealing_key: Path, flow: Path = SAMPLE, store: Store | None = None) -> Bench:
    """`flow`: with the prompts beside it."""
    bank, accounts = ScriptedBank(), ROOT / "config" / "accounts.csv"
    compiled, prompts = load_flow(flow)
    return Bench(build_workbench(compiled, prompts, sealing_key, bank, accounts, store=store), bank)
