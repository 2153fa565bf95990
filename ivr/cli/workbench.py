"""`simulate` without a server: a workbench whose bank is the simulator, over TLS, in this process."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ivr.bank import HttpsBank, load_banks
from ivr.bank.dev_keys import make_development_keys
from ivr.bank.simulator import BankSimulator
from ivr.channels.simulator import Clock
from ivr.runner.assembly import load_flow
from ivr.runner.billing import Waiting, billing_of
from ivr.runner.notices import notices_of
from ivr.settings import ROOT, load_settings
from ivr.testing.workbench import Workbench, build_workbench

__all__ = ["Workbench", "build_workbench", "workbench"]
# A simulated call has nobody beside it to hold up, and its clock stands still while an answer is awaited.
PATIENT = Waiting(moment_s=10.0, waiters=1)


@contextmanager
def workbench(file: Path) -> Iterator[Workbench]:
    """For `simulate` without a server: the bank simulator is real all the same, over TLS, on a free port of its own.

    Bills come from where the settings say: ACCOUNTS, or BILLING_URL, which is then told of what is paid.
    """
    flow, prompts = load_flow(file)
    chosen = load_settings()
    with tempfile.TemporaryDirectory(prefix="tonetill-") as folder:
        keys, bank_folder = Path(folder) / "keys", Path(folder) / "bank"
        make_development_keys(keys, bank_folder)
        settings = load_banks(ROOT / "config" / "banks.yaml", Path(folder))
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
