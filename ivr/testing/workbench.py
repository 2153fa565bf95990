"""Everything a simulated call needs, in this process: a store in memory, a vault, the forwarder's turns and a clock."""

import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ivr.bank import Bank
from ivr.calls import Runner
from ivr.calls.assembly import MakeVaults, vaults_for
from ivr.calls.billing import Billing, Bills
from ivr.calls.pay_links import DEVELOPMENT_ADDRESS, PayLinks
from ivr.calls.payments import Payments
from ivr.calls.results import result_subject, result_words
from ivr.calls.texting import keep_text
from ivr.channels.simulator import Clock, LocalLine
from ivr.flow.compiled import Flow
from ivr.forwarder.notices import Notices
from ivr.forwarder.process import Forwarder
from ivr.store import Store, memory_store
from ivr.words.phrases import Prompts


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
    vaults: MakeVaults = vaults_for,
) -> Workbench:
    """`others`: further flows that can be rung, by name; every bank that a flow names is the one given."""
    clock = clock or Clock()
    store = store or memory_store()
    if accounts is not None:
        store.seed_bills(accounts)
    bills, notices = billing(store)
    flows: Mapping[str, Flow] = {**(others or {}), flow.name: flow}
    names = {one.bank or "none" for one in flows.values()}
    secret = secrets.token_bytes(32)
    sealing = vaults(dict.fromkeys(names, sealing_key), secret)
    links = PayLinks(DEVELOPMENT_ADDRESS, secret, "simulated", timedelta(hours=72))
    payments = Payments(store, sealing, "simulated", secret, prompts.words, links=links)
    banks = dict.fromkeys(names, bank)
    result = result_words(lambda _version: prompts)
    subject = result_subject(lambda _version: prompts)
    forwarder = Forwarder(
        store, banks, keep_text, now=clock, write_result=result, write_subject=subject, notices=notices
    )
    return Workbench(flow, prompts, store, Runner(flows, payments, bills), forwarder, clock)
