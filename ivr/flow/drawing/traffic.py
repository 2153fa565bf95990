"""Where the callers of a flow go and where they stop: sums over the ways of many calls (`moves`). What they look like is in `traffic_look`.

A call counts once for each step that it reached and each arrow that it took, however often it came by.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from ivr.core.moves import BACK, BEGINNING, CONNECTING, END, ERROR, HUNG_UP, LIMIT, TRANSFERRED, Move, moves_of
from ivr.flow.compiled import Flow
from ivr.flow.drawing.look import edges

GAVE_UP, CANCELLED, NOT_SENT = "gave_up", "cancelled", "not_sent"
ENDS_WITHOUT_A_TARGET = (GAVE_UP, CANCELLED, NOT_SENT)  # where the flow does not say where they lead
# How a caller is lost. All else is an end that the flow means.
STOPS = (HUNG_UP, CONNECTING, GAVE_UP, CANCELLED, LIMIT, ERROR)


@dataclass(frozen=True)
class Traffic:
    """Numbers of calls: in all, by step reached, by arrow (from, to) taken, by (step, how) of those that stopped there, and by
    step of those that were connected to a person there: they are not lost.

    `flow` is None where it is gone; then all steps are of the past.
    """

    flow: Flow | None
    calls: int = 0
    reached: Counter[str] = field(default_factory=Counter)
    taken: Counter[tuple[str, str]] = field(default_factory=Counter)
    stopped: Counter[tuple[str, str]] = field(default_factory=Counter)
    transferred: Counter[str] = field(default_factory=Counter)

    @property
    def steps(self) -> Sequence[str]:
        """The flow's, in its order, then those that it no longer has."""
        known = list(self.flow.steps) if self.flow else []
        return known + sorted(self.reached.keys() - {*known, BEGINNING})

    def is_known(self, step: str) -> bool:
        return self.flow is not None and step in self.flow.steps

    def is_closing(self, step: str) -> bool:
        """Speaks and goes on or ends: a caller who leaves here is told all there was to tell, or nearly."""
        known = self.flow.steps.get(step) if self.flow is not None else None
        return known is not None and known.goes_on_by_itself

    @cached_property
    def strange_ways(self) -> int:
        """How many times calls took an arrow that the flow does not have: it was changed since."""
        if self.flow is None:
            return 0
        known = {(edge.source, edge.target) for edge in edges(self.flow)}
        return sum(count for way, count in self.taken.items() if way not in known)

    def lost_at(self, step: str) -> int:
        return sum(self.stopped[step, how] for how in STOPS)

    def share_lost(self, step: str) -> float:
        """Of those who reached the step, 0 to 1."""
        return self.lost_at(step) / self.reached[step] if self.reached[step] else 0.0


def traffic_of(flow: Flow | None, ways: Iterable[tuple[str, int]]) -> Traffic:
    """`ways`: each as it is on record, and how many calls went it."""
    calls = 0
    found = Traffic(flow)
    for way, count in ways:
        moves = moves_of(way)
        calls += count
        found.reached.update(dict.fromkeys((step for step, _ in moves), count))
        found.taken.update(dict.fromkeys(_arrows(moves), count))
        if moves[-1][1] == TRANSFERRED:
            found.transferred[moves[-1][0]] += count
        stop = _stop(found, moves)
        if stop is not None:
            found.stopped[stop] += count
    return Traffic(flow, calls, found.reached, found.taken, found.stopped, found.transferred)


def _arrows(moves: Sequence[Move]) -> Iterable[tuple[str, str]]:
    for (step, outcome), (following, _) in pairwise(moves):
        is_way = step != BEGINNING and outcome not in (BACK, ERROR, LIMIT, END, CONNECTING)
        if is_way and not (step == following and outcome in ENDS_WITHOUT_A_TARGET):
            yield step, following


def _stop(traffic: Traffic, moves: Sequence[Move]) -> Move | None:
    """Where the caller was lost, and how; None where the flow itself came to its end with them."""
    last, how = moves[-1]
    if how == HUNG_UP and moves[-2:-1] == [(last, CONNECTING)]:
        return last, CONNECTING
    if how in STOPS:
        return last, how
    if how == TRANSFERRED:
        return None
    for step, outcome in reversed(moves[:-1]):
        if outcome == CONNECTING:
            continue
        outcome = ERROR if outcome == NOT_SENT else outcome
        if outcome in STOPS and (step == last or traffic.is_closing(last) or traffic.flow is None):
            return step, outcome
        if not traffic.is_closing(step):
            return None
    return None
