"""The product's bench with the sample flow, and the folders that tests take their flows from."""

from pathlib import Path

from ivr.calls.assembly import load_flow
from ivr.store import Store
from ivr.testing.bench import Bench, BenchWorld, build_bench

__all__ = ["ROOT", "SAMPLE", "Bench", "BenchWorld", "make_bench"]
ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "tests" / "flows" / "sample" / "pay-a-bill.yaml"


def make_bench(sealing_key: Path, flow: Path = SAMPLE, store: Store | None = None) -> Bench:
    """`flow`: with the prompts beside it."""
    compiled, prompts = load_flow(flow)
    return build_bench([compiled], prompts, ROOT / "config" / "accounts.csv", sealing_key=sealing_key, store=store)
