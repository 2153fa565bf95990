"""The way that a call took through its flow, from the steps at which it was seen; nothing of how it is drawn."""

from collections import deque
from collections.abc import Sequence

from ivr.flow.compiled import Flow
from ivr.flow.schema import RETRY


def way_between(flow: Flow, before: str, after: str) -> Sequence[str]:
    """From one step to the next at which a call was seen, both included: steps that only speak are passed unseen.

    The shortest way there is; where there is none (a fault, a flow that was changed), the two alone.
    """
    if before == after or not before:
        return (after,)
    came_from = {before: ""}
    waiting = deque([before])
    while waiting and after not in came_from:
        name = waiting.popleft()
        for target in _targets(flow, name):
            if target not in came_from:
                came_from[target] = name
                waiting.append(target)
    return _steps_back(came_from, after) if after in came_from else (before, after)


def whole_way(flow: Flow, seen: Sequence[str]) -> Sequence[str]:
    """Of a call that was seen at these steps, one after another; a step that it stayed at comes once."""
    way: list[str] = []
    for step in filter(None, seen):
        way += [name for name in way_between(flow, way[-1] if way else "", step) if not way or name != way[-1]]
    return way


def _targets(flow: Flow, name: str) -> Sequence[str]:
    step = flow.steps.get(name)
    return [target for _, _, target in step.targets() if target != RETRY] if step else []


def _steps_back(came_from: dict[str, str], last: str) -> Sequence[str]:
    steps = [last]
    while came_from[steps[-1]]:
        steps.append(came_from[steps[-1]])
    return steps[::-1]
