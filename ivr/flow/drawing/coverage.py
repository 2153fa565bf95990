"""Which steps and outcomes of a flow calls have gone through: in per cent, by name, and on the flow's diagram."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ivr.flow.compiled import Flow
from ivr.flow.drawing.diagram import svg
from ivr.flow.drawing.look import edges
from ivr.flow.schema import RETRY

Way = tuple[str, str]  # step and outcome
FAINT = "{opacity:.4;stroke-dasharray:2 5}"


@dataclass(frozen=True)
class CountedFlow(Flow):
    """The same flow, noting each way that is taken. `reached`: how often each step was entered."""

    taken: Counter[Way] = field(default_factory=Counter, compare=False)
    reached: Counter[str] = field(default_factory=Counter, compare=False)

    def follow(self, step: str, outcome: str) -> str:
        target = super().follow(step, outcome)
        self.taken[step, outcome] += 1
        self.reached[step] += 1  # it was there to be left, the first step too
        self.reached[target] += 1
        return target


def counted(flow: Flow) -> CountedFlow:
    return CountedFlow(flow.head, flow.steps, flow.machine)


@dataclass(frozen=True)
class Coverage:
    """Of one flow, from any number of processes."""

    flow: Flow
    taken: Counter[Way] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)

    def add(self, taken: Mapping[Way, int], reached: Mapping[str, int]) -> None:
        self.taken.update(taken)
        self.reached.update(reached)

    @property
    def ways(self) -> Sequence[Way]:
        """Every outcome that the flow says where it leads."""
        return [(name, outcome) for name, step in self.flow.steps.items() for _, outcome, _ in step.targets()]

    @property
    def unseen_steps(self) -> Sequence[str]:
        return [name for name in self.flow.steps if not self.reached[name]]

    @property
    def unseen_ways(self) -> Sequence[Way]:
        return [way for way in self.ways if not self.taken[way]]

    def lines(self) -> Iterator[str]:
        steps, ways = len(self.flow.steps), len(self.ways)
        seen_steps, seen_ways = steps - len(self.unseen_steps), ways - len(self.unseen_ways)
        yield (
            f"{self.flow.name}: {seen_steps} of {steps} steps ({per_cent(seen_steps, steps)}), "
            f"{seen_ways} of {ways} outcomes ({per_cent(seen_ways, ways)})"
        )
        if self.unseen_steps:
            yield f"  steps never reached: {', '.join(self.unseen_steps)}"
        if self.unseen_ways:
            yield f"  outcomes never taken: {', '.join(f'{step} {outcome}' for step, outcome in self.unseen_ways)}"

    def drawing(self) -> str:
        """The diagram (SVG): what no call went through is faint and dashed."""
        seen = {
            (name, name if target == RETRY else target)
            for name, step in self.flow.steps.items()
            for _, outcome, target in step.targets()
            if self.taken[name, outcome]
        }
        faint = [f'[data-step="{name}"]' for name in self.unseen_steps]
        faint += [
            f'[data-from="{e.source}"][data-to="{e.target}"]'
            for e in edges(self.flow)
            if (e.source, e.target) not in seen
        ]
        drawn = svg(self.flow)
        return (
            drawn.replace("</style>", f"{','.join(f'.flow {one}' for one in faint)}{FAINT}</style>", 1)
            if faint
            else drawn
        )


def per_cent(part: int, whole: int) -> str:
    return f"{100 * part // whole if whole else 100} %"


def coverages(flows: Iterable[Flow]) -> Iterator[Coverage]:
    for flow in flows:
        if isinstance(flow, CountedFlow):
            yield Coverage(flow, flow.taken, flow.reached)


# ---- between processes: lists and texts only

Plain = dict[str, list[list[Any]]]


def as_plain(flows: Iterable[Flow]) -> Plain:
    return {
        flow.name: [[[*way, count] for way, count in flow.taken.items()], [*map(list, flow.reached.items())]]
        for flow in flows
        if isinstance(flow, CountedFlow)
    }


def add_plain(flows: Mapping[str, Flow], sent: Plain) -> None:
    for name, (taken, reached) in sent.items():
        flow = flows[name]
        if isinstance(flow, CountedFlow):
            flow.taken.update({(step, outcome): count for step, outcome, count in taken})
            flow.reached.update(dict(reached))
