"""Everything a simulated call needs, in this process: a store in memory, a vault, the forwarder's turns and a clock."""

import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ivr.bank import Bank
from ivr.channels.simulator import Clock, LocalLine
from ivr.core.compiler import Flow
from ivr.core.phrases import Prompts
from ivr.runner import Runner
from ivr.runner.billing import Billing, Bills
from ivr.runner.forwarder import Forwarder
from ivr.runner.forwarder_results import result_words
from ivr.runner.notices import Notices
from ivr.runner.payments import Payments, bank_of
from ivr.runner.texting import keep_text
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

    def dial(self, flow: str, ani: str, kind: type[LocalLine] = LocalLine) -> LocalLine:
        line = kind(self.runner, self.store, self.prompts.words, self.clock, self.work)
        return line.dial(f"SIM{uuid.uuid4().hex}", flow, ani=ani)

    def work(self) -> None:
        """The forwarder does what is due."""
        for _ in range(50):
            if not self.forwarder.run_once():
                return


def build_workbench(
    flow: Flow,
    prompts: Prompts,
    sealing_key: Path,
    bank: Bank,
    accounts: Path | None,
    clock: Clock | None = None,
    store: Store | None = None,
    others: Mapping[str, Flow] | None = None,
    billing: Callable[[Store], tuple[Billing, Notices | None]] = lambda store: (Bills(store), None),
    vault: type[Vault] = Vault,
) -> Workbench:
    """`others`: further flows that can be rung, by name; every bank that a flow names is the one given."""
    clock = clock or Clock()
    store = store or memory_store()
    if accounts is not None:
        store.seed_bills(accounts)
    bills, notices = billing(store)
    flows: Mapping[str, Flow] = {**(others or {}), flow.name: flow}
    names = {bank_of(one) or "none" for one in flows.values()}
    secret = secrets.token_bytes(32)
    vaults = {name: vault(sealing_key, secret) for name in names}
    payments = Payments(store, vaults, "simulated", secret, prompts.words)
    banks = dict.fromkeys(names, bank)
    forwarder = Forwarder(store, banks, keep_text, now=clock, write_result=result_words(prompts), notices=notices)
    return Workbench(flow, prompts, store, Runner(flows, payments, bills), forwarder, clock)
