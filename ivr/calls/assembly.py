"""Puts an engine together from settings: flows, prompts, store, vaults, runner. The same for web, trunk and simulator."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from ivr.bank import BankSettings, load_banks
from ivr.calls.billing import billing_of
from ivr.calls.notices import notices_of
from ivr.calls.payments import Payments
from ivr.calls.production import require_production
from ivr.calls.runner import Runner
from ivr.calls.texting import texting
from ivr.errors import ConfigError, FlowError
from ivr.flow.compiled import Flow
from ivr.flow.compiler import Around
from ivr.flow.files import FlowSet, read_flows
from ivr.places import COMMAND
from ivr.settings import Settings
from ivr.store import Store, open_store
from ivr.vault import Vault
from ivr.words.phrases import Prompts

log = structlog.get_logger()


@dataclass(frozen=True)
class Engine:
    """One process's engine. `left_out` are the names of flows that have problems: nobody is served by them."""

    flows: Mapping[str, Flow]
    prompts: Prompts
    store: Store
    runner: Runner
    left_out: frozenset[str] = frozenset()


def load_flows(folder: Path) -> tuple[Mapping[str, Flow], Prompts]:
    """The flows of the folder that have no problems, and the prompts; FlowError with every problem where none is left."""
    found = read_folder(folder)
    assert found.prompts is not None
    return found.flows, found.prompts


def read_folder(folder: Path, banks: Mapping[str, BankSettings] | None = None) -> FlowSet:
    """The same with what is wrong with the others: a broken flow stops only itself."""
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise ConfigError(f"no flows in {folder}: set FLOWS to a folder with *.yaml")
    prompts = _contents(_prompt_files(folder / "prompts"))
    currencies = None if banks is None else {name: bank.currencies for name, bank in banks.items()}
    found = read_flows(_contents(files), prompts, Around(banks=currencies))
    if not found.flows:
        raise FlowError("\n".join(map(str, found.problems)))
    return found


def load_flow(file: Path) -> tuple[Flow, Prompts]:
    """One flow, with the prompts of the folder `prompts` beside it."""
    if not file.is_file():
        raise ConfigError(f"there is no flow {file}")
    found = read_flows(_contents([file]), _contents(_prompt_files(file.parent / "prompts")))
    if found.problems or found.prompts is None:
        raise FlowError("\n".join(map(str, found.problems)))
    return next(iter(found.flows.values())), found.prompts


def _prompt_files(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise ConfigError(f"no prompts in {folder}: each language is a file there, such as en-US.yaml")
    return files


def _contents(files: Sequence[Path]) -> list[tuple[str, bytes]]:
    return [(str(file), file.read_bytes()) for file in files]


def assemble(settings: Settings) -> Engine:
    """ConfigError or FlowError says what is wrong with the settings or keys, or that no flow can be used; nothing is
    half started. A flow with problems is left out, and each of them is logged."""
    require_production(settings)
    banks = load_banks(settings.banks, settings.var)
    found = read_folder(settings.flows, banks)
    flows, prompts = found.flows, found.prompts
    assert prompts is not None
    log_problems(found)
    store = open_store(settings.database_url)
    keys = settings.var / "keys"
    fingerprint_key = read_secret(keys / "fingerprint.key")
    vaults = vaults_for({name: bank.sealing_key for name, bank in banks.items()}, fingerprint_key)
    can_text = texting(settings, store.text_trouble)
    payments = Payments(store, vaults, settings.merchant, fingerprint_key, prompts.words, can_text)
    notices_of(settings, store)  # the forwarder sends them; a wrong setting is told by every process
    return Engine(flows, prompts, store, Runner(flows, payments, billing_of(settings, store)), found.left_out)


MakeVaults = Callable[[Mapping[str, Path], bytes], Mapping[str, Vault]]


def vaults_for(sealing_keys: Mapping[str, Path], fingerprint_key: bytes) -> Mapping[str, Vault]:
    """By bank, each sealing to that bank's public key. ConfigError where a key cannot be used."""
    return {bank: Vault(key, fingerprint_key) for bank, key in sealing_keys.items()}


def log_problems(found: FlowSet) -> None:
    for problem in found.problems:
        log.error("flow problem", problem=str(problem), code=problem.rule.code)
    for name in sorted(found.left_out):
        log.error("flow left out: nobody is served by it until its problems are mended", flow=name)


def read_secret(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}; `{COMMAND} set-up` makes development keys") from None
