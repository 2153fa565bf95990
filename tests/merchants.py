"""Flows as merchants write them, in tests/flows/: the sample's prompts, and the words of their own that they add."""

import functools
import tempfile
from pathlib import Path

from ivr.errors import FlowError
from ivr.reading.problems import did_you_mean
from tests.benches import ROOT, Bench, make_bench

FLOWS = Path(__file__).parent / "flows"
SAMPLE = ROOT / "tests" / "flows" / "sample" / "pay-a-bill.yaml"


@functools.cache
def files_by_flow(own: Path = ROOT / "flows") -> dict[str, Path]:
    """Each flow's file: of `tests/flows`, or of `own` where only that has it, in a folder with prompts that have the words of all of them."""
    folder = Path(tempfile.mkdtemp(prefix="tonetill-flows-"))
    (folder / "prompts").mkdir()
    words = (FLOWS / "words.yaml").read_text(encoding="utf-8")
    for sample in (ROOT / "flows" / "prompts").glob("*.yaml"):
        (folder / "prompts" / sample.name).write_text(sample.read_text(encoding="utf-8") + words, encoding="utf-8")
    (folder / "parts").symlink_to(ROOT / "flows" / "parts")
    files = {}
    # Later ones win: what a merchant changes in the product's own sample flow fails no test.
    for source in [*sorted(own.glob("*.yaml")), SAMPLE, *sorted(FLOWS.glob("*.yaml"))]:
        text = source.read_text(encoding="utf-8")
        name = next(
            (line.removeprefix("flow:").strip() for line in text.splitlines() if line.startswith("flow:")), None
        )
        if name is not None:
            file = folder / source.name
            file.write_text(text, encoding="utf-8")
            files[name] = file
    return files


def bench_of(sealing_key: Path, flow: str) -> Bench:
    files = files_by_flow()
    if flow not in files:
        raise FlowError(f"there is no flow '{flow}' in tests/flows/ or flows/ ({did_you_mean(flow, files)})")
    return make_bench(sealing_key, files[flow])
