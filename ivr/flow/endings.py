"""Where the outcomes of a flow's steps lead, and which steps can end the call; what is wrong with that is `paths` and `circles`."""

from collections.abc import Callable, Iterator, Mapping

from ivr.flow.parts import Finding, Known, Need, Place, Said
from ivr.flow.schema import RETRY
from ivr.flow.step import Step
from ivr.reading.problems import nearest

Steps = Mapping[str, Step]


class UnreadStep(Step):
    """A step that has problems of its own: only where it leads is known, and not even that where `is_torn`."""

    outcomes = frozenset()
    ways: tuple[tuple[Place, str, str], ...]
    is_torn: bool
    said: tuple[Said, ...] = ()
    """The prompts that it would speak without what is wrong, where that can be told: they have to be there all the same."""
    always: tuple[str, ...] = ()
    """And those that every step of its kind speaks."""

    def ends_by(self) -> frozenset[str]:
        return frozenset({"end"})

    def says(self) -> Iterator[Said]:
        yield from ()

    def needs(self, name: str) -> Iterator[Need]:
        yield from ()

    def findings(self, name: str, known: Known) -> Iterator[Finding]:
        yield from ()

    def targets(self) -> Iterator[tuple[Place, str, str]]:
        yield from self.ways


def next_step(current: str, target: str, steps: Steps) -> str | None:
    """The step meant: a misspelt target is told elsewhere, and taken for its nearest here."""
    if target == RETRY:
        return current
    return target if target in steps else nearest(target, steps)


def steps_that_can_end(steps: Steps, goes: Callable[[str], bool] = lambda outcome: True) -> set[str]:
    """`goes`: the outcomes that are followed."""
    comes_from: dict[str, set[str]] = {}
    for name, step in steps.items():
        for _, outcome, target in step.targets():
            if goes(outcome):
                comes_from.setdefault(next_step(name, target, steps) or "", set()).add(name)
    ending: set[str] = set()
    # A target that no step resembles may well end.
    waiting = [name for name, step in steps.items() if any(map(goes, step.ends_by()))] + list(comes_from.get("", ()))
    while waiting:
        name = waiting.pop()
        if name not in ending:
            ending.add(name)
            waiting += comes_from.get(name, ())
    return ending


def steps_after(start: str, steps: Steps, goes: Callable[[Step, str], bool] = lambda step, outcome: True) -> set[str]:
    """All that can follow the step, itself where it can follow. `goes`: the ways that are followed."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        for _, outcome, target in steps[name].targets():
            then = next_step(name, target, steps)
            if then is not None and then not in found and target != RETRY and goes(steps[name], outcome):
                found.add(then)
                waiting.append(then)
    return found
