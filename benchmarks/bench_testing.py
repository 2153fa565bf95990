"""What testing calls costs: whole paid calls a second through the core alone, through the bench, as the plugin plays them,
and by `pytest` with a file for each; then 10,000 stored calls replayed, and random calls a second. One core,
by CPU time; `pytest` by the clock."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ivr.calls.assembly import load_flow
from ivr.channels.simulator import play
from ivr.core.call import Call
from ivr.testing.explore import Explorer
from ivr.testing.project import Project
from ivr.testing.quiet import quiet
from ivr.testing.rehearsal import rehearse
from ivr.testing.replay import replay, replay_all
from tests.testing.projects import make_project

ROOT = Path(__file__).resolve().parent.parent
FLOW = ROOT / "flows" / "pay-a-bill.yaml"
PAID = (ROOT / "tests" / "calls" / "approved.txt").read_text(encoding="utf-8")
PROJECT = Project(ROOT / "flows", ROOT / "config" / "accounts.csv")


def a_second(work: Callable[[], object], times: int) -> float:
    """By this process's own time: others may be busy on the machine."""
    began = time.process_time()
    for _ in range(times):
        work()
    return times / (time.process_time() - began)


def stored_calls() -> list[Call]:
    """Of random callers: paid, declined, given up, hung up."""
    explorer = Explorer(PROJECT, "pay-a-bill", "bench")
    for _ in range(150):
        explorer.next_walk()
    assert explorer._bench is not None
    return list(explorer._bench.workbench.store.ended_calls("pay-a-bill", 1000))


def play_paid() -> None:
    play(PAID, PROJECT.bench("pay-a-bill").world())


def rehearse_paid() -> None:
    bench = PROJECT.bench("pay-a-bill")
    assert rehearse(PAID, bench.world()).passed
    assert not bench.disagreement()


def files_by_pytest(files: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder) / "line", **{f"call_{number}": PAID for number in range(files)})
        command = [sys.executable, "-m", "pytest", "-p", "ivr.testing.plugin", "-p", "no:cacheprovider", "-q"]
        began = time.perf_counter()
        subprocess.run(
            command, cwd=project, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, capture_output=True
        )
        return time.perf_counter() - began


def rows(scale: int) -> list[tuple[str, str]]:
    flow, _ = load_flow(FLOW)
    bench = PROJECT.bench("pay-a-bill")
    play(PAID, bench.world())
    (paid,) = bench.workbench.store.ended_calls("pay-a-bill", 1)
    calls = stored_calls()
    many = [replace(calls[number % len(calls)], id=str(number)) for number in range(10_000)]
    began = time.process_time()
    otherwise = sum(found is not None for found in replay_all(flow, many))
    replayed_s = time.process_time() - began
    one, all_files = files_by_pytest(1), files_by_pytest(20 * scale)
    explorer = Explorer(PROJECT, "pay-a-bill", "bench")
    explored = a_second(explorer.next_walk, 50 * scale)
    return [
        ("core alone, a whole paid call (no vault, no store)", f"{a_second(lambda: replay(flow, paid), 500 * scale):,.0f} calls/s"),
        ("bench and player: vault, store, forwarder, a new database for each call", f"{a_second(play_paid, 10 * scale):,.0f} calls/s"),
        ("the same as the plugin plays it, with its transcript", f"{a_second(rehearse_paid, 10 * scale):,.0f} calls/s"),
        (f"pytest, {20 * scale} call files", f"{20 * scale / all_files:,.0f} calls/s; {1000 * (all_files - one) / (20 * scale - 1):.1f} ms a file more, {one:.1f} s for the first"),
        ("10,000 stored calls replayed", f"{replayed_s:.1f} s; {otherwise} end otherwise"),
        ("random calls, with every rule looked at (--explore)", f"{explored * explorer.calls / (50 * scale):,.0f} calls/s"),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, default=10, help="repetitions: 1 is quick and rough")
    table = Table("what", "on one core")
    with quiet():
        for row in rows(parser.parse_args().scale):
            table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
