"""The kinds of steps, by registration. Import `flow.steps` to have them all."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, get_args

from ivr.flow.parts import Explained, Moment
from ivr.flow.step import Step
from ivr.reading.scalars import NAME_PATTERN

# What a kind has to give, and what is missing without it.
PARTS: Mapping[str, str] = {
    "word": "the key that names it",
    "place": "its place among the kinds",
    "explained": "its row in docs/flows.md",
    "example": "a step of the kind in YAML",
    "outcomes": "how it can be left",
    "says": "the prompts that it speaks",
    "needs": "what must be true on every way to it",
    "makes": "what is true after it",
    "tells": "which values are known after it",
    "findings": "what can be wrong with it by itself",
    "drawn": "how it is drawn",
    "phases": "its phases, and what the line does in each",
    "keyed": "what keys are that are pressed there",
    "put": "how it asks",
    "hear": "how it hears",
}
KINDS: dict[str, type[Step]] = {}  # by the name of the class
Kind = TypeVar("Kind", bound=type[Step])


def step_kind(kind: Kind) -> Kind:
    """Registers a kind; a TypeError names the parts that it lacks."""
    lacking = list(_lacking(kind))
    if lacking:
        raise TypeError(f"step kind {kind.__name__} in {kind.__module__} lacks {'; '.join(lacking)}")
    KINDS[kind.__name__] = kind
    return kind


def _lacking(kind: type[Step]) -> list[str]:
    own = kind.__mro__[: kind.__mro__.index(Step)]
    lacking = [f"'{part}': {what}" for part, what in PARTS.items() if not any(part in vars(one) for one in own)]
    if not kind.__doc__:
        lacking.append("a docstring: what it does, in an editor")
    lacking += [
        f"another name for its key '{name}', with an alias" for name in kind.model_fields if hasattr(Step, name)
    ]
    lacking = lacking or list(_misshapen(kind))
    if lacking:
        return lacking
    if "entry" not in kind.phases:
        lacking.append("the phase 'entry', where it begins")
    double = next((one for one in KINDS.values() if one.place == kind.place and one.__name__ != kind.__name__), None)
    if double is not None:
        lacking.append(f"a place of its own: {double.__name__} has {kind.place}")
    namesake = KINDS.get(kind.__name__, kind)
    if namesake.__module__ != kind.__module__:
        lacking.append(f"a name of its own: {namesake.__module__} has a {kind.__name__}")
    alike = [one.__name__ for one in KINDS.values() if one.word == kind.word and one.__name__ != kind.__name__]
    if alike and not any("claims" in vars(one) for one in own):
        lacking.append(f"a word of its own, or 'claims': {', '.join(alike)} has '{kind.word}'")
    return lacking


def _misshapen(kind: type[Step]) -> Iterator[str]:
    """The parts that are there and can be none: an empty word would be in no step that anybody writes."""
    for part, what in PARTS.items():
        value = getattr(kind, part)
        if not (_IS_RIGHT[part](value) if part in _IS_RIGHT else callable(value)):
            yield f"a '{part}' that is one ({what}): {value!r} is none"
    for part in ("optional_outcomes", "speaks", "values", "hears", "leads", "tried"):
        value = getattr(kind, part)
        if not (_is_names(value) if part == "optional_outcomes" else isinstance(value, Mapping)):
            yield f"'{part}' of the shape that a step has: {value!r} is none"
    if isinstance(kind.phases, Mapping) and isinstance(kind.leads, Mapping) and isinstance(kind.hears, Mapping):
        others = {*kind.leads, *kind.hears, *(one for led in kind.leads.values() for one in led)} - set(kind.phases)
        yield from (f"the phase '{one}', which its 'leads' or 'hears' name" for one in sorted(others))


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(NAME_PATTERN, value) is not None


def _is_names(value: Any) -> bool:
    return isinstance(value, frozenset) and all(map(_is_word, value))


def _is_phases(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(one in get_args(Moment) for one in value.values())


_IS_RIGHT: Mapping[str, Callable[[Any], bool]] = {
    "word": _is_word,
    "place": lambda value: type(value) is int,
    "explained": lambda value: isinstance(value, Explained) and bool(value.written and value.does),
    "example": lambda value: isinstance(value, str) and bool(value.strip()),
    "outcomes": _is_names,
    "phases": _is_phases,
}


def kinds() -> tuple[type[Step], ...]:
    """In the order in which they are explained."""
    return tuple(sorted(KINDS.values(), key=lambda kind: kind.place))


def words() -> tuple[str, ...]:
    """The keys that name kinds, each once."""
    return tuple(dict.fromkeys(kind.word for kind in kinds()))


def kind_of(body: Any) -> type[Step] | None:
    """The kind of a written step; None where no key names one."""
    if not isinstance(body, dict):
        return None
    return next((kind for kind in kinds() if kind.claims(body)), None)
