"""Many walks over one flow. A walk has its own bills; a bench serves many walks, then a new one."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ivr.core.money import Money
from ivr.flow.drawing.coverage import CountedFlow, Way, counted
from ivr.flow.schema import CollectStep
from ivr.testing.bench import Bench
from ivr.testing.cards import TEST_CARDS
from ivr.testing.explore.acts import Act, as_call_file
from ivr.testing.explore.monkey import Monkey
from ivr.testing.explore.rules import Untrue, judge
from ivr.testing.explore.shrink import shrink
from ivr.testing.explore.walk import Walk
from ivr.testing.project import Project
from ivr.testing.quiet import quiet

WALKS_A_BENCH = 200
CALLS_A_TASK = 250
BETWEEN_WALKS_S = 3 * 24 * 3600  # no limit on attempts counts what an earlier walk did


@dataclass(frozen=True)
class Found:
    """A rule that was broken, and the shortest way to it as a call file."""

    rule: str
    what: str
    acts: Sequence[Act]
    file: str


@dataclass
class Explorer:
    project: Project
    flow: str
    seed: str
    calls: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    found: dict[str, Found] = field(default_factory=dict)  # by rule: the first way to break it
    _bench: Bench | None = None
    _walks: int = 0

    def __post_init__(self) -> None:
        self.project.require(self.flow)
        steps = self.project.flows[self.flow].steps.values()
        taken = [brand for step in steps if isinstance(step, CollectStep) for brand in step.brands]
        brands = sorted(set(taken) & TEST_CARDS.keys()) or ["visa"]
        bench = self._new_bench()
        store = bench.workbench.store
        self._bills = [bill for bill in map(store.find_bill, self.project.account_numbers) if bill is not None]
        accounts = [bill.account for bill in self._bills]
        self._monkey = Monkey(random.Random(self.seed), self.flow, accounts, brands)

    def next_walk(self) -> None:
        """One walk, of one or two calls. The first that breaks a rule is shrunk."""
        bench = self._bench if self._bench and self._walks < WALKS_A_BENCH else self._new_bench()
        self._walks += 1
        walk = Walk(bench)
        self._monkey.walk(walk)
        acts = list(walk.acts)
        self.calls += len(walk.callers)
        try:
            judge(walk, self._due)
        except Untrue as untrue:
            self._bench = None  # what is left of it is not to be trusted
            if untrue.rule not in self.found:
                self.found[untrue.rule] = self._shrunk(acts, untrue)
            return
        self.endings.update(walk.endings)
        self._renew(bench)

    def _shrunk(self, acts: list[Act], untrue: Untrue) -> Found:
        def breaks(fewer: Sequence[Act]) -> bool:
            return self._rule_broken_by(fewer)[0] == untrue.rule

        smallest = shrink(acts, breaks) if breaks(acts) else acts
        _, what, endings = self._rule_broken_by(smallest)
        comment = f"found by exploring {self.flow} (seed {self.seed}): {what or untrue}"
        return Found(untrue.rule, what or str(untrue), smallest, as_call_file(smallest, comment, endings))

    def _rule_broken_by(self, acts: Sequence[Act]) -> tuple[str, str, list[str]]:
        """Rule, what was untrue, and how the calls ended; "" where all is true: then the bench serves again."""
        bench = self._bench or self._new_bench()
        walk = Walk(bench)
        for act in acts:
            walk.do(act)
        try:
            judge(walk, self._due)
        except Untrue as untrue:
            self._bench = None
            return untrue.rule, str(untrue), walk.endings
        self._renew(bench)
        return "", "", walk.endings

    # ---- benches

    def _new_bench(self) -> Bench:
        bench = self.project.bench(self.flow)
        self._bench, self._walks = bench, 0
        return bench

    @cached_property
    def _due(self) -> dict[str, Money]:
        return {bill.account: bill.due for bill in self._bills}

    def _renew(self, bench: Bench) -> None:
        """For the next walk: bills as they were, a bank with empty books, and days later."""
        bench.workbench.store.renew_bills(self._bills)
        bench.bank.forget()
        bench.begun.clear()
        bench.workbench.clock.advance(BETWEEN_WALKS_S)


# ---- many, on several cores


@dataclass(frozen=True)
class Task:
    """A piece of the exploration that is the same whichever process does it. `flows` and `accounts`: the project's."""

    flows: Path
    accounts: Path | None
    flow: str
    seed: str
    calls: int


@dataclass(frozen=True)
class Explored:
    calls: int
    endings: Counter[str]
    found: dict[str, Found]
    taken: Counter[Way]
    reached: Counter[str]


def explore_task(task: Task) -> Explored:
    with quiet():
        project = Project(task.flows, task.accounts, counted)
        explorer = Explorer(project, task.flow, task.seed)
        while explorer.calls < task.calls:
            explorer.next_walk()
    flow = project.flows[task.flow]
    assert isinstance(flow, CountedFlow)
    return Explored(explorer.calls, explorer.endings, explorer.found, flow.taken, flow.reached)


def explore(project: Project, flow: str, calls: int, seed: int, jobs: int = 1) -> Iterator[Explored]:
    """Piece after piece, as they are done; the pieces and what is in them depend on `calls` and `seed` alone."""
    sizes = [min(CALLS_A_TASK, calls - begun) for begun in range(0, calls, CALLS_A_TASK)]
    tasks = [
        Task(project.flows_folder, project.accounts, flow, f"{seed}/{number}", size)
        for number, size in enumerate(sizes)
    ]
    if jobs == 1 or len(tasks) == 1:
        yield from map(explore_task, tasks)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(explore_task, tasks)
