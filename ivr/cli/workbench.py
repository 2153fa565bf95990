"""Everything a simulated call needs, in this process: a store in memory, a vault, and the bank simulator's own rules."""

import os
import secrets
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ivr.bank import Bank, HttpsBank, load_banks
from ivr.bank.dev_keys import make_development_keys
from ivr.bank.simulator import BankSimulator
from ivr.channels.simulator import Clock, LocalLine
from ivr.core.compiler import Flow
from ivr.core.phrases import Prompts
from ivr.places import SHIPPED, find_project
from ivr.runner import Runner
from ivr.runner.assembly import load_flow
from ivr.runner.billing import Billing, Bills, Waiting, billing_of
from ivr.runner.forwarder import Forwarder
from ivr.runner.forwarder_results import result_words
from ivr.runner.notices import Notices, notices_of
from ivr.runner.payments import Payments, bank_of
from ivr.runner.texting import keep_text
from ivr.settings import Settings, load_settings
from ivr.store import Store, memory_store
from ivr.vault import Vault

SAMPLE_BANKS = SHIPPED / "config" / "banks.yaml"  # the simulator's, whatever the flow calls its bank
# A simulated call has nobody beside it to hold up, and its clock stands still while an answer is awaited.
PATIENT = Waiting(moment_s=10.0, waiters=1)


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
    vaults = {name: Vault(sealing_key, secret) for name in names}
    payments = Payments(store, vaults, "simulated", secret, prompts.words)
    banks = dict.fromkeys(names, bank)
    forwarder = Forwarder(store, banks, keep_text, now=clock, write_result=result_words(prompts), notices=notices)
    return Workbench(flow, prompts, store, Runner(flows, payments, bills), forwarder, clock)


@contextmanager
def workbench(file: Path) -> Iterator[Workbench]:
    """For `simulate` without a server: the bank simulator is real all the same, over TLS, on a free port of its own.

    Bills come from where the settings say: ACCOUNTS, or BILLING_URL, which is then told of what is paid.
    """
    flow, prompts = load_flow(file)
    with tempfile.TemporaryDirectory(prefix="tonetill-") as folder:
        keys, bank_folder = Path(folder) / "keys", Path(folder) / "bank"
        make_development_keys(keys, bank_folder)
        chosen = settings_for_trying(Path(folder))
        settings = load_banks(SAMPLE_BANKS, Path(folder))
        with BankSimulator(bank_folder, slow_s=2.0) as simulator:
            ours = next(iter(settings.values())).model_copy(update={"url": simulator.url, "read_timeout": 4.0})
            with HttpsBank(ours) as bank:
                yield build_workbench(
                    flow,
                    prompts,
                    ours.sealing_key,
                    bank,
                    chosen.accounts,
                    Clock(datetime.now(UTC)),
                    billing=lambda store: (billing_of(chosen, store, PATIENT), notices_of(chosen, store)),
                )


def settings_for_trying(folder: Path) -> Settings:
    """The project's; outside of any project the sample's, with what would be kept on disk in `folder`."""
    if find_project() is not None:
        return load_settings()
    return load_settings({**os.environ, "VAR": str(folder)}, project=SHIPPED)
