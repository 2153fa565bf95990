"""What can be said of a flow from its graph alone: unreachable steps, calls that never end, charges without consent,
endings that would not be true. A flow with other problems is judged as far as it can be read, so that all are told at once."""

from collections.abc import Iterator, Mapping

from ivr.flow.endings import UnreadStep, next_step, steps_after, steps_that_can_end
from ivr.flow.parts import Facts, Place
from ivr.flow.schema import AS_RECORDED, RETRY
from ivr.flow.step import Step
from ivr.reading.problems import Problem
from ivr.reading.rules import ways
from ivr.reading.yaml_source import Source

Steps = Mapping[str, Step]
# Which ending is true where these facts are: the first of them decides.
_ENDS = {"unsure": "pending", "undoing": "pending", "paid": "paid", "reserved": "reserved"}
Reached = Mapping[str, set[Facts]]


def ways_to_steps(start: str, steps: Steps) -> Reached:
    """Every step that can be reached, with the facts of each way to it."""
    first = next_step(start, start, steps)
    return _walk(first, steps) if first is not None else {}


def path_problems(source: Source, reached: Reached, steps: Steps) -> Iterator[Problem]:
    yield from _reach_problems(source, reached, steps)
    for name, every_way in reached.items():
        read = {facts for facts in every_way if "unread" not in facts}
        step = steps[name]
        yield from _need_problems(source, name, step, read)
        yield from _ending_problems(source, name, step, read)


def _reach_problems(source: Source, reached: Reached, steps: Steps) -> Iterator[Problem]:
    some_ways_lost = any(
        (isinstance(step, UnreadStep) and step.is_torn)
        or any(next_step(name, way[2], steps) is None for way in step.targets())
        for name, step in steps.items()
    )
    ending = steps_that_can_end(steps)
    told: set[str] = set()
    for name in steps:
        if name not in reached and name not in told and not some_ways_lost:
            # What only follows from it is reached with it.
            told |= steps_after(name, steps)
            cure = "lead to it from another, or remove it"
            yield source.problem(ways.NOT_REACHED, ("steps", name), f"step '{name}' cannot be reached", cure)
        elif name in reached and name not in ending:
            cure = "let a step on the way have 'end:'"
            yield source.problem(ways.NEVER_ENDS, ("steps", name), f"the call never ends after '{name}'", cure)


def _need_problems(source: Source, name: str, step: Step, reached: set[Facts]) -> Iterator[Problem]:
    for need in step.needs(name):
        asked = [facts for facts in reached if (not need.where or need.where & facts) and not need.unless & facts]
        if any((need.fact in facts) == need.is_absent for facts in asked):
            yield source.problem(need.rule, ("steps", name, *need.path), need.message, need.cure)


def _ending_problems(source: Source, name: str, step: Step, reached: set[Facts]) -> Iterator[Problem]:
    for facts in sorted(reached, key=sorted):
        true_end = next((end for fact, end in _ENDS.items() if fact in facts), "unpaid")
        if step.ending not in (None, AS_RECORDED, true_end):
            message = f"there is a way to '{name}' on which 'end: {step.ending}' is not true"
            cure = f"on that way it is '{true_end}'"
            yield source.problem(ways.UNTRUE_ENDING, ("steps", name, "end"), message, cure)
            return


def _walk(start: str, steps: Steps) -> dict[str, set[Facts]]:
    """Every step that can be reached, with each set of facts that may hold there."""
    reached: dict[str, set[Facts]] = {}
    waiting: list[tuple[str, Facts]] = [(start, frozenset())]
    while waiting:
        name, facts = waiting.pop()
        if facts in reached.setdefault(name, set()):
            continue
        reached[name].add(facts)
        for path, outcome, target in steps[name].targets():
            then = next_step(name, target, steps)
            if then is not None and (target != RETRY or outcome == "not_found"):
                waiting.append((then, _facts_after(steps[name], path, outcome, facts)))
    return reached


def _facts_after(step: Step, path: Place, outcome: str, facts: Facts) -> Facts:
    misspelt = path[0] == "then" and outcome not in step.known_outcomes()
    if misspelt or isinstance(step, UnreadStep):
        # It is told elsewhere, and what it would mean is anybody's guess.
        return facts | {"unread"}
    return step.makes(path, outcome, facts)
