"""Puts an engine together from settings: flows, prompts, store, vaults, runner. The same for web, trunk and simulator."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ivr.bank import (
    BankSettings,
    fields_carried,
    load_banks,
    operations_promised,
    partly_approving,
)
from ivr.calls import flow_folder
from ivr.calls.bank_keys import BankKeys, vaults_of
from ivr.calls.billing import billing_of
from ivr.calls.billing_secret import webhook_of
from ivr.calls.emailing import emailing
from ivr.calls.flow_folder import FlowFolder
from ivr.calls.live_flows import LiveFlows
from ivr.calls.notice_settings import notice_kinds, require_notice_settings
from ivr.calls.number_keys import number_seals
from ivr.calls.pay_links import pay_links_of
from ivr.calls.payments import Payments
from ivr.calls.production import require_production
from ivr.calls.runner import Runner
from ivr.calls.texting import texting
from ivr.core.actions import Phrase
from ivr.errors import ConfigError, FlowError
from ivr.flow.compiled import Flow
from ivr.flow.compiler import Around
from ivr.flow.files import FlowSet, read_flows
from ivr.flow.part_files import read_parts
from ivr.hangup import on_hangup, reload_or_log
from ivr.places import COMMAND
from ivr.settings import Settings
from ivr.store import Store, open_store
from ivr.vault import Vault
from ivr.words.phrases import Prompts


@dataclass(frozen=True)
class Engine:
    """One process's engine. `flows` are `LiveFlows` where they come from a folder, else they are what was given.

    `prompts` are those of the flows that were live at start: a phrase of a call is in the words of `prompts_of` its version.
    """

    flows: Mapping[str, Flow]
    prompts: Prompts
    store: Store
    runner: Runner
    folder: FlowFolder | None = None
    bank_keys: BankKeys | None = None

    @property
    def left_out(self) -> frozenset[str]:
        """Flows that have problems, or were withdrawn: nobody is served by them."""
        known = self.flows.left_out if isinstance(self.flows, LiveFlows) else frozenset[str]()
        return (known | (self.folder.left_out if self.folder else frozenset())) - self.flows.keys()

    def prompts_of(self, version: str) -> Prompts:
        return self.flows.prompts_of(version) if isinstance(self.flows, LiveFlows) else self.prompts

    def words(self, phrase: Phrase) -> str:
        return self.prompts_of(phrase.version).words(phrase)

    def watch(self) -> None:
        """From now on what is published is taken up, and keys at SIGHUP, in threads of their own: for a process that stays."""
        self.follow()
        if self.bank_keys is not None:
            on_hangup(self.reload_keys)

    def follow(self) -> None:
        """The same without keys, for a process of several engines, which has one handler for the signal."""
        if isinstance(self.flows, LiveFlows) and self.folder is not None:
            flow_folder.watch(self.flows, self.folder, self.store)

    def reload_keys(self) -> None:
        if self.bank_keys is not None:
            self.bank_keys.reload()

    def flow_trouble(self) -> list[str]:
        """What is wrong with flows that should be serving, a line each."""
        broken = self.flows.broken.values() if isinstance(self.flows, LiveFlows) else ()
        return [*(self.folder.problems if self.folder else ()), *broken]


def load_flows(folder: Path) -> tuple[Mapping[str, Flow], Prompts]:
    """The flows of the folder that have no problems, and the prompts; FlowError with every problem where none is left."""
    found = read_folder(folder)
    assert found.prompts is not None
    return found.flows, found.prompts


def read_folder(
    folder: Path, banks: Mapping[str, BankSettings] | None = None, settings: Settings | None = None
) -> FlowSet:
    """The same with what is wrong with the others: a broken flow stops only itself."""
    found = flow_folder.read_folder(folder, around(banks, settings))
    if not found.flows:
        raise FlowError("\n".join(map(str, found.problems)))
    return found


def around(banks: Mapping[str, BankSettings] | None, settings: Settings | None = None) -> Around:
    """The banks that a flow may name, with what each of them takes, and what it may rely on; None: not checked."""
    return Around(
        banks=None if banks is None else {name: bank.currencies for name, bank in banks.items()},
        card_fields=None if banks is None else fields_carried(banks),
        partly_approving=None if banks is None else partly_approving(banks),
        operations=None if banks is None else operations_promised(banks),
        switched_on=None if settings is None else switched_on(settings),
    )


def switched_on(settings: Settings) -> frozenset[str]:
    """The settings that steps may rely on. In development a link leads to an example, and can be tried."""
    has_links = bool(settings.pay_link) or settings.environment == "development"
    on = {"pay_link": has_links, "transfers": settings.transfers == "on"}
    return frozenset(name for name, is_on in on.items() if is_on)


def live_flows(settings: Settings, store: Store, banks: Mapping[str, BankSettings]) -> tuple[LiveFlows, FlowFolder]:
    """The flows that serve now; what is in the folder is published first, where it is to be.

    ConfigError or FlowError where no flow can be used. A flow with problems is left out, and each of them is logged.
    """
    is_development = settings.environment == "development"
    folder = FlowFolder(settings.flows, around(banks, settings), publishes_edits=is_development)
    folder.begin(store)
    flows = LiveFlows(store, around(banks, settings))
    flows.look()
    if not flows:
        told = [*flows.broken.values(), *(f"'{name}' is withdrawn" for name in flows.left_out - flows.broken.keys())]
        raise FlowError("\n".join(["no flow can be used", *told]))
    return flows, folder


def load_flow(file: Path) -> tuple[Flow, Prompts]:
    """One flow, with the prompts of the folder `prompts` beside it."""
    if not file.is_file():
        raise ConfigError(f"there is no flow {file}: a flow is a file, such as flows/pay-a-bill.yaml")
    parts = read_parts(_contents(flow_folder.part_files(file.parent)))
    prompts = _contents(flow_folder.prompt_files(file.parent / "prompts"))
    found = read_flows(_contents([file]), prompts, Around(parts=parts))
    if found.problems or found.prompts is None:
        raise FlowError("\n".join(map(str, found.problems)))
    return next(iter(found.flows.values())), found.prompts


def _contents(files: Sequence[Path]) -> list[tuple[str, bytes]]:
    return [(str(file), file.read_bytes()) for file in files]


def assemble(settings: Settings) -> Engine:
    """ConfigError or FlowError says what is wrong with the settings or keys, or that no flow can be used; nothing is
    half started. A flow with problems is left out, and each of them is logged."""
    require_production(settings)
    banks = load_banks(settings.banks, settings.var)
    require_notice_settings(settings)
    store = open_store(settings.database_url, tells=notice_kinds(settings), numbers=number_seals(settings, makes=True))
    flows, folder = live_flows(settings, store, banks)
    keys = settings.var / "keys"
    fingerprint_key = read_secret(keys / "fingerprint.key")
    vaults = vaults_of(settings.banks, banks, fingerprint_key)
    bank_keys = BankKeys(settings.banks, settings.var, banks, vaults)
    can_text = texting(settings, store.text_trouble)
    payments = Payments(
        store,
        vaults,
        settings.merchant,
        fingerprint_key,
        flows.words,
        can_text,
        bool(settings.billing_url),
        pay_links_of(settings),
        emailing(settings, store.email_trouble),
        settings.merchant_name,
        bank_keys.is_closed,
        partial(reload_or_log, bank_keys.reload),
    )
    if settings.billing_url:
        webhook_of(settings)  # the forwarder signs with it; a wrong setting is reported by every process
    return Engine(flows, flows.prompts, store, Runner(flows, payments, billing_of(settings, store)), folder, bank_keys)


MakeVaults = Callable[[Mapping[str, Path], bytes], Mapping[str, Vault]]


def vaults_for(
    sealing_keys: Mapping[str, Path], fingerprint_key: bytes, forms: Mapping[str, str] | None = None
) -> Mapping[str, Vault]:
    """By bank, each sealing to that bank's public key, in its form (ours where none is given). ConfigError where a key
    cannot be used."""
    forms = forms or {}
    return {bank: Vault(key, fingerprint_key, forms.get(bank, "tonetill")) for bank, key in sealing_keys.items()}


def read_secret(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}; `{COMMAND} set-up` makes development keys") from None
