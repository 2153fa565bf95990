"""The expressions of a flow's steps: can they be read, do their types fit, and is each value known wherever it is used?"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ivr.core.hours import A_DAY
from ivr.flow.endings import UnreadStep
from ivr.flow.expressions import (
    BUILT_IN,
    IN_WORDS,
    TIMED,
    Expression,
    Literal,
    Name,
    Operation,
    UnreadableFormula,
    is_reached,
    leaves_of,
    names_in,
    read_expression,
    type_of,
)
from ivr.flow.parts import CHANNELS, Facts, Formula, Known
from ivr.flow.payable_check import never_so
from ivr.flow.schema import FlowHead
from ivr.flow.step import Step
from ivr.flow.talk.open_bills import CHOSEN, FACT
from ivr.flow.value_check import CHOOSE_FIRST
from ivr.flow.value_names import meant_by, unknown_names
from ivr.flow.value_types import GIVEN, KEPT, Types, value_types
from ivr.reading.hours import WEEKDAYS
from ivr.reading.problems import Problem
from ivr.reading.rules import Rule, values, ways
from ivr.reading.rules import expressions as rules
from ivr.reading.scalars import BILL_VALUES
from ivr.reading.yaml_source import Source

_ALIKE = frozenset({"=", "!=", "in", "not in"})
_QUOTED_CHANNELS = ", ".join(f'"{one}"' for one in CHANNELS)
_GIVEN_BY = {
    "amount": "let the amount come before the card",
    **dict.fromkeys(BILL_VALUES, "a look-up gives bill.due and bill.min"),
}


@dataclass(frozen=True)
class Place:
    """An expression in its flow."""

    source: Source
    step: str
    formula: Formula

    def problem(self, rule: Rule, at: int, message: str, cure: str = "") -> Problem:
        path = ("steps", self.step, *self.formula.path)
        return self.source.problem_within(rule, path, at, message, cure)


def expression_problems(
    source: Source,
    head: FlowHead | None,
    steps: Mapping[str, Step],
    reached: Mapping[str, set[Facts]],
    known: Mapping[str, Known],
) -> Iterator[Problem]:
    types = value_types(steps.values())
    is_never = _is_never(head, steps)
    for name, step in steps.items():
        sure = _sure(step, reached.get(name, set()), known.get(name), types)
        for formula in step.formulas():
            place = Place(source, name, formula)
            yield from _problems_of(place, head, types, sure)
            yield from _never_that(place, types, is_never)
            yield from _never_open(place, head)
            if formula.name and sure is not None:
                sure |= {formula.name}
        yield from _not_reached([Place(source, name, one) for one in step.formulas() if one.is_case], types)


def _problems_of(place: Place, head: FlowHead | None, types: Types, sure: Facts | None) -> Iterator[Problem]:
    try:
        expression = read_expression(place.formula.text)
    except UnreadableFormula as error:
        yield place.problem(rules.NOT_AN_EXPRESSION, error.at, str(error), error.cure)
        return
    unknown = list(_unknown(place, expression, types, head.languages if head else ()))
    yield from unknown
    if not unknown:
        yield from _type_problems(place, expression, types)
        yield from _not_known(place, expression, sure)
        yield from _never_so(place, expression)
        if not type_of(expression, types).mistakes:
            for never in never_so(place.formula, expression, head.limits.max_amount if head else None):
                yield place.problem(never.rule, never.at, never.message, never.cure)
    if head is not None:
        yield from _currency_problems(place, expression, head)
        yield from _clock_problems(place, expression, head)


def _unknown(place: Place, expression: Expression, types: Types, spoken: Iterable[str]) -> Iterator[Problem]:
    for one in unknown_names(expression, place.formula.text, types):
        message = f"no look-up gives '{one.name}'" if "." in one.name else f"no value is called '{one.name}'"
        yield place.problem(values.NO_SUCH_VALUE, one.at, message, meant_by(one, place.formula, types, spoken))


def _type_problems(place: Place, expression: Expression, types: Types) -> Iterator[Problem]:
    typed, formula = type_of(expression, types), place.formula
    wanted = formula.gives
    for mistake in typed.mistakes:
        yield place.problem(rules.TYPES_DIFFER, mistake.at, mistake.message, mistake.cure)
    if typed.mistakes or typed.type is None:
        return
    if wanted and typed.type != wanted:
        message = f"this is {IN_WORDS[typed.type]}, and {IN_WORDS[wanted]} is needed"
        yield place.problem(rules.TYPES_DIFFER, 0, message, _WANTED[wanted])
    elif formula.name and typed.type not in KEPT:
        message = f"{IN_WORDS[typed.type]} cannot be kept"
        yield place.problem(rules.TYPES_DIFFER, 0, message, "keep the date or the amount that it is for")
    elif formula.name and typed.type != types.get(formula.name):
        yield from _set_as_two(place, typed.type, types)
    elif formula.name in GIVEN.keys() - {"amount"} or formula.name in _short_names(types):
        message = f"'{formula.name}' is another value's name already"
        yield place.problem(rules.SET_AS_TWO, 0, message, "choose another name")


_WANTED = {"money": "such as bill.due or 5.00 USD", "yes_no": "compare it with something, such as bill.due > 5.00 USD"}


def _short_names(types: Types) -> set[str]:
    """A prompt says a look-up's value by its last word."""
    return {name.rpartition(".")[2] for name in types if "." in name}


def _set_as_two(place: Place, kind: str, types: Types) -> Iterator[Problem]:
    other = types.get(place.formula.name)
    if other is not None:
        message = f"'{place.formula.name}' is {IN_WORDS[kind]} here and {IN_WORDS[other]} elsewhere"  # type: ignore[index]
        yield place.problem(rules.SET_AS_TWO, 0, message, "choose another name for one of them")


# ---- what is known there


def _sure(step: Step, reached: set[Facts], known: Known, types: Types) -> Facts | None:
    """The values that an expression of the step may use; None where nothing is known of the ways to it."""
    read = [facts for facts in reached if "unread" not in facts]
    if not read or known is None:
        return None
    answers = {name for name, kind in types.items() if kind == "text" and name not in GIVEN}
    return frozenset.intersection(*read) | (known & answers) | BUILT_IN.keys()


def _not_known(place: Place, expression: Expression, sure: Facts | None) -> Iterator[Problem]:
    for one in names_in(expression):
        if sure is not None and one.name not in sure:
            message = f"'{one.name}' is not known on every way to '{place.step}'"
            cure = _GIVEN_BY.get(one.name, "let it be asked for, looked up or set before")
            cure = CHOOSE_FIRST if one.name in BILL_VALUES and FACT in sure and CHOSEN not in sure else cure
            yield place.problem(ways.VALUE_NOT_KNOWN, one.at, message, cure)


def _never_so(place: Place, expression: Expression) -> Iterator[Problem]:
    """A channel is one of a few words: another one would never be true, and nobody would notice."""
    if not isinstance(expression, Operation):
        return
    if expression.word in _ALIKE and "channel" in _names_of(expression.parts):
        for one in leaves_of(expression):
            if isinstance(one, Literal) and one.type == "text" and one.value not in CHANNELS:
                message = f"'channel' is never \"{one.value}\""
                yield place.problem(values.WRONG_VALUE, one.at, message, f"write one of {_QUOTED_CHANNELS}")
        return
    for part in expression.parts:
        yield from _never_so(place, part)


def _names_of(parts: Iterable[Expression]) -> set[str]:
    return {part.name for part in parts if isinstance(part, Name)}


# ---- values that are never so

Never = Callable[[str, str, Literal], str]
"""Why a value of this name is never, compared by this word, what is written; "" where it may be."""


def _never_that(place: Place, types: Types, is_never: Never) -> Iterator[Problem]:
    try:
        expression = read_expression(place.formula.text)
    except UnreadableFormula:
        return
    if not type_of(expression, types).mistakes:
        for name, word, literal in _compared(expression):
            if cure := is_never(name, word, literal):
                does = "never begins with" if word == "starts with" else "is never"
                written = literal.value if literal.type == "language" else f'"{literal.value}"'
                yield place.problem(rules.NEVER_THAT_VALUE, literal.at, f"'{name}' {does} {written}", cure)


def _never_open(place: Place, head: FlowHead | None) -> Iterator[Problem]:
    """`open and weekday = sunday`, where the flow's hours have no Sunday, and no Saturday that runs into it."""
    days = head.hours.days if head is not None and head.hours is not None else None
    if days is None or place.formula.gives != "yes_no":
        return
    open_on = {day for day, spans in days.items() if spans}
    open_on |= {(day + 1) % len(WEEKDAYS) for day, spans in days.items() if any(one.closes > A_DAY for one in spans)}
    try:
        asked = list(_joined_by_and(read_expression(place.formula.text)))
    except UnreadableFormula:
        return
    if not any(isinstance(one, Name) and one.name == "open" for one in asked):
        return
    for one in asked:
        if isinstance(one, Operation) and one.word in ("=", "in") and "weekday" in _names_of(one.parts):
            named = [leaf for leaf in leaves_of(one) if isinstance(leaf, Literal) and leaf.type == "weekday"]
            if len(named) == len(one.parts) - 1 and all(WEEKDAYS.index(day.value) not in open_on for day in named):
                message = f"'open' is never yes on {' or '.join(day.value for day in named)}, by the flow's hours"
                yield place.problem(rules.NEVER_YES, one.at, message, "add the day to 'hours', or leave out 'open'")


def _joined_by_and(expression: Expression) -> Iterator[Expression]:
    if isinstance(expression, Operation) and expression.word == "and":
        for part in expression.parts:
            yield from _joined_by_and(part)
    else:
        yield expression


def _compared(expression: Expression) -> Iterator[tuple[str, str, Literal]]:
    """Each value with what it is compared with, and how."""
    if not isinstance(expression, Operation):
        return
    if expression.word in _ALIKE or expression.word == "starts with":
        name = next((part.name for part in expression.parts if isinstance(part, Name)), "")
        literals = [part for part in expression.parts if isinstance(part, Literal)]
        is_plain = name and len(literals) == len(expression.parts) - 1
        if expression.word != "starts with" or isinstance(expression.parts[0], Name):
            yield from ((name, expression.word, literal) for literal in literals if is_plain)
        return
    for part in expression.parts:
        yield from _compared(part)


def _is_never(head: FlowHead | None, steps: Mapping[str, Step]) -> Never:
    """Of a flow that cannot be read as a whole nothing is certain."""
    languages = frozenset(head.languages if head else ())
    is_read = head is not None and not any(isinstance(step, UnreadStep) for step in steps.values())

    def cure(name: str, word: str, literal: Literal) -> str:
        if name == "language" and literal.type == "language":
            spoken = ", ".join(sorted(languages))
            return (
                f"the flow speaks {spoken}: add it to 'languages', or leave it out"
                if literal.value not in languages
                else ""
            )
        asking = [step for step in steps.values() if step.answer == name]
        begins = word == "starts with"
        if literal.type != "text" or any(step.answer_can_be(literal.value, only_begins=begins) for step in asking):
            return ""
        return "write digits, as many of them as the answer has" if asking else ""

    return cure if is_read else lambda _name, _word, _literal: ""


# ---- conditions of which the first that is yes leads on


def _not_reached(cases: Sequence[Place], types: Types) -> Iterator[Problem]:
    above: list[Expression] = []
    for place in cases:
        try:
            condition = read_expression(place.formula.text)
        except UnreadableFormula:
            return
        # Below one that is always yes nothing is asked at all, and that one is told.
        if type_of(condition, types).mistakes or not is_reached(Literal(0, "yes_no", True), above):
            return
        if above and is_reached(condition, []) and not is_reached(condition, above):
            message = "this is never asked with a yes: a condition above it is yes whenever this is"
            yield place.problem(rules.NEVER_YES, 0, message, "put the narrower condition first, or leave it out")
        above.append(condition)


# ---- money, and the clock


def _currency_problems(place: Place, expression: Expression, head: FlowHead) -> Iterator[Problem]:
    """An amount that stands alone is told by `step_check`."""
    currency = head.limits.max_amount.currency
    for literal in leaves_of(expression) if isinstance(expression, Operation) else ():
        if isinstance(literal, Literal) and literal.type == "money" and literal.value.currency != currency:
            message = f"{literal.value} is in another currency than 'max_amount', which is in {currency}"
            yield place.problem(rules.ANOTHER_CURRENCY, literal.at, message, f"write it in {currency}")


def _clock_problems(place: Place, expression: Expression, head: FlowHead) -> Iterator[Problem]:
    hours = head.hours
    for one in names_in(expression):
        if one.name in TIMED and hours is None:
            message = f"'{one.name}' needs to know whose clock is meant"
            yield place.problem(rules.NO_TIME_ZONE, one.at, message, "add 'hours: {zone: America/New_York}' or another")
        elif one.name == "open" and hours is not None and hours.days is None and not hours.holidays:
            message = "'open' is always yes: the flow does not say when it is open"
            yield place.problem(rules.NO_TIME_ZONE, one.at, message, "add 'days' or 'holidays' to 'hours'")
