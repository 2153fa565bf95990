"""`simulate` without a server: a workbench whose bank is the simulator, over TLS, in this process."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ivr.bank import load_banks
from ivr.bank.dev_keys import make_development_keys
from ivr.bank.simulator import BankSimulator
from ivr.bank.tonetill import TonetillBank, TonetillSettings
from ivr.calls.assembly import load_flow
from ivr.calls.billing import Waiting, billing_of
from ivr.channels.simulator import Clock
from ivr.forwarder.notices import Notices, notices_of
from ivr.places import SHIPPED, find_project
from ivr.settings import Settings, load_settings
from ivr.store import Store
from ivr.testing.workbench import Workbench, build_workbench

__all__ = ["Workbench", "build_workbench", "settings_for_trying", "workbench"]
SAMPLE_BANKS = SHIPPED / "config" / "banks.yaml"  # the simulator's, whatever the flow calls its bank
# A simulated call has nobody beside it to hold up, and its clock stands still while an answer is awaited.
PATIENT = Waiting(moment_s=10.0, waiters=1)


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
            assert isinstance(ours, TonetillSettings)
            with TonetillBank(ours) as bank:
                yield build_workbench(
                    flow,
                    prompts,
                    ours.sealing_key,
                    bank,
                    chosen.accounts,
                    Clock(datetime.now(UTC)),
                    billing=lambda store: (billing_of(chosen, store, PATIENT), notices_for(chosen, store)),
                )


def settings_for_trying(folder: Path) -> Settings:
    """The project's; outside of any project the sample's, with what would be kept on disk in `folder`."""
    if find_project() is not None:
        return load_settings()
    return load_settings({**os.environ, "VAR": str(folder)}, project=SHIPPED)


def notices_for(settings: Settings, store: Store) -> Notices | None:
    """A simulated payment charges nobody: a production billing system must not be told that a bill was paid."""
    return notices_of(settings, store) if settings.environment == "development" else None
