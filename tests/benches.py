"""What a test of whole calls stands on: the product's own parts in one process, with a scripted bank at the boundary."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ivr.channels.simulator import Line, LocalLine, World
from ivr.cli.workbench import Workbench, build_workbench
from ivr.runner.assembly import load_flow
from ivr.store import Store
from tests.scripted_bank import ScriptedBank

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Bench:
    workbench: Workbench
    bank: ScriptedBank
    line: LocalLine | None = None

    def dial(self, flow: str, ani: str) -> Line:
        self.line = self.workbench.dial(flow, ani)
        return self.line

    def world(self) -> World:
        return World(self.dial, self.tell_bank, self.ended, self.payments, self.texts)

    def tell_bank(self, behaviour: str) -> None:
        self.bank.behaviour = behaviour
        if self.ended() != "None":
            # The caller has gone: nobody waits, so let every pause between inquiries, and before a text, pass.
            for _ in range(3):
                self.workbench.clock.advance(600)
                self.workbench.work()
        self.workbench.work()

    def ended(self) -> str:
        assert self.line is not None
        stored = self.workbench.store.load_call(self.line.call_id)
        assert stored is not None
        return str(stored.call.outcome)

    def payments(self) -> Sequence[str]:
        assert self.line is not None
        return [payment.status for payment in self.workbench.store.payments_of(self.line.call_id)]

    def texts(self) -> Sequence[str]:
        assert self.line is not None
        return [text.id.rpartition("-")[2] for text in self.workbench.store.texts_of(self.line.call_id)]

    def money_agrees(self) -> None:
        """The bank's books and ours say the same, and nothing was sent twice."""
        assert self.line is not None
        ours = {
            payment.intent.reference: payment.intent.amount.minor
            for payment in self.workbench.store.payments_of(self.line.call_id)
            if payment.status == "approved"
        }
        in_doubt = {
            p.intent.reference for p in self.workbench.store.payments_of(self.line.call_id) if p.status == "unknown"
        }
        assert ours == {reference: minor for reference, minor in self.bank.charged.items() if reference not in in_doubt}
        if self.bank.behaviour != "is unreachable":
            assert all(count == 1 for count in self.bank.requests.values())


def make_bench(sealing_key: Path, flow: Path = ROOT / "flows" / "pay-a-bill.yaml", store: Store | None = None) -> Bench:
    bank = ScriptedBank()
    compiled, prompts = load_flow(flow)
    return Bench(
        build_workbench(compiled, prompts, sealing_key, bank, ROOT / "config" / "accounts.csv", store=store), bank
    )
