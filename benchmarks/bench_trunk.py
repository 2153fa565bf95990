"""Simultaneous calls on one core: our media plane beside Asterisk 22, in turns, under the same load, listened to alike.

In every call audio comes in, a key is pressed every 1.5 s, and prompts go out. One core is measured, the load has
another. The number of calls rises until the callers miss frames, or hear more than one in a thousand too late for a
telephone's jitter buffer of 60 ms. Asterisk's extensions: `ivr` is Playback and Read, mostly silent; `play` plays always.
    python benchmarks/bench_trunk.py                      # three minutes
    python benchmarks/bench_trunk.py --rounds 3 --method telephone_event
"""

import argparse
import asyncio
import json
import logging
import os
import statistics
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.peers import PeerMissing
from benchmarks.trunk_asterisk import LoadedAsterisk
from benchmarks.trunk_contest import PARTS, Conditions, Point, measure_asterisk, measure_ours

OURS = (1500, 2000, 2500, 3000, 3500, 4000)
EXTENSIONS = {"play": (200, 250, 300, 350, 400, 450, 500, 550, 600), "ivr": (300, 400, 500, 600, 700, 800)}
TRIES = 2  # a shared machine spoils some: the better of two counts, for both sides
SPOILT_TRIES = 4  # with those in which the load itself was held up
console = Console(width=158)
Measure = Callable[[int], Awaitable[Point]]


@dataclass
class Climb:
    """One system on its way up; `points` has the better try at each number of calls."""

    name: str
    measure: Measure
    steps: tuple[int, ...]
    points: list[Point] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return len(self.points) == len(self.steps) or bool(self.points and not self.points[-1].is_clean)

    @property
    def most(self) -> Point | None:
        """At the largest number of calls that lost nothing."""
        clean = [point for point in self.points if point.is_clean]
        return clean[-1] if clean else None

    @property
    def reached(self) -> str:
        """With a plus where it would have gone on: the steps were over."""
        more = "+" if self.points and self.points[-1].is_clean else ""
        return f"{self.most.calls if self.most else 0}{more}"

    async def step(self) -> None:
        calls = self.steps[len(self.points)]
        tries = []
        while len(tries) < SPOILT_TRIES and sum(not point.is_spoilt for point in tries) < TRIES:
            tries.append(await self.measure(calls))
            if tries[-1].is_clean:
                break
        self.points.append(min(tries, key=badness))


def badness(point: Point) -> tuple[bool, bool, int, int, int]:
    return not point.is_clean, point.is_spoilt, point.calls - point.up, point.missing + point.dropped, point.late


async def one_round(climbs: list[Climb], progress: Progress) -> None:
    """Turn by turn, so that whatever else the machine does meets all alike."""
    task = progress.add_task("", total=sum(len(climb.steps) for climb in climbs))
    while any(not climb.is_over for climb in climbs):
        for climb in climbs:
            if not climb.is_over:
                calls = climb.steps[len(climb.points)]
                progress.update(task, description=f"{climb.name}, {calls} calls")
                await climb.step()
                progress.advance(task)
    progress.remove_task(task)


def climbs_of(chosen: argparse.Namespace, conditions: Conditions, peer: LoadedAsterisk | None) -> list[Climb]:
    climbs = [Climb("Tonetill", lambda calls: measure_ours(calls, conditions), tuple(chosen.calls))]
    if peer is not None:
        # Ours at the peer's size too: cost at an equal number of calls.
        climbs[0].steps = (chosen.equal, *climbs[0].steps)
        for extension, steps in EXTENSIONS.items():
            steps = tuple(chosen.asterisk_calls or steps)

            def ring(calls: int, extension: str = extension) -> Awaitable[Point]:
                return measure_asterisk(peer, extension, calls, conditions)

            climbs.append(Climb(f"Asterisk {extension}", ring, steps))
    return climbs


async def contest(chosen: argparse.Namespace, peer: LoadedAsterisk | None) -> list[list[Climb]]:
    conditions = Conditions(chosen.seconds, chosen.method)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    rounds = []
    with Progress(*columns, console=Console(stderr=True)) as progress:
        for _ in range(chosen.rounds):
            climbs = climbs_of(chosen, conditions, peer)
            await one_round(climbs, progress)
            rounds.append(climbs)
    return rounds


# ---- what is shown


def show(rounds: list[list[Climb]], chosen: argparse.Namespace, peer: str) -> None:
    points = [point for climbs in rounds for climb in climbs for point in climb.points]
    console.print(table_of(points, chosen, peer))
    ours = [point for point in points if point.parts]
    console.print(parts_of(ours))
    for line in verdict(rounds, chosen.equal):
        console.print(line)


def table_of(points: list[Point], chosen: argparse.Namespace, peer: str) -> Table:
    title = f"one core, keys by {chosen.method}, {chosen.seconds:.0f} s a row{', beside ' + peer if peer else ''}"
    table = Table(title=title)
    table.add_column("system", no_wrap=True)
    counted = ("calls", "up", "frames", "missing", "late", "dropped", "core", "us/call-tick", "late ticks")
    for name in (*counted, "wrong", "load core", "stall ms"):
        table.add_column(name, justify="right")
    table.add_column("clean")
    for point in sorted(points, key=lambda each: (each.system != "Tonetill", each.system, each.calls)):
        wrong = "" if point.keys_wrong is None else f"{point.keys_wrong}"
        table.add_row(
            *(point.system, f"{point.calls}", f"{point.up}", f"{point.frames}", f"{point.missing}", f"{point.late}"),
            *(f"{point.dropped}", f"{point.core:.0%}", f"{point.us:.2f}", f"{point.late_ticks}" if point.parts else ""),
            *(
                wrong,
                f"{point.load_core:.0%}",
                f"{point.stall_ms:.0f}",
                "yes" if point.is_clean else "spoilt" if point.is_spoilt else "no",
            ),
        )
    return table


def parts_of(ours: list[Point]) -> Table:
    table = Table(title="Tonetill's worker, microseconds a call-tick by part (medians)")
    for name in ("calls", *PARTS, "all"):
        table.add_column(name, justify="right")
    for calls in sorted({point.calls for point in ours}):
        here = [point.parts for point in ours if point.calls == calls]
        medians = [statistics.median(parts[part] for parts in here) for part in PARTS]
        table.add_row(f"{calls}", *(f"{spent:.2f}" for spent in (*medians, sum(medians))))
    return table


def verdict(rounds: list[list[Climb]], equal: int) -> list[str]:
    """Ratios are of one round, taken minutes apart at most; of several rounds the median is shown."""
    lines = []
    names = [climb.name for climb in rounds[0]]
    most = {name: [climb.most for climbs in rounds for climb in climbs if climb.name == name] for name in names}
    for name in names:
        reached = [climb.reached for climbs in rounds for climb in climbs if climb.name == name]
        lines.append(f"{name}: most calls with nothing missing, by round: {', '.join(reached)}")
    for name in names[1:]:
        pairs = [(a.calls, b.calls) for a, b in zip(most["Tonetill"], most[name], strict=True) if a and b]
        if pairs:
            ratio = statistics.median(ours / theirs for ours, theirs in pairs)
            lines.append(f"calls on a core, Tonetill / {name}: {ratio:.1f} (median of {len(pairs)})")
        costs = [cost_ratio(climbs, name, equal) for climbs in rounds]
        known = [cost for cost in costs if cost is not None]
        if known:
            lines.append(f"CPU at {equal} calls each, {name} / Tonetill: {statistics.median(known):.1f}")
    return lines


def cost_ratio(climbs: list[Climb], name: str, equal: int) -> float | None:
    at = {climb.name: point for climb in climbs for point in climb.points if point.calls == equal}
    return at[name].core / at["Tonetill"].core if {name, "Tonetill"} <= at.keys() else None


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=6, help="of load a row; two of them are warm-up")
    parser.add_argument("--method", choices=["inband", "telephone_event"], default="inband")
    parser.add_argument("--calls", type=int, nargs="+", default=OURS, help="the steps we climb")
    parser.add_argument("--asterisk-calls", type=int, nargs="+", help="the steps it climbs")
    parser.add_argument("--equal", type=int, default=200, help="calls at which CPU is compared")
    parser.add_argument("--alone", action="store_true", help="without Asterisk")
    parser.add_argument("--json", type=Path, help="write every row to this file too")
    return parser.parse_args()


def main() -> None:
    chosen = options()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if (os.cpu_count() or 1) < 2:
        console.print("this needs two cores: one is measured, the load has the other")
        raise SystemExit(2)
    try:
        if chosen.alone:
            raise PeerMissing("not wanted")
        with LoadedAsterisk(0) as peer:
            name = peer.version()
            rounds = asyncio.run(contest(chosen, peer))
    except PeerMissing as reason:
        console.print(f"without Asterisk: {reason}")
        name, rounds = "", asyncio.run(contest(chosen, None))
    show(rounds, chosen, name)
    if chosen.json:
        rows = [asdict(point) for climbs in rounds for climb in climbs for point in climb.points]
        chosen.json.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
