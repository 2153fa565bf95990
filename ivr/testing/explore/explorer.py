"""Many walks over one flow, at one of two depths (`depth`). None begins with what another left: cards kept, PINs guessed, charges."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from ivr.core.money import Money
from ivr.testing.bench import Bench
from ivr.testing.cards import TEST_CARDS
from ivr.testing.explore.acts import Act, as_call_file
from ivr.testing.explore.amounts import FlowAmounts
from ivr.testing.explore.bills import FlowBills
from ivr.testing.explore.depth import Depth, bench_at
from ivr.testing.explore.model import ModelledStore
from ivr.testing.explore.monkey import Monkey
from ivr.testing.explore.rules import judge
from ivr.testing.explore.shrink import shrink
from ivr.testing.explore.walk import Record, Walk
from ivr.testing.project import Project
from ivr.testing.rules import Untrue

WHOLE_EVERY = 100  # of the quick walks, one in so many is done again at whole depth
BETWEEN_WALKS_S = 3 * 24 * 3600  # whole walks begin on other days, for flows with hours and dates
MODEL = "model"  # the rule that a walk ends alike at both depths


@dataclass(frozen=True)
class BrokenRule:
    """A rule that was broken, and the shortest way to it as a call file."""

    rule: str
    what: str
    acts: Sequence[Act]
    file: str


@dataclass(frozen=True)
class Done:
    """What became of a walk. `untrue` is None where every rule held; `records` only where they are asked for."""

    untrue: Untrue | None
    endings: Sequence[str]
    records: Sequence[Record]


@dataclass
class Explorer:
    """`calls` were made in all, `whole_calls` at whole depth."""

    project: Project
    flow: str
    seed: str
    depth: Depth = "quick"
    calls: int = 0
    whole_calls: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    found: dict[str, BrokenRule] = field(default_factory=dict)  # by rule: the first way to break it
    _benches: dict[Depth, Bench] = field(default_factory=dict)
    _known: dict[str, FlowAmounts] = field(default_factory=dict)
    _walks: int = 0
    _whole_at: datetime | None = None  # when the next walk at whole depth begins

    def __post_init__(self) -> None:
        self.project.require(self.flow)
        steps = self.project.flows[self.flow].steps.values()
        taken = [brand for step in steps if step.card for brand in step.card.brands]
        brands = sorted(set(taken) & TEST_CARDS.keys()) or ["visa"]
        self._bills = FlowBills(self.project.flows[self.flow], self.project.bills)
        tried = {field: entries for step in steps for field, entries in step.tried.items()}
        tried |= {name: keys for name, keys in self._bills.free_answers.items() if name not in tried}
        typed = {step.answer: step.typed for step in steps if step.answer}
        self._monkey = Monkey(
            *(random.Random(self.seed), self.flow, self._bills.numbers, brands, tried, self._bills.keys, typed),
            nobodys=self._bills.nobodys,
            takes_part=self.project.flows[self.flow].head.split is not None,
            rings_again=any(step.offers_kept_card or step.remembers for step in steps),
        )

    def next_walk(self) -> None:
        """One walk, of one or two calls. The first that breaks a rule is shrunk."""
        walk = Walk(self.bench(self.depth), known=self._known)
        self._monkey.walk(walk)
        acts = list(walk.acts)
        done = self._judged(walk, self.depth)
        self._walks += 1
        self.calls += len(walk.callers)
        self.whole_calls += len(walk.callers) if self.depth == "whole" else 0
        if done.untrue is not None:
            self._note(done.untrue, acts, lambda fewer: self._done(fewer, self.depth))
            return
        self.endings.update(done.endings)
        if self.depth == "quick" and self._walks % WHOLE_EVERY == 0:
            self._walk_again(acts)

    def _walk_again(self, acts: Sequence[Act]) -> None:
        done = self._done_twice(acts)
        self.whole_calls += len(done.endings)
        if done.untrue is not None:
            self._note(done.untrue, acts, self._done_twice)

    def _note(self, untrue: Untrue, acts: Sequence[Act], do: Callable[[Sequence[Act]], Done]) -> None:
        if untrue.rule not in self.found:
            self.found[untrue.rule] = self._shrunk(untrue, acts, do)

    def _shrunk(self, untrue: Untrue, acts: Sequence[Act], do: Callable[[Sequence[Act]], Done]) -> BrokenRule:
        def breaks(fewer: Sequence[Act]) -> bool:
            broken = do(fewer).untrue
            return broken is not None and broken.rule == untrue.rule

        smallest = shrink(acts, breaks) if breaks(acts) else list(acts)
        done = do(smallest)
        what = str(done.untrue or untrue)
        comment = f"found by exploring {self.flow} (seed {self.seed}): {what}"
        owed = list(self._bills.said_in(" ".join(act.rest for act in smallest if act.verb == "keys")))
        return BrokenRule(untrue.rule, what, smallest, as_call_file(smallest, comment, done.endings, owed))

    # ---- a walk at a depth

    def _done(self, acts: Sequence[Act], depth: Depth) -> Done:
        walk = Walk(self.bench(depth), known=self._known)
        for act in acts:
            walk.do(act)
        return self._judged(walk, depth, with_records=True)

    def _done_twice(self, acts: Sequence[Act]) -> Done:
        """At both depths: what the whole one says, and untrue as well where the quick one says otherwise."""
        with self._at_one_time():
            quick, whole = self._done(acts, "quick"), self._done(acts, "whole")
        if whole.untrue is not None or quick.records == whole.records:
            return whole
        return replace(whole, untrue=Untrue(MODEL, f"the model ends {quick.records}, the store {whole.records}"))

    @contextmanager
    def _at_one_time(self) -> Iterator[None]:
        """The quick walk begins when the whole one does: hours and dates decide what callers hear."""
        clock, at = self.bench("quick").workbench.clock, self.bench("whole").workbench.clock.now
        before, clock.now = clock.now, at
        try:
            yield
        finally:
            clock.now = before

    def _judged(self, walk: Walk, depth: Depth, *, with_records: bool = False) -> Done:
        """Where a rule was broken, what is left of the bench is not to be trusted."""
        try:
            judge(walk, self._due)
        except Untrue as untrue:
            self._benches.pop(depth)
            return Done(untrue, walk.endings, ())
        done = Done(None, walk.endings, walk.records if with_records else ())
        self._renew(walk.bench)
        return done

    def bench(self, depth: Depth) -> Bench:
        """That of the next walk at this depth."""
        bench = self._benches.get(depth)
        if bench is None:
            bench = self._benches[depth] = bench_at(depth, self.project, self.flow)
            bench.workbench.store.renew_bills(self._bills.made_up)
            if depth == "whole":
                bench.workbench.clock.now = self._whole_at or bench.workbench.clock.now
        return bench

    @cached_property
    def _due(self) -> dict[str, Money]:
        return {bill.account: bill.due for bill in self._bills.all}

    def _renew(self, bench: Bench) -> None:
        """For the next walk: a store and a bank with empty books, and bills as they were. A database is not emptied but left."""
        store = bench.workbench.store
        if isinstance(store, ModelledStore):
            store.forget()
            store.renew_bills(self._bills.all)
            bench.bank.forget()
            bench.begun.clear()
            return
        store.close()
        self._benches.pop("whole")
        self._whole_at = bench.workbench.clock.now + timedelta(seconds=BETWEEN_WALKS_S)
