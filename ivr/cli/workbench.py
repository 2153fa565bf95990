"""Everything a simulated call needs, in this process: a store in memory, a vault, and the bank simulator's own rules."""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ivr.bank import Bank
from ivr.channels.simulator import Clock, LocalLine
from ivr.core.compiler import Flow
from ivr.core.phrases import Prompts
from ivr.runner import Runner
from ivr.runner.assembly import load_flow
from ivr.runner.billing import Bills
from ivr.runner.forwarder import Forwarder
from ivr.runner.payments import Payments, bank_of
from ivr.runner.texting import keep_text
from ivr.settings import ROOT
from ivr.store import Store, memory_store
from ivr.vault import Vault


@dataclass(frozen=True)
class Workbench:
    """`forwarder` has no thread of its own: a simulated call gives it its turns."""

    flow: Flow
    prompts: Prompts
    store: Store
    runner: Runner
    forwarder: Forwarder
    clock: Clock

    def dial(self, flow: str, ani: str) -> LocalLine:
        line = LocalLine(self.runner, self.store, self.prompts.words, self.clock, self.work)
        return line.dial(f"SIM{uuid.uuid4().hex}", flow, ani=ani)

    def work(self) -> None:
        """The forwarder does what is due."""
        for _ in range(50):
            if not self.forwarder.run_once():
                return


def build_workbench(flow: Flow, prompts: Prompts, sealing_key: Path, bank: Bank, accounts: Path) -> Workbench:
    clock = Clock()
    store = memory_store()
    store.seed_bills(accounts)
    name = bank_of(flow)
    secret = secrets.token_bytes(32)
    payments = Payments(store, {name: Vault(sealing_key, secret)}, "simulated", secret, prompts.words)
    flows: Mapping[str, Flow] = {flow.name: flow}
    forwarder = Forwarder(store, {name: bank}, keep_text, now=clock)
    return Workbench(flow, prompts, store, Runner(flows, payments, Bills(store)), forwarder, clock)


def workbench(file: Path) -> Workbench:
    """For `simulate` without a server: the bank simulator's own rules answer, in this process."""
    from ivr.bank.simulator import in_process_bank

    flow, prompts = load_flow(file)
    key, bank = in_process_bank()
    return build_workbench(flow, prompts, key, bank, ROOT / "config" / "accounts.csv")
