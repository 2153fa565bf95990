"""Very many walks, in pieces that are the same whichever process goes through them; the explorer of one piece is in `explorer`."""

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ivr.flow.drawing.coverage import CountedFlow, Way, counted
from ivr.testing.explore.depth import Depth
from ivr.testing.explore.explorer import BrokenRule, Explorer
from ivr.testing.processes import end_at_once
from ivr.testing.project import Project
from ivr.testing.quiet import few_collections, quiet

CALLS_A_TASK: Mapping[Depth, int] = {"quick": 500, "whole": 100}


@dataclass(frozen=True)
class Task:
    """A piece of the exploration that is the same whichever process does it. `flows` and `accounts`: the project's."""

    flows: Path
    accounts: Path | None
    flow: str
    seed: str
    depth: Depth
    calls: int


@dataclass(frozen=True)
class Explored:
    calls: int
    whole_calls: int
    endings: Counter[str]
    found: dict[str, BrokenRule]
    taken: Counter[Way]
    reached: Counter[str]


# Of one process: all pieces of an exploration are of the same files.
_project_of = lru_cache(1)(Project)


def explore_task(task: Task) -> Explored:
    with quiet(), few_collections():
        project = _project_of(task.flows, task.accounts).prepared(counted)
        explorer = Explorer(project, task.flow, task.seed, task.depth)
        while explorer.calls < task.calls:
            explorer.next_walk()
    flow = project.flows[task.flow]
    assert isinstance(flow, CountedFlow)
    of_it = explorer.calls, explorer.whole_calls, explorer.endings, explorer.found
    return Explored(*of_it, flow.taken, flow.reached)


def explore(
    project: Project, flow: str, calls: int, seed: int, jobs: int = 1, depth: Depth = "quick"
) -> Iterator[Explored]:
    """Piece after piece, as they are done; the pieces and what is in them depend on `calls`, `seed` and `depth` alone."""
    _project_of.cache_clear()
    a_task = CALLS_A_TASK[depth]
    sizes = [min(a_task, calls - begun) for begun in range(0, calls, a_task)]
    tasks = [
        Task(project.flows_folder, project.accounts, flow, f"{seed}/{number}", depth, size)
        for number, size in enumerate(sizes)
    ]
    if jobs == 1 or len(tasks) == 1:
        yield from map(explore_task, tasks)
        return
    with ProcessPoolExecutor(min(jobs, len(tasks)), initializer=end_at_once) as pool:
        yield from pool.map(explore_task, tasks)
