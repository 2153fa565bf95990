"""What a test of whole calls stands on: the product's own parts in one process, with a scripted bank at the boundary."""

import atexit
import functools
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ivr.calls.assembly import MakeVaults, vaults_for
from ivr.channels.simulator import CallerLine, LocalLine, Owed, Paid, Texted, World
from ivr.core.call import TAKEN_BACK
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.store import Payment, Store
from ivr.testing.bank import ScriptedBank
from ivr.testing.billing import ScriptedBilling
from ivr.testing.workbench import Workbench, build_workbench
from ivr.words.phrases import Prompts


@dataclass
class Bench:
    """`line` is the call that was dialled last; `at_end` is what a channel has to put away after the test. `person`: what
    one does whom a caller is to be connected to, in the words of a call file."""

    workbench: Workbench
    bank: ScriptedBank
    billing: ScriptedBilling
    line: LocalLine | None = None
    person: str = "answers"
    begun: dict[str, datetime] = field(default_factory=dict)
    at_end: list[Callable[[], object]] = field(default_factory=list)

    def close(self) -> None:
        """Calls that occupy something outside of the bench are hung up."""
        while self.at_end:
            self.at_end.pop()()

    def dial(self, flow: str, ani: str) -> CallerLine:
        self.line = self.workbench.dial(flow, ani)
        self.line.is_reached = lambda: self.person == "answers"
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

    def pass_time(self, seconds: float) -> None:
        self.workbench.clock.advance(seconds)
        self.workbench.work()

    def ended(self, call: str) -> str:
        stored = self.workbench.store.load_call(call)
        assert stored is not None
        return stored.call.outcome or "open"

    def payments(self) -> Sequence[str]:
        """The status of each payment of the call dialled last."""
        assert self.line is not None
        return [status_of(payment) for payment in self.workbench.store.payments_of(self.line.call_id)]

    def money_agrees(self) -> None:
        assert not self.disagreement(), self.disagreement()

    def disagreement(self) -> str:
        """Where the bank's books and ours do not say the same, or something was sent twice; "" where all is right."""
        payments = [payment for call in self.begun for payment in self.workbench.store.payments_of(call)]
        in_doubt = {p.intent.reference for p in payments if p.status == "unknown" or p.part == "undoing"}
        ours = {p.intent.reference: p.intent.amount for p in payments if p.is_charged}
        theirs = {reference: money for reference, money in self.bank.charged.items() if reference not in in_doubt}
        if ours != theirs:
            return f"our ledger has {_sums(ours)}, the bank's books have {_sums(theirs)}"
        twice = [reference for reference, count in self.bank.requests.items() if count > 1]
        if twice:
            return f"sent to the bank more than once: {', '.join(twice)}"
        return ""


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

    def dial(self, flow: str, ani: str) -> tuple[str, CallerLine]:
        line = self.bench.dial(flow, ani)
        assert self.bench.line is not None
        return self.bench.line.call_id, line

    def bank(self, behaviour: str) -> None:
        self.bench.tell_bank(behaviour)

    def person(self, behaviour: str) -> None:
        self.bench.person = behaviour

    def now(self) -> datetime:
        return self.bench.workbench.clock()

    def pass_time(self, seconds: float) -> None:
        self.bench.pass_time(seconds)

    def owe(self, owed: Owed) -> None:
        self.bench.billing.owe(owed)

    def elapsed_s(self, call: str) -> float:
        return (self.bench.workbench.clock() - self.bench.begun[call]).total_seconds()

    def ended(self, call: str) -> str:
        return self.bench.ended(call)

    def transferred_to(self, call: str) -> str:
        stored = self.bench.workbench.store.load_call(call)
        assert stored is not None
        return stored.call.transferred_to or "nobody"

    def payments(self, call: str) -> Sequence[Paid]:
        found = self.bench.workbench.store.payments_of(call)
        return [Paid(status_of(payment), str(payment.intent.amount)) for payment in found]

    def texts(self, call: str) -> Sequence[Texted]:
        found = self.bench.workbench.store.texts_of(call)
        return [Texted(text.id.rpartition("-")[2], text.body) for text in found]

    def agreements(self, call: str) -> Sequence[str]:
        return [one.what for one in self.bench.workbench.store.agreements_of(call)]

    def books(self) -> str:
        reserved = self.bench.bank.reserved
        return _sums({one: money for one, money in self.bench.bank.charged.items() if one not in reserved})

    def reserved(self) -> str:
        return _sums(self.bench.bank.reserved)

    def owes(self, account: str) -> str:
        bill = self.bench.workbench.store.find_bill(account)
        return str(bill.due) if bill else "no such account"


def status_of(payment: Payment) -> str:
    """In the words of a call file: of a part that is taken back, how far that has come."""
    return payment.part if payment.part in TAKEN_BACK else payment.status


def _sums(charged: Mapping[str, Money]) -> str:
    totals = Counter[str]()
    for money in charged.values():
        totals[money.currency] += money.minor
    return ", ".join(str(Money(minor, currency)) for currency, minor in sorted(totals.items())) or "nothing"


def build_bench(
    flows: Sequence[Flow],
    prompts: Prompts,
    accounts: Path | None = None,
    *,
    sealing_key: Path | None = None,
    store: Store | None = None,
    vaults: MakeVaults = vaults_for,
) -> Bench:
    """`accounts`: a CSV file of what is owed; every bank that a flow names is the scripted one."""
    bank, billings = ScriptedBank(), list[ScriptedBilling]()

    def billing(store: Store) -> tuple[ScriptedBilling, None]:
        billings.append(ScriptedBilling(store))
        return billings[0], None

    flow, others = flows[0], {one.name: one for one in flows[1:]}
    key = sealing_key or throw_away_key()
    workbench = build_workbench(
        flow, prompts, key, bank, accounts, store=store, others=others, billing=billing, vaults=vaults
    )
    return Bench(workbench, bank, billings[0])


@functools.cache
def throw_away_key() -> Path:
    """A bank's public key whose private half is forgotten at once: what is sealed to it stays sealed."""
    file = Path(tempfile.mkdtemp(prefix="tonetill-")) / "sealing.pem"
    public = rsa.generate_private_key(65537, 2048).public_key()
    file.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    atexit.register(shutil.rmtree, file.parent, ignore_errors=True)
    return file
