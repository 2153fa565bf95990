"""Has a flow whose cards cost a fee the words to say so, in each of its languages? What they must say is in `words.consent`."""

from collections.abc import Collection, Iterator, Mapping

from ivr.flow.step import Step
from ivr.reading.problems import Problem
from ivr.reading.rules.fees import FEE_NOT_SAID
from ivr.reading.rules.values import WRONG_VALUE
from ivr.reading.yaml_source import Source
from ivr.words.consent import FEE_PROMPTS
from ivr.words.prompt_files import PromptFile
from ivr.words.wordings import FEE

CONSENT = FEE_PROMPTS[0]


def fee_problems(
    source: Source, steps: Mapping[str, Step], needed: Collection[str], file: PromptFile
) -> Iterator[Problem]:
    """`needed`: the prompts that the flow says. Told at each step that asks for the fee: a wording for one brand or one step
    alone is not enough, because another may be said where it does not fit."""
    asking = [name for name, step in steps.items() if step.card is not None and step.card.has_fee]
    refusals = [(name, step.goes_alone) for name, step in steps.items() if step.goes_alone]
    for name in asking:
        for other, why in refusals[:1]:
            message = f"a fee cannot be asked for {why}, as in step '{other}'"
            yield source.problem(WRONG_VALUE, ("steps", name, "fee"), message, "leave 'fee' out")
        if isinstance(source.tree, dict) and "split" in source.tree:
            message = "a fee cannot be asked for where several cards may pay a bill"
            yield source.problem(WRONG_VALUE, ("steps", name, "fee"), message, "leave 'fee' out, or 'split'")
        for prompt in FEE_PROMPTS:
            if (prompt == CONSENT or prompt in needed) and f"{prompt}{FEE}" not in file.names:
                message = f"there is a fee, and prompt '{prompt}{FEE}' is missing in {file.language}"
                cure = f"add it to prompts/{file.language}.yaml, with {{amount:...}} and {{card_fee:...}}"
                yield source.problem(FEE_NOT_SAID, ("steps", name, "fee"), message, cure)
