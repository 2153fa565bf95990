"""Parts: steps that several flows share, each in a file of its own (`part: <name>`), read and checked by themselves.

How a part comes into the flow that uses it is `inlining`. What its steps mean is checked there too, with the flow's own: here
are its name, what it takes and gives, how it is left, and whether its steps lead to one another. The calendars beside them are
read along (`calendars`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field, ValidationError

from ivr.flow.calendars import KEY, Calendar, is_calendar, read_calendar
from ivr.flow.schema import RETRY, Different, Written
from ivr.flow.schema_problems import schema_problems
from ivr.flow.step import Step, Way
from ivr.flow.steps import kind_of
from ivr.reading.problems import Problem, did_you_mean
from ivr.reading.rules import parts as rules
from ivr.reading.rules import reading, ways
from ivr.reading.scalars import Name, ValueName
from ivr.reading.yaml_source import Source, read_yaml

PARAMETER = "$"  # in front of a parameter's name, as an entire value: `length: $length`


class PartHead(Written):
    """Everything of a part but its steps."""

    part: Name
    """The part's name, by which flows use it."""
    takes: dict[Name, Any] = Field(default={})
    """What a flow may set with `with:`, each with its default; without a default a flow has to set it."""
    gives: dict[Name, list[ValueName]] = Field(default={})
    """By outcome: the values that are known once the part is left by it, such as bill.due."""
    outcomes: Annotated[list[Name], Field(min_length=1), Different]
    """How the part can be left: its steps lead to them as to steps."""
    start: Name
    """The first step."""


@dataclass(frozen=True)
class Part:
    """A part without problems of its own; its steps may still have some. `text` is what it was read from."""

    source: Source
    head: PartHead
    text: str

    @property
    def steps(self) -> Mapping[str, Any]:
        steps: Mapping[str, Any] = self.source.tree["steps"]
        return steps


@dataclass(frozen=True)
class Parts:
    """`known` by name, and `calendars` too; `broken` are the names of those with problems, as far as they have one."""

    known: Mapping[str, Part] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


NO_PARTS = Parts()


def read_parts(files: Iterable[tuple[str, str | bytes]]) -> Parts:
    """From (file name, text) pairs."""
    known: dict[str, Part | Calendar] = {}
    broken: set[str] = set()
    problems: list[Problem] = []
    for file, text in files:
        source = read_yaml(file, text)
        name, one, found = _read_file(source, text if isinstance(text, str) else text.decode("utf-8", "replace"))
        if one is not None and name in known:
            message = f"'{name}' is also in {known[name].source.file}"
            found = [source.problem(reading.WRITTEN_TWICE, (_key_of(source),), message, "rename one")]
        if found and name:
            broken.add(name)
        if one is not None and not found:
            known[name] = one
        problems += found
    sound = {name: one for name, one in known.items() if name not in broken}
    parts = {name: one for name, one in sound.items() if isinstance(one, Part)}
    calendars = {name: one for name, one in sound.items() if isinstance(one, Calendar)}
    return Parts(parts, calendars, frozenset(broken), tuple(problems))


def _key_of(source: Source) -> str:
    return KEY if is_calendar(source) else "part"


def _read_file(source: Source, text: str) -> tuple[str, Part | Calendar | None, list[Problem]]:
    """Its name, as far as it has one, and what it is."""
    name = source.tree.get(_key_of(source)) if isinstance(source.tree, dict) else None
    known = name if isinstance(name, str) else ""
    if is_calendar(source):
        return known, *read_calendar(source, text)
    head, found = _read_head(source)
    return known, Part(source, head, text) if head else None, found


def _read_head(source: Source) -> tuple[PartHead | None, list[Problem]]:
    if not isinstance(source.tree, dict) or not source.tree:
        nothing = source.problem(reading.NOTHING_WRITTEN, (), "there is no part here", "begin with 'part: <name>'")
        return None, source.problems or [nothing]
    written = {key: value for key, value in source.tree.items() if key != "steps"}
    try:
        head = PartHead.model_validate(written)
    except ValidationError as error:
        return None, [*source.problems, *schema_problems(source, (), PartHead, error, frozenset({"steps"}))]
    return head, [*source.problems, *_problems(source, head)]


def _problems(source: Source, head: PartHead) -> Iterator[Problem]:
    steps = source.tree.get("steps")
    if not isinstance(steps, dict) or not steps:
        cure = "below 'steps:', each with a name"
        yield source.problem(reading.NOTHING_WRITTEN, ("steps",), "a part needs steps", cure)
        return
    if head.start not in steps:
        message = f"no step is called '{head.start}'"
        yield source.problem(ways.NO_SUCH_STEP, ("start",), message, did_you_mean(head.start, steps))
    yield from _outcome_problems(source, head, steps)
    for name, body in steps.items():
        for path, _, target in ways_written(body):
            if isinstance(target, str) and target not in {RETRY, *steps, *head.outcomes}:
                message = f"neither a step nor an outcome of this part is called '{target}'"
                cure = did_you_mean(target, [*steps, *head.outcomes])
                yield source.problem(ways.NO_SUCH_STEP, ("steps", name, *path), message, cure)
        yield from _parameter_problems(source, ("steps", name), body, head.takes)


def _outcome_problems(source: Source, head: PartHead, steps: Mapping[str, Any]) -> Iterator[Problem]:
    led = {target for body in steps.values() for _, _, target in ways_written(body)}
    for index, outcome in enumerate(head.outcomes):
        path = ("outcomes", index)
        if outcome in steps:
            message = f"'{outcome}' is a step of this part too"
            yield source.problem(rules.OUTCOME_IS_STEP, path, message, "give one of them another name")
        elif outcome not in led:
            message = f"no step of this part leads to its outcome '{outcome}'"
            yield source.problem(rules.OUTCOME_NEVER, path, message, "lead a step to it, or remove it")
    for outcome in head.gives:
        if outcome not in head.outcomes:
            message = f"part '{head.part}' has no outcome '{outcome}'"
            cure = did_you_mean(outcome, head.outcomes)
            yield source.problem(ways.NO_SUCH_OUTCOME, ("gives", outcome), message, cure)


def _parameter_problems(
    source: Source, path: tuple[str | int, ...], value: Any, takes: Mapping[str, Any]
) -> Iterator[Problem]:
    for at, name in parameters(path, value):
        if name not in takes:
            message = f"the part does not take '{name}'"
            yield source.problem(rules.NO_SUCH_PARAMETER, at, message, did_you_mean(name, takes) or "add it to 'takes'")


def parameters(path: tuple[str | int, ...], value: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every parameter that is named in a value, with its place."""
    if isinstance(value, str) and value.startswith(PARAMETER):
        yield path, value.removeprefix(PARAMETER)
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in below:
        yield from parameters((*path, key), inner)


def ways_written(body: Any) -> list[Way]:
    """Where a step leads, whatever else may be wrong with it."""
    kind = kind_of(body) or Step
    return list(kind.ways_written(body)) if isinstance(body, dict) else []
