"""The fewest and shortest acts that still break the same rule (delta debugging: Zeller and Hildebrandt, 2002)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from ivr.testing.explore.acts import Act

Breaks = Callable[[Sequence[Act]], bool]


def shrink(acts: Sequence[Act], breaks: Breaks) -> list[Act]:
    """`breaks` is asked some hundred times; what it is given always begins with a call."""
    smallest, before = list(acts), 0
    while before != cost(smallest):
        before = cost(smallest)
        smallest = _without_pieces(smallest, breaks)
        smallest = _simpler(smallest, breaks)
    return smallest


def cost(acts: Sequence[Act]) -> int:
    return sum(10 + len(act.rest) for act in acts)


def _without_pieces(acts: list[Act], breaks: Breaks) -> list[Act]:
    size = len(acts) // 2
    while size:
        start = 0
        while start < len(acts):
            fewer = acts[:start] + acts[start + size :]
            if _begins(fewer) and breaks(fewer):
                acts = fewer
            else:
                start += size
        size //= 2
    return acts


def _simpler(acts: list[Act], breaks: Breaks) -> list[Act]:
    for place in range(len(acts)):
        for simpler in _simpler_acts(acts[place]):
            changed = [*acts[:place], simpler, *acts[place + 1 :]]
            if breaks(changed):
                acts = changed
                break
    return acts


def _simpler_acts(act: Act) -> Iterator[Act]:
    if act.verb == "keys":
        for place in range(len(act.rest)):
            if shorter := act.rest[:place] + act.rest[place + 1 :]:
                yield replace(act, rest=shorter)


def _begins(acts: Sequence[Act]) -> bool:
    """Nobody does anything before ringing."""
    rung: set[int] = set()
    for act in acts:
        if act.verb == "call":
            rung.add(act.caller)
            if act.caller != len(rung):
                return False
        elif act.caller not in rung and act.caller:
            return False
    return bool(rung)
