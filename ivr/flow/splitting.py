"""A bill paid with several cards, as the checks see it: what `split` above the steps asks of the steps, and they of it.

`part` among the facts: a part of the bill is approved and the rest is not paid.
"""

from collections.abc import Collection, Iterator, Mapping

from ivr.flow.endings import UnreadStep, steps_after
from ivr.flow.expressions import Name, Operation, UnreadableFormula, read_expression
from ivr.flow.expressions.bounds import DUE
from ivr.flow.parts import Facts, Place, Said, without_set
from ivr.flow.schema import FlowHead
from ivr.flow.step import Step
from ivr.flow.talk.charging import PART_APPROVED
from ivr.reading.problems import Problem
from ivr.reading.rules import splits
from ivr.reading.rules.values import WRONG_VALUE
from ivr.reading.yaml_source import Source

IN_PART = "approved_in_part"
APPROVALS = frozenset({"approved", IN_PART})
PART = "part"


# ---- for the steps that hear a bank's approval


def says(then: Mapping[str, str]) -> Iterator[Said]:
    if IN_PART in then:
        values = frozenset({"amount", "due"})
        yield Said(("then", IN_PART), PART_APPROVED, values, must_say=values)


def places(then: Mapping[str, str]) -> Iterator[Place]:
    if IN_PART in then:
        yield "then", IN_PART


def facts_after(outcome: str, facts: Facts, became: str = "paid") -> Facts:
    """`became`: paid, or reserved."""
    facts = without_set(facts) - {"amount"} | {became}
    return facts | {PART} if outcome == IN_PART else facts - {PART}


# ---- checks


def sum_problems(source: Source, head: FlowHead | None, steps: Mapping[str, Step]) -> Iterator[Problem]:
    """What is of one bill, and could be of none of several that are paid in one sum."""
    alone = [f"{step.goes_alone}, as in step '{name}'" for name, step in steps.items() if step.goes_alone]
    if head is not None and head.split is not None:
        alone = ["where several cards may pay a bill"]
    for name, step in steps.items() if alone else ():
        if step.offers_bills and any(outcome == "all" for _, outcome, _ in step.targets()):
            message = f"'{name}' offers to pay all bills in one sum, which cannot be {alone[0]}"
            cure = "leave out 'all', or what does not go with it"
            yield source.problem(splits.SUM_IN_PARTS, ("steps", name, "then", "all"), message, cure)


def split_problems(
    source: Source, head: FlowHead | None, steps: Mapping[str, Step], reached: Mapping[str, set[Facts]]
) -> Iterator[Problem]:
    if head is None or any(isinstance(step, UnreadStep) for step in steps.values()):
        return
    if head.split is None:
        for name, step in steps.items():
            for place in step.splits:
                message, cure = (
                    f"'{place[-1]}' is for a bill that several cards may pay",
                    "add 'split: {}' above the steps",
                )
                yield source.problem(splits.NOT_SPLIT, ("steps", name, *place), message, cure)
        return
    if not any(step.looks_up_bills for step in steps.values()):
        message = "several cards pay a bill, and this flow looks none up"
        yield source.problem(
            splits.NO_BILL_TO_SPLIT, ("split",), message, "let an 'ask' step have 'lookup', or leave out 'split'"
        )
    is_taken_back = head.split.rest_unpaid == "take_back"
    for name, step in steps.items():
        if step.goes_alone:
            message = f"several cards cannot pay {step.goes_alone}, as in step '{name}'"
            yield source.problem(WRONG_VALUE, ("split",), message, "leave out 'split'")
        if "approved" in step.outcomes:
            yield from _way_problems(source, name, step, steps, is_taken_back=is_taken_back)
    yield from _place_problems(source, is_taken_back, steps, reached)
    yield from _discounts(source, steps)


def _discounts(source: Source, steps: Mapping[str, Step]) -> Iterator[Problem]:
    """Advice: all but something may be meant for a first part."""
    formulas = [(name, formula) for name, step in steps.items() for formula in step.formulas()]
    set_by = {formula.name: formula.text for _, formula in formulas if formula.name and formula.name != "amount"}
    for name, formula in formulas:
        if formula.pays in ("as_it_is", "at_most_due") and _is_due_less_something(formula.text, set_by):
            message = "several cards pay all that is due: this is a part of it, and no discount"
            cure = (
                "let your billing system lower what is due, or leave out 'split'; a share is written '50 % of bill.due'"
            )
            place = ("steps", name, *formula.path)
            yield source.problem_within(splits.DISCOUNT_IN_PARTS, place, 0, message, cure)


def _is_due_less_something(text: str, set_by: Mapping[str, str], *, is_reduced: bool = False) -> bool:
    """`set_by`: what each value that the flow sets is made of."""
    try:
        expression = read_expression(text)
    except UnreadableFormula:
        return False
    while isinstance(expression, Operation) and expression.word in ("+", "-"):
        is_reduced = is_reduced or expression.word == "-"
        expression = expression.parts[0]
    if not isinstance(expression, Name):
        return False
    if expression.name == DUE:
        return is_reduced
    others = {name: one for name, one in set_by.items() if name != expression.name}
    return expression.name in set_by and _is_due_less_something(set_by[expression.name], others, is_reduced=is_reduced)


def _way_problems(
    source: Source, name: str, step: Step, steps: Mapping[str, Step], *, is_taken_back: bool
) -> Iterator[Problem]:
    """A part that is kept is a payment like any other: nothing has to be able to undo it."""
    then = {outcome: target for _, outcome, target in step.targets()}
    if IN_PART not in then:
        message = f"step '{name}' does not say where outcome '{IN_PART}' goes"
        yield source.problem(splits.PART_NOT_LED, ("steps", name, "then"), message, f"add '{IN_PART}: <step>'")
        return
    first = then[IN_PART]
    after = {first, *steps_after(first, steps)} if first in steps else set(steps)
    if is_taken_back and not any(steps[one].takes_parts_back for one in after):
        message = f"there is no way from '{IN_PART}' to a step that takes the part back"
        cure = "lead to a 'take_back' step where the caller does not pay the rest"
        yield source.problem(splits.NO_WAY_BACK, ("steps", name, "then", IN_PART), message, cure)


def _place_problems(
    source: Source, is_taken_back: bool, steps: Mapping[str, Step], reached: Mapping[str, set[Facts]]
) -> Iterator[Problem]:
    for name, every_way in reached.items():
        step = steps[name]
        ways = [facts for facts in every_way if PART in facts]
        if not ways:
            continue
        if step.looks_up_bills or step.offers_bills:
            message = f"there is a way to '{name}' on which a part of the bill before is paid and the rest is not"
            cure = "let the rest be paid, or taken back, first"
            yield source.problem(splits.ANOTHER_BILL, ("steps", name), message, cure)
        elif is_taken_back and step.ending is not None and any("unsure" not in facts for facts in ways):
            message = f"there is a way to '{name}' on which a part of the bill is paid and the rest is not"
            cure = "lead to a 'take_back' step first, or say 'rest_unpaid: keep' above the steps"
            yield source.problem(splits.ENDS_IN_PART, ("steps", name, "end"), message, cure)


def partial_problems(source: Source, steps: Mapping[str, Step], banks: Collection[str]) -> Iterator[Problem]:
    """`banks`: those that may approve a part of what is asked for."""
    for name, step in steps.items():
        if ("partial",) in tuple(step.splits) and step.bank is not None and step.bank[1] not in banks:
            message = f"the bank '{step.bank[1]}' does not approve parts: its protocol has no way to say that it may"
            cure = "leave out 'partial', or pay by a bank that promises it (docs/money.md)"
            yield source.problem(splits.NO_PARTIAL_APPROVAL, ("steps", name, "partial"), message, cure)
