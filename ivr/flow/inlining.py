"""Puts the steps of parts into the places of the steps that use them, before anything else looks at a flow.

    sign_in: {use: authenticate, with: {length: 8}, then: {known: amount, not_known: goodbye}}

becomes the steps of the part `authenticate`, called `sign_in/account` and so on; a way into `sign_in` leads to the part's first
step, and what leads to an outcome of the part leads to where `then` says. From there on a flow with parts is a flow like any
other: machine, checks, drawings, coverage and versions see steps. Only places are different: a problem in a step of a part is in
the part's file, and one in a value that `with` gave, or in where `then` leads, is in the file that wrote it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from ivr.flow.calendars import Calendar, with_days
from ivr.flow.endings import UnreadStep
from ivr.flow.part_files import NO_PARTS, PARAMETER, Part, Parts, ways_written
from ivr.flow.parts import Known
from ivr.flow.schema import RETRY
from ivr.flow.schema_problems import schema_problems
from ivr.flow.step import Step
from ivr.flow.steps import kind_of
from ivr.reading.problems import Problem, did_you_mean
from ivr.reading.rules import Rule, values, ways
from ivr.reading.rules import parts as rules
from ivr.reading.scalars import NAME_PATTERN
from ivr.reading.yaml_source import Path, Source, read_yaml

BETWEEN = "/"  # the name of the step that uses a part, and that of a step of the part
MOST_STEPS = 400  # more than a flow may have: parts that use parts could make any number of them
LONGEST_NAME = 60  # as the store keeps it
LETTERS = "small letters, digits and _"


@dataclass(frozen=True)
class Promise:
    """A part's outcome, the values that are known after it, and the ways that leave the part by it."""

    part: Part
    outcome: str
    leaving: tuple[tuple[str, Path, str], ...]  # step, path of the target below it, outcome


@dataclass(frozen=True)
class InlinedSource(Source):
    """`tree` with every part in its place. `origins`: where what stands at a path was written. `unread`: steps that use a
    part which cannot be used; `used`: the parts and calendars in it, by name."""

    origins: Mapping[Path, tuple[Source, Path]] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
    used: Mapping[str, Part | Calendar] = field(default_factory=dict)
    promises: tuple[Promise, ...] = ()

    def problem(self, rule: Rule, path: Iterable[str | int], message: str, suggestion: str = "") -> Problem:
        """In the file that wrote it."""
        at = tuple(path)
        for length in range(len(at), 0, -1):
            if at[:length] in self.origins:
                source, there = self.origins[at[:length]]
                return source.problem(rule, (*there, *at[length:]), message, suggestion)
        return super().problem(rule, at, message, suggestion)

    def problem_within(self, rule: Rule, path: Path, at: int, message: str, suggestion: str = "") -> Problem:
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                source, there = self.origins[path[:length]]
                return source.problem_within(rule, (*there, *path[length:]), at, message, suggestion)
        return super().problem_within(rule, path, at, message, suggestion)

    def is_inlined(self, step: str) -> bool:
        return ("steps", step) in self.origins


def read_flow(file: str, text: str | bytes, parts: Parts = NO_PARTS) -> InlinedSource:
    return inlined(read_yaml(file, text), parts)


def inlined(source: Source, parts: Parts) -> InlinedSource:
    """Never raises: what is wrong is in `problems`."""
    listed = with_days(source, parts.calendars, parts.broken)
    steps = source.tree.get("steps") if isinstance(source.tree, dict) else None
    if not isinstance(steps, dict):
        found = [*source.problems, *listed.problems]
        return InlinedSource(source.file, listed.tree, source.places, found, source.values, origins=listed.origins)
    making = _Inlining(parts)
    start = source.tree.get("start")
    scope = _Scope(source, steps)
    making.add(scope)
    tree = listed.tree | {"steps": making.steps}
    if isinstance(start, str) and start in steps:
        tree["start"] = making.entry(scope, start)
    return InlinedSource(
        source.file,
        tree,
        source.places,
        [*source.problems, *listed.problems, *making.problems],
        source.values,
        origins=listed.origins | making.origins,
        unread=frozenset(making.unread),
        used={**making.used, **listed.used},
        promises=tuple(making.promises),
    )


@dataclass(frozen=True)
class _Scope:
    """The flow itself, or one use of a part. `leads`: by outcome, the step that follows and where that is written."""

    source: Source
    steps: Mapping[str, Any]
    prefix: str = ""
    within: tuple[str, ...] = ()  # the parts that it is in
    leads: Mapping[str, tuple[str, Source, Path]] = field(default_factory=dict)
    takes: Mapping[str, tuple[Any, Source, Path]] = field(default_factory=dict)


class _Inlining:
    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.steps: dict[str, Any] = {}
        self.origins: dict[Path, tuple[Source, Path]] = {}
        self.problems: list[Problem] = []
        self.unread: set[str] = set()
        self.used: dict[str, Part] = {}
        self.promises: list[Promise] = []
        self._leaving: dict[tuple[str, str], list[tuple[str, Path, str]]] = {}

    def add(self, scope: _Scope) -> None:
        for name, body in scope.steps.items():
            if len(self.steps) > MOST_STEPS:
                return
            part = self._part_of(body)
            if part and self._can_use(scope, name, body):
                self._use(scope, name, body, self.parts.known[part])
            else:
                self._step(scope, name, body)
                self.unread |= {scope.prefix + name} if part else set()

    def entry(self, scope: _Scope, name: str) -> str:
        """The step that a way to `name` leads to."""
        part = self.parts.known.get(self._part_of(scope.steps[name]))
        if part is None or part.head.part in scope.within or scope.prefix + name in self.unread:
            return scope.prefix + name
        within = (*scope.within, part.head.part)
        return self.entry(_Scope(part.source, part.steps, f"{scope.prefix}{name}{BETWEEN}", within), part.head.start)

    def _part_of(self, body: Any) -> str:
        kind = kind_of(body)
        return kind.part_used(body) if kind else ""

    # ---- a step that stays one

    def _step(self, scope: _Scope, name: str, body: Any) -> None:
        full = scope.prefix + name
        if scope.prefix:
            self.origins["steps", full] = (scope.source, ("steps", name))
        if len(full) > LONGEST_NAME and scope.prefix:
            message = f"the step's entire name, '{full}', is longer than {LONGEST_NAME} characters"
            self._problem(scope, values.NOT_A_NAME, (name,), message, "choose shorter names")
        body = self._filled(scope, body, ("steps", full))
        for path, outcome, target in ways_written(body):
            if isinstance(target, str):
                body = _with(body, path, self._target(scope, full, path, outcome, target))
        self.steps[full] = body

    def _target(self, scope: _Scope, step: str, path: Path, outcome: str, target: str) -> str:
        if target == RETRY:
            return target
        if target in scope.leads:
            there, source, place = scope.leads[target]
            for end in {path, path[:-1] if path[-1:] == ("ok",) else path}:
                self.origins[("steps", step, *end)] = (source, place)
            self._leaving.setdefault((scope.prefix, target), []).append((step, path, outcome))
            return there
        if BETWEEN in target:
            self._problem(scope, values.NOT_A_NAME, (step.removeprefix(scope.prefix), *path), NO_WAY_INTO, LETTERS)
        return self.entry(scope, target) if target in scope.steps else scope.prefix + target

    def _filled(self, scope: _Scope, value: Any, path: Path) -> Any:
        """With the values of parameters in their places."""
        if isinstance(value, str) and value.startswith(PARAMETER) and value[1:] in scope.takes:
            given, source, place = scope.takes[value[1:]]
            self.origins[path] = (source, place)
            return given
        if isinstance(value, dict):
            return {key: self._filled(scope, inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(scope, inner, (*path, index)) for index, inner in enumerate(value)]
        return value

    # ---- a step that uses a part

    def _use(self, scope: _Scope, name: str, body: Mapping[str, Any], part: Part) -> None:
        self.used[part.head.part] = part
        prefix, place = f"{scope.prefix}{name}{BETWEEN}", ("steps", name)
        leads = {}
        for outcome, target in body["then"].items():
            there = self._target(scope, scope.prefix + name, ("then", outcome), outcome, target)
            written = (scope.source, (*place, "then", outcome))
            leads[outcome] = (there, *self.origins.get(("steps", scope.prefix + name, "then", outcome), written))
        takes = {key: (default, part.source, ("takes", key)) for key, default in part.head.takes.items()}
        given = self._filled(scope, body.get("with", {}), ("steps", scope.prefix + name, "with"))
        for key, value in given.items():
            written = (scope.source, (*place, "with", key))
            takes[key] = (value, *self.origins.get(("steps", scope.prefix + name, "with", key), written))
        within = (*scope.within, part.head.part)
        self.add(_Scope(part.source, part.steps, prefix, within, leads, takes))
        for outcome, target in body["then"].items():
            leaving = self._leaving.get((prefix, outcome), [])
            if target in scope.leads:
                self._leaving.setdefault((scope.prefix, target), []).extend(leaving)
        for outcome in part.head.gives:
            leaving = self._leaving.get((prefix, outcome), [])
            self.promises.append(Promise(part, outcome, tuple(leaving)))

    def _can_use(self, scope: _Scope, name: str, body: Mapping[str, Any]) -> bool:
        before = len(self.problems)
        self.problems += self._use_problems(scope, name, body)
        return len(self.problems) == before and self._part_of(body) in self.parts.known

    def _use_problems(self, scope: _Scope, name: str, body: Mapping[str, Any]) -> Iterator[Problem]:
        """None for a part that is broken: that is told in its own file."""
        kind, place, used = kind_of(body), ("steps", name), self._part_of(body)
        assert kind is not None
        try:
            kind.model_validate(body)
        except ValidationError as error:
            yield from schema_problems(scope.source, place, kind, error)
            return
        part = self.parts.known.get(used)
        if used in scope.within:
            way = " -> ".join([*scope.within[scope.within.index(used) :], used])
            message, cure = f"part '{used}' uses itself: {way}", "lead back to a step of the part instead"
            yield scope.source.problem(rules.PART_IN_ITSELF, (*place, "use"), message, cure)
        elif part is None and used not in self.parts.broken:
            known = {*self.parts.known, *self.parts.broken}
            cure = did_you_mean(used, known) or f"make parts/{used}.yaml, which begins with 'part: {used}'"
            yield scope.source.problem(rules.NO_SUCH_PART, (*place, "use"), f"no part is called '{used}'", cure)
        elif part is not None:
            yield from _parameter_problems(scope.source, place, body, part)
            yield from _outcome_problems(scope.source, name, body, part)

    def _problem(self, scope: _Scope, rule: Rule, below: Path, message: str, cure: str) -> None:
        self.problems.append(scope.source.problem(rule, ("steps", *below), message, cure))


NO_WAY_INTO = "a way leads to a step of the flow's own, not into a part"


def _parameter_problems(source: Source, place: Path, body: Mapping[str, Any], part: Part) -> Iterator[Problem]:
    given, takes = body.get("with", {}), part.head.takes
    for key in given:
        if key not in takes:
            message, cure = f"part '{part.head.part}' does not take '{key}'", did_you_mean(key, takes)
            yield source.problem(rules.NO_SUCH_PARAMETER, (*place, "with", key), message, cure)
    for key, default in takes.items():
        if default == "" and key not in given:
            message, cure = f"part '{part.head.part}' needs '{key}'", f"add 'with: {{{key}: ...}}'"
            yield source.problem(rules.PARAMETER_MISSING, (*place, "use"), message, cure)


def _outcome_problems(source: Source, name: str, body: Mapping[str, Any], part: Part) -> Iterator[Problem]:
    then, known = body["then"], part.head.outcomes
    for outcome in sorted(set(known) - set(then)):
        message = f"step '{name}' does not say where outcome '{outcome}' of part '{part.head.part}' goes"
        yield source.problem(ways.OUTCOME_NOT_LED, ("steps", name, "then"), message, f"add '{outcome}: <step>'")
    for outcome in sorted(set(then) - set(known)):
        message = f"part '{part.head.part}' has no outcome '{outcome}'"
        cure = did_you_mean(outcome, known)
        yield source.problem(ways.NO_SUCH_OUTCOME, ("steps", name, "then", outcome), message, cure)


def promise_problems(source: InlinedSource, steps: Mapping[str, Step], known: Mapping[str, Known]) -> Iterator[Problem]:
    """Does each part give what it says, on every way by which it is left?"""
    for promise in source.promises:
        part, outcome = promise.part, promise.outcome
        for index, value in enumerate(part.head.gives[outcome]):
            sayable = value.rpartition(".")[2]
            for step, path, way in promise.leaving:
                before = known.get(step)
                if before is None or isinstance(steps[step], UnreadStep):
                    continue
                if sayable not in steps[step].tells(path, way, before):
                    message = f"part '{part.head.part}' does not give '{value}' on every way to its outcome '{outcome}'"
                    cure = f"'{step}' leads there without it: look it up before, or take it out of 'gives'"
                    place = ("gives", outcome, index)
                    yield part.source.problem(rules.PART_DOES_NOT_GIVE, place, message, cure)
                    break


def _with(body: Any, path: Path, target: str) -> Any:
    """The step with another target at the path; a path may go one key further than what is written (`then: <step>`)."""
    if not path or isinstance(body, str):
        return target
    key = path[0]
    if isinstance(body, list) and isinstance(key, int) and key < len(body):
        return [*body[:key], _with(body[key], path[1:], target), *body[key + 1 :]]
    return {**body, key: _with(body[key], path[1:], target)} if isinstance(body, dict) and key in body else body


def is_step_name(name: str) -> bool:
    return re.fullmatch(NAME_PATTERN, name) is not None and len(name) <= LONGEST_NAME and name != RETRY
