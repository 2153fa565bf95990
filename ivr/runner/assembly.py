"""Puts an engine together from settings: flows, prompts, store, vaults, runner. The same for web, trunk and simulator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ivr.bank import load_banks
from ivr.core.compiler import Flow
from ivr.core.flow_files import read_flows
from ivr.core.phrases import Prompts
from ivr.core.problems import did_you_mean
from ivr.errors import ConfigError, FlowError
from ivr.places import COMMAND
from ivr.runner.billing import billing_of
from ivr.runner.notices import notices_of
from ivr.runner.payments import Payments, bank_of
from ivr.runner.production import require_production
from ivr.runner.runner import Runner
from ivr.runner.texting import texting
from ivr.settings import Settings
from ivr.store import Store, open_store
from ivr.vault import Vault


@dataclass(frozen=True)
class Engine:
    """One process's engine."""

    flows: Mapping[str, Flow]
    prompts: Prompts
    store: Store
    runner: Runner


def load_flows(folder: Path) -> tuple[Mapping[str, Flow], Prompts]:
    """Every flow of the folder, with its prompts; FlowError tells every problem of all of them at once."""
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise ConfigError(f"no flows in {folder}: set FLOWS to a folder with *.yaml")
    return _read(files, folder / "prompts")


def load_flow(file: Path) -> tuple[Flow, Prompts]:
    """One flow, with the prompts of the folder `prompts` beside it."""
    if not file.is_file():
        raise ConfigError(f"there is no flow {file}")
    flows, prompts = _read([file], file.parent / "prompts")
    return next(iter(flows.values())), prompts


def _prompt_files(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise ConfigError(f"no prompts in {folder}: each language is a file there, such as en-US.yaml")
    return files


def _read(files: Sequence[Path], prompts: Path) -> tuple[Mapping[str, Flow], Prompts]:
    found = read_flows(_contents(files), _contents(_prompt_files(prompts)))
    if found.problems or found.prompts is None:
        raise FlowError("\n".join(map(str, found.problems)))
    return found.flows, found.prompts


def _contents(files: Sequence[Path]) -> list[tuple[str, bytes]]:
    return [(str(file), file.read_bytes()) for file in files]


def assemble(settings: Settings) -> Engine:
    """ConfigError or FlowError says what is wrong with the settings, keys, flows or prompts; nothing is half started."""
    require_production(settings)
    flows, prompts = load_flows(settings.flows)
    store = open_store(settings.database_url)
    banks = load_banks(settings.banks, settings.var)
    for flow in flows.values():
        bank = bank_of(flow)
        if bank is not None and bank not in banks:
            cure = did_you_mean(bank, banks)
            raise ConfigError(f"flow '{flow.name}' pays at '{bank}', which {settings.banks} does not name ({cure})")
    keys = settings.var / "keys"
    fingerprint_key = read_secret(keys / "fingerprint.key")
    vaults = {name: Vault(bank.sealing_key, fingerprint_key) for name, bank in banks.items()}
    can_text = texting(settings, store.text_trouble)
    payments = Payments(store, vaults, settings.merchant, fingerprint_key, prompts.words, can_text)
    notices_of(settings, store)  # the forwarder sends them; a wrong setting is told by every process
    return Engine(flows, prompts, store, Runner(flows, payments, billing_of(settings, store)))


def read_secret(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}; `{COMMAND} set-up` makes development keys") from None
