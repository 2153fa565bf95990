"""Seeds one after another: each in a world of its own, and what came of it."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from ivr.testing.rules import Untrue
from tests.simulation.faults import Faults, drawn
from tests.simulation.judge import judge, payments
from tests.simulation.trace import Trace
from tests.simulation.world import World


@dataclass(frozen=True)
class Run:
    """`untrue`: what is not as it should be, "" where all is. `virtual_s`: from the first event to the last; `busy_s`: of it while
    anything went wrong."""

    seed: int
    untrue: str
    digest: str
    lines: list[str]
    cpu_s: float
    virtual_s: float
    busy_s: float
    events: int
    calls: int
    charges: int

    @property
    def command(self) -> str:
        return f"python -m tests.simulation --seed {self.seed}"


def run(seed: int, *, keeps: bool = False, draw: Callable[[random.Random], Faults] = drawn) -> Run:
    """`draw`: as in `World`."""
    began = time.process_time()
    world = World(seed, Trace(keeps), draw)
    untrue = ""
    try:
        world.run()
        judge(world)
    except Untrue as found:
        untrue = str(found)
        world.scheduler.note("judge", untrue)
    finally:
        ended = time.process_time()
        made = payments(world)
        world.close()
    return Run(
        seed,
        untrue,
        world.trace.digest,
        world.trace.lines,
        ended - began,
        world.scheduler.now_s,
        world.busy_s or world.scheduler.now_s,
        world.scheduler.events,
        len(world.callers),
        sum(one.is_charged for one in made),
    )
