"""From a flow's text to a checked, compiled flow: one shared `transitions` machine, or every problem at once."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError
from transitions import Machine

from ivr.core.flow import RETRY, STEP_KINDS, FlowHead, Step
from ivr.core.paths import path_problems
from ivr.core.problems import Problem, did_you_mean
from ivr.core.yaml_source import Source, read_yaml

# Where a step leads that does not say: the engine's own endings. A merchant's step names cannot begin with an underscore.
GAVE_UP, CANCELLED = "_gave_up", "_cancelled"
BUILT_IN = frozenset({GAVE_UP, CANCELLED})
IMPLICIT = {"gave_up": GAVE_UP, "cancelled": CANCELLED}


@dataclass(frozen=True)
class Flow:
    """A compiled flow, shared by all its calls and by all threads."""

    head: FlowHead
    steps: Mapping[str, Step]
    machine: Machine = field(repr=False)

    @property
    def name(self) -> str:
        return self.head.flow

    def follow(self, step: str, outcome: str) -> str:
        """The step that the outcome leads to. A throw-away cursor stands in for a model: 7-13 us, thread-safe."""
        cursor = _Cursor(step)
        self.machine.events[outcome].trigger(cursor)
        return cursor.state


class _Cursor:
    __slots__ = ("state",)

    def __init__(self, state: str) -> None:
        self.state = state


def compile_flow(
    file: str, text: str, prompts: Mapping[str, Collection[str]] | None = None
) -> tuple[Flow | None, list[Problem]]:
    """The flow, or None and every problem found. `prompts`: the names that each language has, where they should be checked."""
    source = read_yaml(file, text)
    head, head_problems = _read_head(source)
    steps, step_problems = _read_steps(source)
    problems = [*source.problems, *head_problems, *step_problems, *_outcome_problems(source, steps)]
    lost = list(_target_problems(source, head, steps))
    problems += lost
    if head is not None and not step_problems and not lost:
        problems += path_problems(source, head, steps)
    if head is not None and prompts is not None:
        problems += _prompt_problems(source, head, steps, prompts)
    if problems or head is None:
        return None, sorted(set(problems))
    return Flow(head, steps, _machine(head, steps)), []


def _read_head(source: Source) -> tuple[FlowHead | None, list[Problem]]:
    if not isinstance(source.tree, dict):
        return None, [source.problem((), "a flow is a mapping", "begin with 'flow: <name>'")]
    if source.problems and not source.tree:
        return None, []
    written = {key: value for key, value in source.tree.items() if key != "steps"}
    try:
        return FlowHead.model_validate(written), []
    except ValidationError as error:
        return None, list(_schema_problems(source, (), FlowHead, error, extra=("steps",)))


def _read_steps(source: Source) -> tuple[dict[str, Step], list[Problem]]:
    written = source.tree.get("steps") if isinstance(source.tree, dict) else None
    if not isinstance(written, dict) or not written:
        return {}, [] if source.problems else [source.problem(("steps",), "a flow needs steps", "add 'steps:'")]
    steps: dict[str, Step] = {}
    problems: list[Problem] = []
    for name, body in written.items():
        path = ("steps", name)
        if not name.replace("_", "a").isalnum() or not name[0].isalpha() or name == RETRY or name.lower() != name:
            problems.append(source.problem(path, f"'{name}' is not a step's name", "small letters, digits and _"))
        kind = next((word for word in STEP_KINDS if isinstance(body, dict) and word in body), None)
        if kind is None:
            words = body if isinstance(body, dict) else ()
            near = next((did_you_mean(word, STEP_KINDS) for word in words), f"one of {', '.join(STEP_KINDS)}")
            problems.append(source.problem(path, f"step '{name}' does not say what it does", near))
            continue
        try:
            steps[name] = STEP_KINDS[kind].model_validate(body)
        except ValidationError as error:
            problems += _schema_problems(source, path, STEP_KINDS[kind], error)
    return steps, problems


def _schema_problems(
    source: Source,
    base: tuple[str | int, ...],
    model: type[BaseModel],
    error: ValidationError,
    extra: tuple[str, ...] = (),
) -> Iterator[Problem]:
    # include_input=False: a flow's author may have pasted a secret into the wrong place.
    for found in error.errors(include_input=False, include_url=False, include_context=False):
        path = (*base, *(part for part in found["loc"] if part != "[key]"))
        if found["type"] == "extra_forbidden":
            known = _known_keys(model, found["loc"][:-1]) | set(extra)
            yield source.problem(path, f"unknown key '{path[-1]}'", did_you_mean(str(path[-1]), known))
        elif found["type"] == "missing":
            yield source.problem(path[:-1], f"key '{path[-1]}' is missing")
        else:
            yield source.problem(path, f"{path[-1] if path else 'flow'}: {found['msg'].removeprefix('Value error, ')}")


def _known_keys(model: type[BaseModel], path: Iterable[str | int]) -> set[str]:
    """The keys that a model knows at a place below it."""
    current: Any = model
    for part in path:
        annotation = current.model_fields[part].annotation if str(part) in current.model_fields else None
        nested = list(_models_in(annotation))
        if nested:
            current = nested[0]
    return {known.alias or name for name, known in current.model_fields.items()}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models_in(inner)


def _target_problems(source: Source, head: FlowHead | None, steps: Mapping[str, Step]) -> Iterator[Problem]:
    written = source.tree.get("steps") if isinstance(source.tree, dict) else None
    names = set(written) if isinstance(written, dict) else set()
    if head is not None and names and head.start not in names:
        yield source.problem(("start",), f"no step is called '{head.start}'", did_you_mean(head.start, names))
    for name, step in steps.items():
        for below, outcome, target in step.targets():
            path = ("steps", name, *below)
            if target != RETRY and target not in names:
                yield source.problem(path, f"no step is called '{target}'", did_you_mean(target, names))
            elif target == RETRY and outcome != "not_found":
                yield source.problem(path, f"'{outcome}' cannot be tried again", "'retry' is for not_found")


def _outcome_problems(source: Source, steps: Mapping[str, Step]) -> Iterator[Problem]:
    for name, step in steps.items():
        then = getattr(step, "then", None)
        if not isinstance(then, dict):
            continue
        path, known = ("steps", name, "then"), step.required() | step.optional_outcomes
        for outcome in sorted(step.required() - set(then)):
            message = f"step '{name}' does not say where outcome '{outcome}' goes"
            yield source.problem(path, message, f"add '{outcome}: <step>'")
        for outcome in sorted(set(then) - known):
            message = f"step '{name}' has no outcome '{outcome}'"
            yield source.problem((*path, outcome), message, did_you_mean(outcome, known))


# Prompts that the engine speaks of itself, whatever the flow says.
ENGINE_PROMPTS = (
    *("welcome", "choose_language", "no_input", "no_match", "nothing_entered", "cleared", "slow_mode_on"),
    *("offer_cancel", "cancelled", "goodbye", "apology", "you_were_charged", "you_were_not_charged"),
    *("we_will_text_the_result", "limit_attempts_per_caller", "limit_attempts_per_card", "limit_max_amount"),
    *("card_number_not_valid", "brand_not_accepted", "card_expired", "expiry_not_valid", "security_code_not_valid"),
    *("postal_code_not_valid", "hold_while_charging", "still_working", "card_declined", "nothing_due"),
    *("repeat_offer", "sms_offer", "sms_sent", "receipt_sms"),
)


def _prompt_problems(
    source: Source, head: FlowHead, steps: Mapping[str, Step], prompts: Mapping[str, Collection[str]]
) -> Iterator[Problem]:
    needed: list[tuple[tuple[str, ...], str]] = [(("languages",), name) for name in ENGINE_PROMPTS]
    needed += [(("steps", step), name) for step, body in steps.items() for name in body.prompts()]
    for index, language in enumerate(head.languages):
        if language not in prompts:
            message = f"there are no prompts in {language}"
            yield source.problem(("languages", index), message, f"add flows/prompts/{language}.yaml")
            continue
        for path, name in needed:
            if name not in prompts[language]:
                message = f"prompt '{name}' is missing in {language}"
                yield source.problem(path, message, did_you_mean(name, prompts[language]))


def _machine(head: FlowHead, steps: Mapping[str, Step]) -> Machine:
    machine = Machine(
        model=None, states=[*steps, *sorted(BUILT_IN)], initial=head.start, auto_transitions=False, send_event=False
    )
    for name, step in steps.items():
        given = {outcome: target for _, outcome, target in step.targets()}
        implied = {
            outcome: IMPLICIT[outcome] for outcome in (*step.required(), *step.optional_outcomes) if outcome in IMPLICIT
        }
        for outcome, target in (implied | given).items():
            machine.add_transition(outcome, name, name if target == RETRY else target)
    return machine
