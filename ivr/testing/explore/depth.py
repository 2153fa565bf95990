"""How deep a walk goes: through the store as a model, or through the database with every card field sealed."""

from typing import Literal

from ivr.calls.checking_vault import checking_vaults
from ivr.testing.bench import Bench
from ivr.testing.explore.model import ModelledStore
from ivr.testing.project import Project

# quick: engine, runner, forwarder and the vault's checks are the product's, the store is a model, nothing is sealed.
# whole: everything is the product's; only the bank and the clock are not.
Depth = Literal["quick", "whole"]


def bench_at(depth: Depth, project: Project, flow: str) -> Bench:
    if depth == "whole":
        return project.bench(flow)
    return project.bench(flow, ModelledStore(), checking_vaults)
