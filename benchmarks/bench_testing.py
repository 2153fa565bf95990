"""What testing calls costs: whole paid calls a second through the engine alone beside a bare state machine, through the bench,
as the plugin plays them, and by `pytest` with a file for each; then 10,000 stored calls replayed, and random calls a
second. One core, by CPU time; `pytest` and what all cores do by the clock."""

import argparse
import functools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.paid_call import events, through_a_bare_machine, through_the_core
from ivr.calls.assembly import load_flow
from ivr.channels.simulator import play
from ivr.core.call import Call
from ivr.testing.explore import Depth, Explorer, explore
from ivr.testing.processes import cores
from ivr.testing.project import Project
from ivr.testing.quiet import few_collections, quiet
from ivr.testing.rehearsal import rehearse
from ivr.testing.replay_pieces import replay_in_pieces
from tests.testing.projects import make_project

ROOT = Path(__file__).resolve().parent.parent
FLOW = ROOT / "flows" / "pay-a-bill.yaml"
PAID = (ROOT / "tests" / "calls" / "approved.txt").read_text(encoding="utf-8")
PROJECT = Project(ROOT / "flows", ROOT / "config" / "accounts.csv")


SLICES = 10


def cost_us(work: Callable[[], object], times: int) -> float:
    """Of one, by this process's own time: the best of ten slices, because others are busy on the machine."""
    slices = []
    for _ in range(SLICES):
        began = time.process_time()
        for _ in range(max(times // SLICES, 1)):
            work()
        slices.append((time.process_time() - began) / max(times // SLICES, 1))
    return min(slices) * 1_000_000


def stored_calls() -> list[Call]:
    """Of random callers: paid, declined, given up, hung up."""
    explorer = Explorer(PROJECT, "pay-a-bill", "bench", "whole")
    for _ in range(150):
        explorer.next_walk()
    return list(explorer.bench("whole").workbench.store.ended_calls("pay-a-bill", 1000))


@functools.cache
def merchants_project() -> Project:
    """That of the paid call: the sample flow as it is kept for tests."""
    folder = make_project(Path(tempfile.mkdtemp()) / "line")
    return Project(folder / "flows", folder / "config" / "accounts.csv")


def play_paid() -> None:
    play(PAID, merchants_project().bench("pay-a-bill").world())


def rehearse_paid() -> None:
    bench = merchants_project().bench("pay-a-bill")
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


def core_rows(scale: int) -> Iterator[tuple[str, str]]:
    """All in one run, so that the ratios hold on a busy machine too."""
    flow, prompts = load_flow(FLOW)
    bare = cost_us(through_a_bare_machine(), 500 * scale)
    core = cost_us(through_the_core(flow), 500 * scale)
    worded = cost_us(through_the_core(flow, prompts.words), 500 * scale)
    steps = len(events())
    yield f"peer: a bare `transitions` machine, {steps} steps with nothing to say or remember", rate(bare, steps)
    yield (
        f"engine, a whole paid call: {steps} events in, all actions out",
        f"{rate(core, steps)}, {core / bare:.1f} x the machine",
    )
    yield "the same with every prompt put into words", f"{rate(worded, steps)}, {worded / bare:.1f} x"


def plugin_rows(scale: int) -> Iterator[tuple[str, str]]:
    played, rehearsed = cost_us(play_paid, 10 * scale), cost_us(rehearse_paid, 10 * scale)
    one, all_files = files_by_pytest(1), files_by_pytest(20 * scale)
    a_file = f"{1000 * (all_files - one) / (20 * scale - 1):.1f} ms a file more, {one:.1f} s for the first"
    yield "bench and player: vault, store, forwarder, a new database for each call", rate(played)
    yield "the same as the plugin plays it, with its transcript", rate(rehearsed)
    yield f"pytest, {20 * scale} call files, by the clock", f"{20 * scale / all_files:,.0f} calls/s; {a_file}"


def replay_rows() -> Iterator[tuple[str, str]]:
    flow, _ = load_flow(FLOW)
    calls = stored_calls()
    many = [replace(calls[number % len(calls)], id=str(number)) for number in range(10_000)]
    for jobs in (1, cores()):
        began, began_s = time.process_time(), time.perf_counter()
        answers = [answer for piece in replay_in_pieces(flow, FLOW, many, jobs) for answer in piece]
        cpu_s, clock_s = time.process_time() - began, time.perf_counter() - began_s
        otherwise = sum(found is not None for found in answers)
        of_cpu = f"{cpu_s:.1f} s, " if jobs == 1 else ""
        yield (
            f"10,000 stored calls replayed, --jobs {jobs}",
            f"{of_cpu}{clock_s:.1f} s by the clock; {otherwise} end otherwise",
        )


def explore_row(depth: Depth, walks: int, what: str) -> tuple[str, str]:
    explorer = Explorer(PROJECT, "pay-a-bill", "bench", depth)
    explorer.next_walk()
    with few_collections():
        began, before = time.process_time(), explorer.calls
        for _ in range(walks):
            explorer.next_walk()
        a_second = (explorer.calls - before) / (time.process_time() - began)
    assert not explorer.found
    return what, f"{a_second:,.0f} calls/s: a million in {1_000_000 / a_second / 60:,.0f} min"


def explore_all_cores_row(calls: int) -> tuple[str, str]:
    began_s = time.perf_counter()
    parts = list(explore(PROJECT, "pay-a-bill", calls, 1, cores()))
    a_second = sum(part.calls for part in parts) / (time.perf_counter() - began_s)
    assert not any(part.found for part in parts)
    what = f"random calls, --jobs {cores()}, by the clock"
    return what, f"{a_second:,.0f} calls/s: a million in {1_000_000 / a_second / 60:,.0f} min"


def rate(us: float, steps: int = 0) -> str:
    of_each = f", {us / steps:.1f} us a step" if steps else ""
    return f"{1_000_000 / us:,.0f} calls/s ({us:,.0f} us{of_each})"


def rows(scale: int) -> Iterator[tuple[str, str]]:
    yield from core_rows(scale)
    yield from plugin_rows(scale)
    yield from replay_rows()
    yield explore_row(
        "quick", 100 * scale, "random calls, every rule looked at (--explore), 1 % again through the store"
    )
    yield explore_all_cores_row(1000 * scale)
    yield explore_row("whole", 20 * scale, "the same with every call through vault and store (--explore --whole)")


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
