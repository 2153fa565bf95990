"""From a flow's text to a checked, compiled flow: one shared `transitions` machine, or every problem at once."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import ValidationError
from transitions import Machine

from ivr.flow.advice import advise
from ivr.flow.circles import circle_problems
from ivr.flow.endings import UnreadStep
from ivr.flow.known import known_values
from ivr.flow.paths import path_problems, ways_to_steps
from ivr.flow.prompts import prompt_problems
from ivr.flow.schema import RETRY, STEP_KINDS, AskStep, FlowHead, Place, Step, words_of
from ivr.flow.schema_problems import schema_problems
from ivr.flow.step_check import (
    bank_problems,
    bill_problems,
    brand_problems,
    card_problems,
    known_bank_problems,
    value_problems,
)
from ivr.reading.problems import Problem, did_you_mean, nearest
from ivr.reading.rules import reading, values, ways
from ivr.reading.scalars import NAME_PATTERN
from ivr.reading.yaml_source import Source, read_yaml
from ivr.words.prompt_files import PromptFiles

# Where a step leads that does not say: the engine's own endings. A merchant's step names cannot begin with an underscore.
GAVE_UP, CANCELLED, NOT_SENT = "_gave_up", "_cancelled", "_not_sent"
BUILT_IN = frozenset({GAVE_UP, CANCELLED, NOT_SENT})
IMPLICIT = {"gave_up": GAVE_UP, "cancelled": CANCELLED, "not_sent": NOT_SENT}
# Steps without a key in between are spoken in one turn, each deeper in the stack; nobody has written half as many.
MOST_STEPS = 200
NAME_CURE = "small letters, digits and _"


@dataclass(frozen=True)
class Flow:
    """A compiled flow, shared by all its calls and by all threads. `version`: its content's digest; empty where it was
    read from a file that nobody has published."""

    head: FlowHead
    steps: Mapping[str, Step]
    machine: Machine = field(repr=False)
    version: str = ""

    @property
    def name(self) -> str:
        return self.head.flow

    def follow(self, step: str, outcome: str) -> str:
        """The step that the outcome leads to; KeyError where it leads nowhere."""
        return self._targets[step, outcome]

    def leads_on(self, step: str, outcome: str) -> bool:
        return (step, outcome) in self._targets

    @cached_property
    def editing_keys(self) -> tuple[str, str]:
        """The keys that end an entry and clear it."""
        return self.head.keys.done_key, self.head.keys.clear_key

    @cached_property
    def answers(self) -> frozenset[str]:
        """What the flow's own questions are called."""
        return frozenset(kind.ask for kind in self.steps.values() if isinstance(kind, AskStep))

    @cached_property
    def _targets(self) -> Mapping[tuple[str, str], str]:
        """The machine's transitions, by step and outcome. A flow has no callbacks or conditions, so that a look here is
        all that the machine's own `trigger` would do, at a hundredth of its cost."""
        return {
            (transition.source, outcome): str(transition.dest)
            for outcome, event in self.machine.events.items()
            for transitions in event.transitions.values()
            for transition in transitions
        }


@dataclass(frozen=True)
class Around:
    """What a flow is used with, as far as it is known; None: not checked against it.

    `banks` are the currencies that each bank takes by its name (none: any), `bills` those of the bills to be paid.
    """

    prompts: PromptFiles | None = None
    banks: Mapping[str, Collection[str]] | None = None
    bills: Collection[str] | None = None


NOTHING_AROUND = Around()


@dataclass(frozen=True)
class Checked:
    """`flow` is None where there are problems; advice stands in nobody's way."""

    flow: Flow | None
    problems: list[Problem]
    advice: list[Problem]


def compile_flow(file: str, text: str | bytes, around: Around = NOTHING_AROUND) -> tuple[Flow | None, list[Problem]]:
    """The flow, or None and every problem found."""
    checked = check_flow(read_yaml(file, text), around)
    return checked.flow, checked.problems


def check_flow(source: Source, around: Around) -> Checked:
    if not isinstance(source.tree, dict) or not source.tree:
        nothing = source.problem(reading.NOTHING_WRITTEN, (), "there is no flow here", "begin with 'flow: <name>'")
        return Checked(None, source.problems or [nothing], [])
    head, head_problems = _read_head(source)
    steps, step_problems = _read_steps(source)
    found = [*source.problems, *head_problems, *step_problems, *_fit_problems(source, head, steps, around)]
    problems = sorted({problem for problem in found if not problem.is_advice})
    advice = sorted({problem for problem in found if problem.is_advice})
    flow = None if problems or head is None else Flow(head, steps, _machine(head, steps))
    return Checked(flow, problems, advice)


def _fit_problems(source: Source, head: FlowHead | None, steps: dict[str, Step], around: Around) -> Iterator[Problem]:
    """Do the steps fit together, and with what is around them?"""
    start = source.tree.get("start")
    yield from _outcome_problems(source, steps)
    yield from _target_problems(source, start, steps)
    yield from bank_problems(source, steps)
    yield from brand_problems(source, steps)
    yield from card_problems(source, steps)
    yield from value_problems(source, steps)
    if around.banks is not None:
        yield from known_bank_problems(source, head, steps, around.banks)
    if around.bills is not None:
        yield from bill_problems(source, head, steps, around.bills)
    start_is_readable = isinstance(start, str) and bool(steps)
    reached = ways_to_steps(start, steps) if start_is_readable else {}
    known = known_values(start, steps) if start_is_readable else {}
    if reached:
        yield from path_problems(source, reached, steps)
        yield from circle_problems(source, reached, steps)
    if around.prompts is not None:
        yield from prompt_problems(source, steps, known, around.prompts)
    yield from advise(source, head, steps, known)


def _read_head(source: Source) -> tuple[FlowHead | None, list[Problem]]:
    written = {key: value for key, value in source.tree.items() if key != "steps"}
    try:
        return FlowHead.model_validate(written), []
    except ValidationError as error:
        return None, list(schema_problems(source, (), FlowHead, error, frozenset({"steps"})))


def _read_steps(source: Source) -> tuple[dict[str, Step], list[Problem]]:
    written = source.tree.get("steps")
    if not isinstance(written, dict) or not written:
        return {}, [
            source.problem(
                reading.NOTHING_WRITTEN, ("steps",), "a flow needs steps", "below 'steps:', each with a name"
            )
        ]
    if len(written) > MOST_STEPS:
        return {}, [
            source.problem(
                ways.TOO_MANY_STEPS, ("steps",), f"a flow has at most {MOST_STEPS} steps", "make two flows of it"
            )
        ]
    steps: dict[str, Step] = {}
    problems: list[Problem] = []
    for name, body in written.items():
        path = ("steps", name)
        if not re.fullmatch(NAME_PATTERN, name) or len(name) > 60 or name == RETRY:
            problems.append(source.problem(values.NOT_A_NAME, path, f"'{name}' is not a step's name", NAME_CURE))
        steps[name], found = _read_step(source, name, body)
        problems += found
    return steps, problems


def _read_step(source: Source, name: str, body: Any) -> tuple[Step, list[Problem]]:
    unread = _unread(body)
    kind = words_of(body)
    if kind is None:
        words = [near for word in body if (near := nearest(word, STEP_KINDS))] if isinstance(body, dict) else []
        cure = f"did you mean '{words[0]}'?" if words else f"one of {', '.join(STEP_KINDS)}"
        return unread, [source.problem(ways.NO_KIND, ("steps", name), f"step '{name}' does not say what it does", cure)]
    try:
        return STEP_KINDS[kind].model_validate(body), []
    except ValidationError as error:
        return unread, list(schema_problems(source, ("steps", name), STEP_KINDS[kind], error))


def _unread(body: Any) -> UnreadStep:
    """Where a step leads that cannot be read as a whole."""
    written = body if isinstance(body, dict) else {}
    then, menu = written.get("then", {}), written.get("menu", {})
    closes = words_of(body) in ("say", "sms", "end")
    outcomes = {"ok": then} if closes and isinstance(then, str) else then
    ways: list[tuple[Place, str, Any]] = []
    if isinstance(outcomes, dict):
        ways += [(("then", outcome), outcome, target) for outcome, target in outcomes.items()]
    if isinstance(menu, dict):
        ways += [(("menu", key, "then"), f"key_{key}", _target(option)) for key, option in menu.items()]
    readable = tuple(way for way in ways if isinstance(way[2], str))
    leads_on = bool(readable) or "end" in written
    is_torn = not (isinstance(outcomes, dict) and isinstance(menu, dict) and leads_on and len(readable) == len(ways))
    return UnreadStep(ways=readable, is_torn=is_torn)


def _target(option: Any) -> Any:
    return option.get("then") if isinstance(option, dict) else None


def _target_problems(source: Source, start: Any, steps: Mapping[str, Step]) -> Iterator[Problem]:
    if isinstance(start, str) and steps and start not in steps:
        yield source.problem(ways.NO_SUCH_STEP, ("start",), f"no step is called '{start}'", did_you_mean(start, steps))
    for name, step in steps.items():
        for below, outcome, target in step.targets():
            path = ("steps", name, *below)
            if target == RETRY and outcome != "not_found":
                yield source.problem(
                    ways.RETRY_MISPLACED, path, f"'{outcome}' cannot be tried again", "'retry' is for not_found"
                )
            elif target != RETRY and target not in steps:
                yield source.problem(
                    ways.NO_SUCH_STEP, path, f"no step is called '{target}'", did_you_mean(target, steps)
                )


def _outcome_problems(source: Source, steps: Mapping[str, Step]) -> Iterator[Problem]:
    for name, step in steps.items():
        then = getattr(step, "then", None)
        if not isinstance(then, dict):
            continue
        path, known = ("steps", name, "then"), step.known_outcomes()
        for outcome in sorted(step.required() - set(then)):
            message = f"step '{name}' does not say where outcome '{outcome}' goes"
            yield source.problem(ways.OUTCOME_NOT_LED, path, message, f"add '{outcome}: <step>'")
        for outcome in sorted(set(then) - known):
            message = f"step '{name}' has no outcome '{outcome}'"
            yield source.problem(ways.NO_SUCH_OUTCOME, (*path, outcome), message, did_you_mean(outcome, known))


def _machine(head: FlowHead, steps: Mapping[str, Step]) -> Machine:
    machine = Machine(
        model=None, states=[*steps, *sorted(BUILT_IN)], initial=head.start, auto_transitions=False, send_event=False
    )
    for name, step in steps.items():
        given = {outcome: target for _, outcome, target in step.targets()}
        implied = {outcome: IMPLICIT[outcome] for outcome in step.known_outcomes() if outcome in IMPLICIT}
        for outcome, target in (implied | given).items():
            machine.add_transition(outcome, name, name if target == RETRY else target)
    return machine
