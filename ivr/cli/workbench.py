"""`simulate` without a server: a workbench whose bank is the simulator, over TLS, in this process."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from ivr.bank import load_banks
from ivr.bank.dev_keys import make_development_keys
from ivr.bank.simulator import BankSimulator
from ivr.bank.tonetill import TonetillBank, TonetillSettings
from ivr.calls.assembly import load_flow
from ivr.calls.billing import Waiting, billing_of
from ivr.channels.simulator import Clock
from ivr.core.hours import zone_of
from ivr.errors import ConfigError
from ivr.flow.compiled import Flow
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
def workbench(file: Path, when: str | None = None) -> Iterator[Workbench]:
    """For `simulate` without a server: the bank simulator is real all the same, over TLS, on a free port of its own.

    `when` is as `begin_of` reads it. Bills come from where the settings say: ACCOUNTS, or BILLING_URL, which is then told of what is paid.
    """
    flow, prompts = load_flow(file)
    begin = datetime.now(UTC) if when is None else begin_of(flow, when, datetime.now(UTC))
    with tempfile.TemporaryDirectory(prefix="tonetill-") as folder:
        chosen = settings_for_trying(Path(folder))
        with simulated_bank(Path(folder)) as (sealing_key, bank):
            yield build_workbench(
                flow,
                prompts,
                sealing_key,
                bank,
                chosen.accounts,
                Clock(begin),
                billing=lambda store: (billing_of(chosen, store, PATIENT), notices_for(chosen, store)),
            )


@contextmanager
def simulated_bank(folder: Path) -> Iterator[tuple[Path, TonetillBank]]:
    """A simulator with keys of its own in the folder, and a connection to it: what is sealed for it, and the bank."""
    make_development_keys(folder / "keys", folder / "bank")
    settings = load_banks(SAMPLE_BANKS, folder)
    with BankSimulator(folder / "bank", slow_s=2.0) as simulator:
        ours = next(iter(settings.values())).model_copy(update={"url": simulator.url, "read_timeout": 4.0})
        assert isinstance(ours, TonetillSettings)
        with TonetillBank(ours) as bank:
            yield ours.sealing_key, bank


def begin_of(flow: Flow, written: str, now: datetime) -> datetime:
    """By the clock of the flow's zone: a day and a time, a day (then it is the time of now) or a time (of today)."""
    zone, today = zone_for(flow), in_zone(flow, now)
    day, _, clock = written.strip().rpartition(" ")
    if not day:
        day, clock = (today.date().isoformat(), written) if ":" in written else (written, f"{today:%H:%M}")
    try:
        return datetime.strptime(f"{day} {clock}", "%Y-%m-%d %H:%M").replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ConfigError(f"--at '{written}' is no time: write '2026-12-25 10:00', 2026-12-25 or 10:00") from None


def in_zone(flow: Flow, at: datetime) -> datetime:
    return at.astimezone(zone_for(flow))


def zone_for(flow: Flow) -> tzinfo:
    """UTC for a flow that asks for no time of day."""
    return zone_of(flow.head.hours.zone) if flow.head.hours else UTC


def settings_for_trying(folder: Path) -> Settings:
    """The project's; outside of any project the sample's, with what would be kept on disk in `folder`."""
    if find_project() is not None:
        return load_settings()
    return load_settings({**os.environ, "VAR": str(folder)}, project=SHIPPED)


def notices_for(settings: Settings, store: Store) -> Notices | None:
    """A simulated payment charges nobody: a production billing system must not be told that a bill was paid."""
    return notices_of(settings, store) if settings.environment == "development" else None
