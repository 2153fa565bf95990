"""The product's bench with the sample flow, and the folders that tests take their flows from."""

from pathlib import Path

from ivr.calls import assembly
from ivr.flow.compiled import Flow
from ivr.store import Store
from ivr.testing.bench import Bench, BenchWorld, build_bench
from ivr.words.phrases import Prompts

__all__ = ["ROOT", "SAMPLE", "Bench", "BenchWorld", "load_flow", "make_bench"]
ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "tests" / "flows" / "sample" / "pay-a-bill.yaml"
MOST_KEPT = 60


def make_bench(sealing_key: Path, flow: Path = SAMPLE, store: Store | None = None) -> Bench:
    """`flow`: with the prompts beside it."""
    compiled, prompts = load_flow(flow)
    return build_bench([compiled], prompts, ROOT / "config" / "accounts.csv", sealing_key=sealing_key, store=store)


_read: dict[tuple[tuple[Path, bytes], ...], tuple[Flow, Prompts]] = {}


def load_flow(file: Path) -> tuple[Flow, Prompts]:
    """As the product reads it, but the same contents only once: that is 80 ms, and hundreds of tests do it."""
    folder = file.parent
    parts = [file, *sorted(folder.glob("parts/*.yaml")), *sorted(folder.glob("prompts/*.yaml"))]
    contents = tuple((part.relative_to(folder), part.read_bytes()) for part in parts)
    if contents not in _read:
        if len(_read) == MOST_KEPT:
            _read.clear()
        _read[contents] = assembly.load_flow(file)
    return _read[contents]
