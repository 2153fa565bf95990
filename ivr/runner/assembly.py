"""Puts an engine together from settings: flows, prompts, store, vaults, runner. The same for web, trunk and simulator."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ivr.bank import load_banks
from ivr.core.compiler import Flow, compile_flow
from ivr.core.phrases import Prompts
from ivr.core.problems import Problem, did_you_mean
from ivr.core.prompt_check import read_prompts
from ivr.errors import ConfigError, FlowError
from ivr.runner.billing import Bills, HttpBilling
from ivr.runner.payments import Payments, bank_of
from ivr.runner.runner import Runner
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


def load_flows(folder: Path) -> tuple[dict[str, Flow], Prompts]:
    """Every flow of the folder, with its prompts; FlowError tells every problem of all of them at once."""
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise ConfigError(f"no flows in {folder}: set FLOWS to a folder with *.yaml")
    prompts, prompt_problems = load_prompts(folder / "prompts")
    problems = list(prompt_problems)
    names = prompts.by_language if prompts else None
    flows: dict[str, Flow] = {}
    for file in files:
        flow, found = compile_flow(str(file), file.read_text(encoding="utf-8"), names)
        problems += found
        if flow is not None:
            flows[flow.name] = flow
    if problems or prompts is None:
        raise FlowError("\n".join(map(str, problems)))
    return flows, prompts


def load_flow(file: Path) -> tuple[Flow, Prompts]:
    """One flow, with the prompts of the folder `prompts` beside it."""
    if not file.is_file():
        raise ConfigError(f"there is no flow {file}")
    prompts, prompt_problems = load_prompts(file.parent / "prompts")
    names = prompts.by_language if prompts else None
    flow, problems = compile_flow(str(file), file.read_text(encoding="utf-8"), names)
    if flow is None or prompts is None:
        raise FlowError("\n".join(map(str, [*prompt_problems, *problems])))
    return flow, prompts


def load_prompts(folder: Path) -> tuple[Prompts | None, list[Problem]]:
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise ConfigError(f"no prompts in {folder}: each language is a file there, such as en-US.yaml")
    return read_prompts([(str(file), file.read_text(encoding="utf-8")) for file in files])


def assemble(settings: Settings) -> Engine:
    """ConfigError or FlowError says what is wrong with the settings, keys, flows or prompts; nothing is half started."""
    flows, prompts = load_flows(settings.flows)
    store = open_store(settings.database_url)
    banks = load_banks(settings.banks, settings.var)
    for flow in flows.values():
        if bank_of(flow) not in banks:
            cure = did_you_mean(bank_of(flow), banks)
            raise ConfigError(
                f"flow '{flow.name}' pays at '{bank_of(flow)}', which {settings.banks} does not name ({cure})"
            )
    keys = settings.var / "keys"
    fingerprint_key = read_secret(keys / "fingerprint.key")
    vaults = {name: Vault(bank.sealing_key, fingerprint_key) for name, bank in banks.items()}
    payments = Payments(store, vaults, settings.merchant, fingerprint_key, prompts.words)
    billing = HttpBilling(settings.billing_url) if settings.billing_url else Bills(store)
    return Engine(flows, prompts, store, Runner(flows, payments, billing))


def read_secret(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"cannot read {file}: {error.strerror}; `python -m ivr set-up` makes development keys"
        ) from None
