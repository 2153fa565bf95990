"""Ways that lead a caller round in a circle: without a key, by cancelling, by any key, or to guess account numbers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivr.flow.endings import Steps, UnreadStep, next_step, steps_after, steps_that_can_end
from ivr.flow.schema import RETRY
from ivr.flow.step import Step
from ivr.reading.problems import Problem
from ivr.reading.rules import Rule, advice, ways
from ivr.reading.yaml_source import Source

LEAVING = frozenset({"gave_up", "cancelled"})  # what callers do who do not go on
Reached = Mapping[str, object]  # the steps that a call can come to


def circle_problems(source: Source, reached: Reached, steps: Steps) -> Iterator[Problem]:
    yield from _followed(source, reached, steps, _SILENCE)
    yield from _followed(source, reached, steps, _CANCEL)
    yield from _branched(source, reached, steps, _SILENCE)
    yield from _branched(source, reached, steps, _CANCEL)
    yield from _passed_round(source, reached, steps)
    yield from _keys_go_round(source, reached, steps)
    for name in reached:
        if steps[name].looks_up_bills:
            yield from _guessing_problems(source, name, steps)


def _keys_go_round(source: Source, reached: Reached, steps: Steps) -> Iterator[Problem]:
    only_by_leaving = steps_that_can_end(steps) - steps_that_can_end(steps, lambda outcome: outcome not in LEAVING)
    caught = [name for name in steps if name in reached and name in only_by_leaving]
    told: set[str] = set()
    for name in caught:
        following = steps_after(name, steps, lambda _, outcome: outcome not in LEAVING)
        if name in following and not told & following:
            told |= following
            message = f"whatever is pressed at '{name}', the call comes back to it"
            yield source.problem(ways.KEYS_GO_ROUND, ("steps", name), message, "let a key lead to an ending")


def _guessing_problems(source: Source, name: str, steps: Steps) -> Iterator[Problem]:
    direct = {outcome: target for _, outcome, target in steps[name].targets()}
    for outcome, cure in _GUESSING_CURES.items():
        if steps[name].counts_guesses and outcome == "not_found":
            continue
        if outcome in direct and _brings_tries_back(name, outcome, direct[outcome], steps):
            message = (
                f"'{outcome}' comes back to '{name}' with all tries again: account numbers can be guessed without end"
            )
            yield source.problem(ways.ENDLESS_GUESSING, ("steps", name, "then", outcome), message, cure)
            return
    found = next_step(name, direct.get("found", name), steps)
    if found is not None and not steps[name].counts_guesses and name in steps_after(found, steps, _is_unpaid):
        message = f"a caller can come back to '{name}' without having paid, each time with all tries again"
        cure = "lead back to it only after an approved charge"
        yield source.problem(advice.GUESSING_BETWEEN, ("steps", name), message, cure)


_GUESSING_CURES = {
    "not_found": "'not_found: retry' asks again within the same tries",
    "gave_up": "let it end the call",
    "cancelled": "let it end the call",
}


def _brings_tries_back(name: str, outcome: str, target: str, steps: Steps) -> bool:
    """A circle that silence alone goes round, or cancelling alone, is reported as such, not here."""
    first = None if target == RETRY else next_step(name, target, steps)
    if first is None or (outcome in LEAVING and _leaving_comes_back(name, outcome, steps)):
        return False
    return name == first or name in steps_after(first, steps, _is_unpaid)


def _leaving_comes_back(name: str, outcome: str, steps: Steps) -> bool:
    seen: set[str] = set()
    at = _after(name, steps, outcome)
    while at is not None and at not in seen and at != name:
        seen.add(at)
        at = _after(at, steps, outcome)
    return at == name


def _is_unpaid(step: Step, outcome: str) -> bool:
    return not (outcome == "approved" or isinstance(step, UnreadStep))


@dataclass(frozen=True)
class _Circle:
    """What a caller does again and again, and what must not follow from it."""

    rule: Rule
    outcome: str
    message: str
    cure: str


_SILENCE = _Circle(
    ways.SILENCE_GOES_ROUND,
    "gave_up",
    "a caller who presses nothing goes round for ever",
    "let 'gave_up' lead to an ending",
)
_CANCEL = _Circle(
    ways.CANCEL_GOES_ROUND,
    "cancelled",
    "a caller who cancels goes round for ever",
    "let 'cancelled' lead to an ending",
)


def _followed(source: Source, reached: Reached, steps: Steps, kind: _Circle) -> Iterator[Problem]:
    """A caller who has put the telephone down without hanging up must not be kept, nor one who wants to leave."""
    after = {name: _after(name, steps, kind.outcome) for name in reached}
    told: set[str] = set()
    for name in steps:
        seen: list[str] = []
        at: str | None = name
        while at is not None and at in after and at not in seen and at not in told:
            seen.append(at)
            at = after[at]
        circle = seen[seen.index(at) :] if at in seen else []
        told |= set(circle)
        if at is not None and any(_is_left_by(steps[one], kind) for one in circle):
            message = f"{kind.message}: {' -> '.join([*circle, at])}"
            yield source.problem(kind.rule, ("steps", circle[0]), message, kind.cure)


def _is_left_by(step: Step, kind: _Circle) -> bool:
    """Steps that only talk go round by themselves: that is told once, as silence."""
    return kind is _SILENCE or not step.goes_on_by_itself


def _after(name: str, steps: Steps, outcome: str) -> str | None:
    way = "ok" if steps[name].goes_on_by_itself else outcome
    targets = [target for _, found, target in steps[name].targets() if found == way]
    return next_step(name, targets[0], steps) if targets else None


# ---- circles through a step that goes on by itself to one of several


def _branched(source: Source, reached: Reached, steps: Steps, kind: _Circle) -> Iterator[Problem]:
    """Which way it goes depends on the call: a circle by any of them is one."""
    told: set[str] = set()
    for name in steps:
        if name not in reached or name in told or not _branches(steps[name]):
            continue
        circle = _way_back(name, steps, kind)
        if circle and any(_is_left_by(steps[one], kind) for one in circle):
            told |= set(circle)
            message = f"{kind.message}: {' -> '.join([*circle, name])}"
            yield source.problem(kind.rule, ("steps", name), message, kind.cure)


def _passed_round(source: Source, reached: Reached, steps: Steps) -> Iterator[Problem]:
    """A question that may be passed without one: nothing on the way back to it waits for anybody."""
    for name in reached:
        for place, outcome, target in steps[name].targets():
            first = next_step(name, target, steps) if outcome in steps[name].passes_by else None
            if first is not None and (first == name or name in steps_after(first, steps, _is_passed)):
                message = f"'{outcome}' comes back to '{name}' without a wait, and so goes round for ever"
                yield source.problem(ways.SILENCE_GOES_ROUND, ("steps", name, *place), message, _PASSED_CURE)


_PASSED_CURE = "let it lead to an ending"


def _is_passed(step: Step, outcome: str) -> bool:
    return step.goes_on_by_itself or outcome in step.passes_by


def _branches(step: Step) -> bool:
    return step.goes_on_by_itself and len(list(step.targets())) > 1


def _way_back(name: str, steps: Steps, kind: _Circle) -> list[str]:
    """The steps from one round to it again, the first that there are; [] where there is no way."""
    waiting: list[list[str]] = [[name]]
    seen: set[str] = set()
    while waiting:
        way = waiting.pop(0)
        for then in _all_after(way[-1], steps, kind.outcome):
            if then == name:
                return way
            if then not in seen:
                seen.add(then)
                waiting.append([*way, then])
    return []


def _all_after(name: str, steps: Steps, outcome: str) -> Iterator[str]:
    for _, found, target in steps[name].targets():
        if found == outcome or steps[name].goes_on_by_itself:
            then = next_step(name, target, steps)
            if then is not None:
                yield then
