"""Does a flow whose cards cost a fee say so, in each of its languages, before the caller agrees and in what they can read later?"""

from collections.abc import Collection, Iterator, Mapping

from ivr.flow.step import Step
from ivr.reading.problems import Problem
from ivr.reading.rules.fees import FEE_NOT_SAID
from ivr.reading.yaml_source import Source
from ivr.words.prompt_files import PromptFile
from ivr.words.wordings import FEE

CONSENT = "confirm_card"
RECEIPTS = ("receipt_sms", "receipt_email", "result_paid_sms")
MUST_SAY = ("amount", "card_fee")


def fee_problems(
    source: Source, steps: Mapping[str, Step], needed: Collection[str], file: PromptFile
) -> Iterator[Problem]:
    """`needed`: the prompts that the flow says. Told at each step that asks for the fee."""
    asking = [name for name, step in steps.items() if step.card is not None and step.card.has_fee]
    for name in asking:
        for prompt in (CONSENT, *RECEIPTS):
            if prompt == CONSENT or prompt in needed:
                for message, cure in _lacks(prompt, file):
                    yield source.problem(FEE_NOT_SAID, ("steps", name, "fee"), message, cure)


def _lacks(prompt: str, file: PromptFile) -> Iterator[tuple[str, str]]:
    """One wording for any brand, flow and try is there, and each says what is charged and the fee in it."""
    example = f"{{amount:...}} with {{card_fee:...}} in prompts/{file.language}.yaml"
    if f"{prompt}{FEE}" not in file.names:
        message = f"there is a fee, and prompt '{prompt}{FEE}' is missing in {file.language}"
        yield message, f"add it: {example}"
    for wording in file.wordings(prompt):
        if wording.endswith(FEE):
            spoken = {slot.name for slot in file.templates[wording].slots}
            for value in MUST_SAY:
                if value not in spoken:
                    yield f"prompt '{wording}' does not say '{value}' in {file.language}", f"add {{{value}:...}}"
