"""Seeds of the simulation, any faults and storms: virtual seconds to one of a processor, seeds a second, and the seeds that are not true.

`make bench-simulation`; `python benchmarks/bench_simulation.py 100000 --first 7` runs a hundred thousand from 7 on, on every core. A seed is
the same on any number of cores. Ctrl-C ends it with the sums of what has been run.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ivr.testing.explore.pieces import end_at_once
from tests.simulation.faults import drawn, stormy
from tests.simulation.runs import run

STORMY = 5  # one of so many seeds is a storm
A_PIECE = 20  # seeds that one process is given at a time


@dataclass
class Sums:
    """`times`: seconds of a processor, virtual ones, and virtual ones while anything went wrong."""

    counts: Counter[str] = field(default_factory=Counter)
    times: Counter[str] = field(default_factory=Counter)
    untrue: list[str] = field(default_factory=list)

    def add(self, other: "Sums") -> None:
        self.counts.update(other.counts)
        self.times.update(other.times)
        self.untrue.extend(other.untrue)


def of_seeds(seeds: range) -> Sums:
    sums = Sums()
    for seed in seeds:
        is_storm = seed % STORMY == 0
        done = run(seed, draw=stormy if is_storm else drawn)
        sums.counts.update(seeds=1, calls=done.calls, charges=done.charges, events=done.events)
        sums.times.update(cpu_s=done.cpu_s, virtual_s=done.virtual_s, busy_s=done.busy_s)
        if done.untrue:
            sums.untrue.append(f"{done.command}{' --storm' if is_storm else ''}   # {done.untrue}")
    return sums


def done_by(pool: ProcessPoolExecutor, seeds: range, jobs: int) -> Iterator[Sums]:
    """Of each piece, as it is done. Few wait at a time, so that Ctrl-C leaves few to be ended."""
    pieces = (seeds[at : at + A_PIECE] for at in range(0, len(seeds), A_PIECE))
    under_way: set[Future[Sums]] = set()
    for piece in pieces:
        under_way.add(pool.submit(of_seeds, piece))
        if len(under_way) > jobs:
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            yield from (one.result() for one in done)
    yield from (one.result() for one in under_way)


@click.command()
@click.argument("count", default=1000, type=click.IntRange(1))
@click.option("--first", default=0, show_default=True, help="The first seed.")
@click.option(
    "--jobs", default=os.cpu_count() or 1, show_default=True, type=click.IntRange(1), help="Processes at a time."
)
def main(count: int, first: int, jobs: int) -> None:
    """Runs COUNT seeds of the simulation (tests/simulation) and fails where one is not true."""
    sums = Sums()
    columns = (TextColumn("seeds"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with (
        ProcessPoolExecutor(jobs, initializer=end_at_once) as pool,
        Progress(*columns, console=Console(stderr=True), transient=True) as progress,
        suppress(KeyboardInterrupt),
    ):
        task = progress.add_task("seeds", total=count)
        for done in done_by(pool, range(first, first + count), jobs):
            sums.add(done)
            progress.advance(task, done.counts["seeds"])
            for line in done.untrue:
                progress.console.print(line, markup=False, soft_wrap=True)
    cpu_s = sums.times["cpu_s"] or 1
    about = ", ".join(f"{number:,} {name}" for name, number in sums.counts.items())
    print(
        f"from seed {first}: {about or 'none'}; {cpu_s:.0f} s of a processor, {sums.counts['seeds'] / cpu_s:.1f} seeds to one of them"
    )
    print(
        f"virtual seconds to one: {sums.times['busy_s'] / cpu_s:,.0f} while things go wrong, {sums.times['virtual_s'] / cpu_s:,.0f} in all"
    )
    print("\n".join(sums.untrue) or "all true")
    if sums.counts["seeds"] < count:
        print(f"stopped: {sums.counts['seeds']:,} of {count:,} seeds were run")
    sys.exit(bool(sums.untrue))


if __name__ == "__main__":
    main()
