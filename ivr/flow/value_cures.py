"""How each value of a flow comes to be known to its prompts: the cure where one says it too early (`flow.prompts`)."""

from collections.abc import Collection, Iterable, Mapping

from ivr.flow.declared import short
from ivr.flow.step import Step
from ivr.reading.scalars import BILL_VALUES
from ivr.words.slots import DATE_KINDS, OF_FEE

_GIVEN_BY = {
    "amount": "let the caller choose an amount first",
    **dict.fromkeys(("due", "min"), "a look-up gives it, or 'choose_bill' where it finds several bills"),
    **dict.fromkeys(("number", "confirmation_number"), "an approved charge gives it"),
    **dict.fromkeys(("brand", "last4"), "a 'collect' step gives it"),
    **dict.fromkeys(("key", "count", "value", "max"), "it is filled in elsewhere only"),
    **dict.fromkeys(("opens_on", "opens_at"), "a 'when' step that asks for 'open' gives it: let it come before"),
    **dict.fromkeys(OF_FEE, "only wordings whose names end with _with_fee are said where there is one"),
}


def ways_to_know(steps: Iterable[Step]) -> Mapping[str, str]:
    """By value. An answer to a question is not among them: it is asked for."""
    steps = list(steps)
    looked_up = short({name for step in steps for name in step.declared.types} - BILL_VALUES)
    computed = {formula.name for step in steps for formula in step.formulas() if formula.name}
    own = {value: kinds for step in steps for value, kinds in step.values.items()}
    alone = {value: _only_there(prompts, own[value]) for value in own if (prompts := _filled_in(value, steps))}
    return {
        **dict.fromkeys(looked_up, "a look-up gives it: let it be looked up before"),
        **dict.fromkeys(computed, "a 'set' step gives it: let that come before"),
        **alone,
        **_GIVEN_BY,
    }


def _filled_in(value: str, steps: Iterable[Step]) -> Collection[str]:
    """The prompts that a step gives this value of its own, for as long as they are said."""
    of_its_keys = {said.prompt for step in steps for said in step.says() if value in said.fills}
    return of_its_keys | {prompt for step in steps for prompt, values in step.speaks.items() if value in values}


def _only_there(prompts: Collection[str], kinds: frozenset[str]) -> str:
    """`{by}` of a promise is nothing that anybody could ask for, and is gone once the caller has agreed."""
    named = " and ".join(f"'{prompt}'" for prompt in sorted(prompts))
    cure = f"only {named} can say it: leave it out here"
    return f"{cure}, or 'set' a date of your own, such as today + 14 days" if kinds & DATE_KINDS >= {"date"} else cure
