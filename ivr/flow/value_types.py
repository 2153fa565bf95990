"""Which values a flow has, and of which types: those of every call, of look-ups, answers, and those that steps set."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from ivr.flow.expressions import BUILT_IN, Type, UnreadableFormula, read_expression, type_of
from ivr.flow.step import Step
from ivr.flow.steps import kinds
from ivr.reading.scalars import BILL_VALUES
from ivr.reading.typed_values import ValueType
from ivr.words.slots import KINDS_OF_TYPE, TIME_KINDS

Types = Mapping[str, Type]
GIVEN: Types = {**BUILT_IN, **dict.fromkeys(sorted(BILL_VALUES), "money"), "amount": "money"}
KEPT: Mapping[str, frozenset[str]] = {
    **KINDS_OF_TYPE,
    "time": TIME_KINDS,
    **dict.fromkeys(("yes_no", "language", "weekday"), frozenset({"written"})),
}
"""The types that a call can keep, each with the kinds of slot that say it. A number of days is none: it is a date away."""


def value_types(steps: Iterable[Step]) -> Types:
    """Of all values of a flow; a value that is set as two types has the first."""
    steps = list(steps)
    answers: Types = {step.answer: "text" for step in steps if step.answer and step.answer != "money"}
    written = [(one.name, one.text) for step in steps for one in step.formulas() if one.name]
    declared: Types = {name: kind for step in steps for name, kind in step.declared.types.items() if kind != "email"}
    given: Types = {**answers, **declared, **GIVEN}
    return {**set_types(written, given), **given}


def set_types(written: Iterable[tuple[str, str]], given: Types) -> dict[str, Type]:
    """Of values that are set, by name and expression: one may be made of others that stand below it."""
    waiting, found = list(written), dict[str, Type]()
    while waiting:
        typed = [(name, kind) for name, text in waiting if (kind := type_of_text(text, {**given, **found}))]
        if not typed:
            break
        for name, kind in typed:
            found.setdefault(name, kind)
        waiting = [one for one in waiting if one[0] not in found]
    return found


def type_of_text(text: str, types: Types) -> Type | None:
    """None for what cannot be read, or has a mistake in it."""
    try:
        return type_of(read_expression(text), types).type
    except UnreadableFormula:
        return None


def set_in(tree: Any) -> Iterator[tuple[str, frozenset[str]]]:
    """The values that a flow's written steps set, which may not be readable as a whole, with the kinds that say them."""
    steps = tree.get("steps") if isinstance(tree, dict) else None
    bodies = [body for body in steps.values() if isinstance(body, dict)] if isinstance(steps, dict) else []
    answers: Types = {answer: "text" for body in bodies for kind in kinds() if (answer := kind.answer_written(body))}
    answers = {**answers, **{name: kind for _, name, kind in declared_in(tree) if kind != "email"}}
    written = [one for body in bodies for kind in kinds() if kind.claims(body) for one in kind.set_written(body)]
    for name, kind_of_value in set_types(written, {**answers, **GIVEN}).items():
        if name != "amount" and kind_of_value in KEPT:
            yield name, KEPT[kind_of_value]


def declared_in(tree: Any) -> Iterator[tuple[str, str, ValueType]]:
    """Look-up, value and type of what a flow, which may not be readable as a whole, declares that look-ups give."""
    look_ups = tree.get("lookups") if isinstance(tree, dict) else None
    for source, terms in look_ups.items() if isinstance(look_ups, dict) else ():
        gives = terms.get("gives") if isinstance(terms, dict) else None
        for name, kind in gives.items() if isinstance(gives, dict) else ():
            if kind in get_args(ValueType):
                yield source, name, kind
