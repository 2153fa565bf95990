"""How deep a walk goes: through the store as a model, or through the database with every card field sealed."""

from datetime import date
from typing import Literal

from ivr.testing.bench import Bench
from ivr.testing.explore.model import ModelledStore
from ivr.testing.project import Project
from ivr.vault import SealContext, Vault

# quick: engine, runner, forwarder and the vault's checks are the product's, the store is a model, nothing is sealed.
# whole: everything is the product's; only the bank and the clock are not.
Depth = Literal["quick", "whole"]


class CheckingVault(Vault):
    """Checks, counts and wipes as the vault does, and seals nothing: what was keyed in is gone."""

    def __init__(self, *_of_a_vault: object) -> None:
        self._fingerprint_key = bytes(32)  # nothing that is made with it outlives the walk

    def _seal(self, field: str, clear: bytearray, context: SealContext, today: date) -> str:
        return ""


def bench_at(depth: Depth, project: Project, flow: str) -> Bench:
    if depth == "whole":
        return project.bench(flow)
    return project.bench(flow, ModelledStore(), CheckingVault)
