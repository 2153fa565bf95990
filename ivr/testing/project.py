"""Where a project keeps its flows, accounts and call files, and a bench for any of its flows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ivr.calls.assembly import MakeVaults, read_folder, vaults_for
from ivr.errors import ConfigError, FlowError
from ivr.flow.compiled import Flow
from ivr.flow.files import FlowSet
from ivr.reading.problems import did_you_mean
from ivr.store import Bill, Store, memory_store
from ivr.store.accounts_file import read_bills
from ivr.testing.bench import Bench, build_bench
from ivr.words.phrases import Prompts

FLOWS, CALLS, ACCOUNTS = "flows", "calls", "config/accounts.csv"


@dataclass(frozen=True)
class Project:
    """`accounts` is None where the project has no such file: then a test says itself what is owed.

    `prepare` is given each flow before it is used; coverage counts its steps so.
    """

    flows_folder: Path
    accounts: Path | None
    prepare: Callable[[Flow], Flow] = lambda flow: flow

    @cached_property
    def read(self) -> FlowSet:
        return read_folder(self.flows_folder)

    @cached_property
    def flows(self) -> Mapping[str, Flow]:
        return {name: self.prepare(flow) for name, flow in self.read.flows.items()}

    @cached_property
    def bills(self) -> Sequence[Bill]:
        return read_bills(self.accounts) if self.accounts else []

    @property
    def account_numbers(self) -> Sequence[str]:
        return [bill.account for bill in self.bills]

    @property
    def prompts(self) -> Prompts:
        assert self.read.prompts is not None
        return self.read.prompts

    def prepared(self, prepare: Callable[[Flow], Flow]) -> "Project":
        """The same files, read once, with flows of its own."""
        other = replace(self, prepare=prepare)
        other.__dict__["read"] = self.read
        return other

    def bench(self, flow: str = "", store: Store | None = None, vaults: MakeVaults = vaults_for) -> Bench:
        """All flows can be rung on it; FlowError says what is wrong with the one that is asked for."""
        self.require(flow)
        first = sorted(self.flows, key=lambda name: name != flow)
        flows = [self.flows[name] for name in first]
        return build_bench(flows, self.prompts, self.accounts, store=store or memory_store(), vaults=vaults)

    def require(self, flow: str) -> None:
        if not flow or flow in self.flows:
            return
        if flow in self.read.left_out:
            raise FlowError(f"flow '{flow}' has problems:\n" + "\n".join(map(str, self.read.problems)))
        raise FlowError(f"there is no flow '{flow}' in {self.flows_folder} ({did_you_mean(flow, self.flows)})")


def find_project(root: Path, flows: str = FLOWS, accounts: str = ACCOUNTS, **more: Callable[[Flow], Flow]) -> Project:
    """ConfigError where a folder or file that was named is not there."""
    file = root / accounts
    if accounts != ACCOUNTS and not file.is_file():
        raise ConfigError(f"tonetill_accounts: there is no file {file}")
    if not (root / flows).is_dir():
        raise ConfigError(f"there is no folder {root / flows}: set tonetill_flows to the folder of your flows")
    return Project(root / flows, file if file.is_file() else None, **more)
