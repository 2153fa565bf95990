"""Which values are known wherever a step begins, on every way to it: what prompts there may say.

Every outcome makes values known or forgotten, and where ways meet only what all of them know is known.
"""

from collections.abc import Mapping

from ivr.flow.endings import UnreadStep, next_step
from ivr.flow.parts import Known, Place
from ivr.flow.step import Step


def known_values(start: str, steps: Mapping[str, Step]) -> Mapping[str, Known]:
    """By step, for those that can be reached."""
    first = next_step(start, start, steps)
    known: dict[str, Known] = {}
    waiting: list[tuple[str, Known]] = [(first, frozenset())] if first else []
    while waiting:
        name, values = waiting.pop()
        merged = _meet(known[name], values) if name in known else values
        if name in known and merged == known[name]:
            continue
        known[name] = merged
        for path, outcome, target in steps[name].targets():
            then = next_step(name, target, steps)
            if then is not None:
                waiting.append((then, _after(steps[name], path, outcome, merged)))
    return known


def _meet(one: Known, other: Known) -> Known:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _after(step: Step, path: Place, outcome: str, known: Known) -> Known:
    misspelt = path[0] == "then" and outcome not in step.known_outcomes()
    if known is None or misspelt or isinstance(step, UnreadStep):
        return None
    return step.tells(path, outcome, known)
