"""From a flow's text to a checked, compiled flow: one shared `transitions` machine, or every problem at once."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from transitions import Machine

from ivr.flow.advice import advise
from ivr.flow.circles import circle_problems
from ivr.flow.compiled import Flow
from ivr.flow.declared import Declared
from ivr.flow.endings import UnreadStep
from ivr.flow.expression_check import expression_problems
from ivr.flow.inlining import InlinedSource, is_step_name, promise_problems, read_flow
from ivr.flow.known import known_values
from ivr.flow.part_files import NO_PARTS, Parts
from ivr.flow.paths import path_problems, ways_to_steps
from ivr.flow.prompts import prompt_problems
from ivr.flow.remembering import remembering_problems
from ivr.flow.said_all_the_same import said_without
from ivr.flow.said_otherwise import said_otherwise
from ivr.flow.schema import RETRY, FlowHead, LookUpTerms
from ivr.flow.schema_problems import schema_problems
from ivr.flow.splitting import partial_problems, split_problems, sum_problems
from ivr.flow.step import Step, Way
from ivr.flow.step_check import (
    bank_problems,
    bill_problems,
    card_field_problems,
    fixed_amount_problems,
    known_bank_problems,
    operation_problems,
    setting_problems,
    step_problems,
)
from ivr.flow.steps import kind_of, kinds, words
from ivr.reading.problems import Problem, did_you_mean, nearest
from ivr.reading.rules import reading, values, ways
from ivr.reading.typed_values import ValueType
from ivr.reading.yaml_source import Source
from ivr.words.prompt_files import PromptFiles

# Where a step leads that does not say: the engine's own endings. A merchant's step names cannot begin with an underscore.
GAVE_UP, CANCELLED, NOT_SENT = "_gave_up", "_cancelled", "_not_sent"
BUILT_IN = frozenset({GAVE_UP, CANCELLED, NOT_SENT})
IMPLICIT = {"gave_up": GAVE_UP, "cancelled": CANCELLED, "not_sent": NOT_SENT}
# Steps without a key in between are spoken in one turn, each deeper in the stack; nobody has written half as many.
MOST_STEPS = 200
NAME_CURE = "small letters, digits and _"


@dataclass(frozen=True)
class Around:
    """What a flow is used with, as far as it is known; None: not checked against it.

    `partly_approving`: the banks that may approve a part of what is asked for. `card_fields`: by bank those that its protocol has room for; `operations`: by bank those that it promises. `parts` are those that its steps may use, `switched_on` the settings that steps may rely on, `banks` the currencies that each bank takes by its name (none: any), `bills` those of the bills to be paid.
    """

    prompts: PromptFiles | None = None
    banks: Mapping[str, Collection[str]] | None = None
    card_fields: Mapping[str, Collection[str]] | None = None
    operations: Mapping[str, Collection[str]] | None = None
    bills: Collection[str] | None = None
    parts: Parts = NO_PARTS
    switched_on: Collection[str] | None = None
    partly_approving: Collection[str] | None = None


NOTHING_AROUND = Around()


@dataclass(frozen=True)
class Checked:
    """`flow` is None where there are problems; advice stands in nobody's way."""

    flow: Flow | None
    problems: list[Problem]
    advice: list[Problem]


def compile_flow(file: str, text: str | bytes, around: Around = NOTHING_AROUND) -> tuple[Flow | None, list[Problem]]:
    """The flow, or None and every problem found."""
    checked = check_flow(read_flow(file, text, around.parts), around)
    return checked.flow, checked.problems


def check_flow(source: InlinedSource, around: Around) -> Checked:
    if not isinstance(source.tree, dict) or not source.tree:
        nothing = source.problem(reading.NOTHING_WRITTEN, (), "there is no flow here", "begin with 'flow: <name>'")
        return Checked(None, source.problems or [nothing], [])
    head, head_problems = _read_head(source)
    steps, step_problems = _read_steps(source, Declared(head.lookups if head else _readable_look_ups(source)))
    found = [*source.problems, *head_problems, *step_problems, *_fit_problems(source, head, steps, around)]
    problems = sorted({problem for problem in found if not problem.is_advice})
    advice = sorted({problem for problem in found if problem.is_advice})
    flow = None if problems or head is None else Flow(head, steps, _machine(head, steps))
    return Checked(flow, problems, advice)


def _fit_problems(
    source: InlinedSource, head: FlowHead | None, steps: dict[str, Step], around: Around
) -> Iterator[Problem]:
    """Do the steps fit together, and with what is around them?"""
    start = source.tree.get("start")
    yield from _outcome_problems(source, steps)
    yield from _target_problems(source, start, steps)
    yield from bank_problems(source, steps)
    yield from fixed_amount_problems(source, head, steps)
    yield from known_bank_problems(source, head, steps, around.banks)
    if around.card_fields is not None:
        yield from card_field_problems(source, steps, around.card_fields)
    if around.partly_approving is not None:
        yield from partial_problems(source, steps, around.partly_approving)
    if around.operations is not None:
        yield from operation_problems(source, steps, around.operations)
    if around.bills is not None:
        yield from bill_problems(source, head, steps, around.bills)
    if around.switched_on is not None:
        yield from setting_problems(source, steps, around.switched_on)
    start_is_readable = isinstance(start, str) and bool(steps)
    reached = ways_to_steps(start, steps) if start_is_readable else {}
    known = known_values(start, steps) if start_is_readable else {}
    if reached:
        yield from path_problems(source, reached, steps)
        yield from split_problems(source, head, steps, reached)
        yield from sum_problems(source, head, steps)
        yield from circle_problems(source, reached, steps)
    if around.prompts is not None:
        yield from prompt_problems(source, steps, known, around.prompts)
        yield from said_otherwise(source, head, steps, reached, around.prompts)
    yield from remembering_problems(source, head, steps, around.prompts)
    yield from step_problems(source, steps, known)
    yield from promise_problems(source, steps, known)
    yield from expression_problems(source, head, steps, reached, known)
    yield from advise(source, head)


def _read_head(source: Source) -> tuple[FlowHead | None, list[Problem]]:
    written = {key: value for key, value in source.tree.items() if key != "steps"}
    try:
        return FlowHead.model_validate(written), []
    except ValidationError as error:
        return None, list(schema_problems(source, (), FlowHead, error, frozenset({"steps"})))


def _readable_look_ups(source: Source) -> dict[str, LookUpTerms]:
    """Of a head with problems: no step is to be told of what is declared well."""
    written = source.tree.get("lookups")
    return {name: _readable_terms(terms) for name, terms in written.items()} if isinstance(written, dict) else {}


def _readable_terms(written: Any) -> LookUpTerms:
    terms = written if isinstance(written, dict) else {}
    gives = terms.get("gives")
    parts = [{"takes": terms["takes"]}] if "takes" in terms else []
    parts += [{"gives": {name: kind}} for name, kind in gives.items()] if isinstance(gives, dict) else []
    takes: list[str] = []
    given: dict[str, ValueType] = {}
    for part in parts:
        try:
            read = LookUpTerms.model_validate(part)
        except ValidationError:
            continue
        takes, given = [*takes, *read.takes], given | read.gives
    return LookUpTerms.model_construct(takes=takes, gives=given)


def _read_steps(source: InlinedSource, declared: Declared) -> tuple[dict[str, Step], list[Problem]]:
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
        if not source.is_inlined(name) and not is_step_name(name):
            problems.append(source.problem(values.NOT_A_NAME, path, f"'{name}' is not a step's name", NAME_CURE))
        is_unread = name in source.unread
        steps[name], found = (_unread(body), []) if is_unread else _read_step(source, name, body, declared)
        problems += found
    return steps, problems


def _read_step(source: Source, name: str, body: Any, declared: Declared) -> tuple[Step, list[Problem]]:
    unread, kind = _unread(body), kind_of(body)
    if kind is None:
        near = [known for word in body if (known := nearest(word, words()))] if isinstance(body, dict) else []
        cure = f"did you mean '{near[0]}'?" if near else f"one of {', '.join(words())}"
        return unread, [source.problem(ways.NO_KIND, ("steps", name), f"step '{name}' does not say what it does", cure)]
    try:
        return kind.model_validate(body, context=declared), []
    except ValidationError as error:
        said = {"said": said_without(kind, body, error, declared), "always": tuple(kind.speaks)}
        unread = unread.model_copy(update=said)
        return unread, list(schema_problems(source, ("steps", name), kind, error))


def _unread(body: Any) -> UnreadStep:
    """Where a step leads that cannot be read as a whole: as its kind reads it, and others do whose word it has too."""
    written = body if isinstance(body, dict) else {}
    own = kind_of(body) or Step
    found = list(own.ways_written(written))
    for kind in kinds():
        if kind is not own and kind.word in written:
            found += [way for way in kind.ways_written(written) if way[0][0] != "then"]
    readable: tuple[Way, ...] = tuple(way for way in found if isinstance(way[2], str))
    leads_on = bool(readable) or "end" in written
    return UnreadStep(ways=readable, is_torn=not leads_on or len(readable) < len(found))


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
