"""Do a flow's prompts exist in each of its languages, and is what they say known where they are said? The words are `phrases`'."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ivr.core.flow import MenuStep, Place, SayStep, SmsStep, Step
from ivr.core.paths import Facts, Reached
from ivr.core.problems import Problem, nearest
from ivr.core.yaml_source import Source

# language -> names, or name -> the values that its slots say
PromptNames = Mapping[str, Collection[str]]

# Prompts that the engine speaks of itself, whatever the flow says.
ENGINE_PROMPTS = (
    *("welcome", "choose_language", "no_input", "no_match", "nothing_entered", "cleared", "slow_mode_on"),
    *("offer_cancel", "cancelled", "goodbye", "apology", "you_were_charged", "you_were_not_charged"),
    *("we_will_text_the_result", "limit_attempts_per_caller", "limit_attempts_per_card", "limit_max_amount"),
    *("card_number_not_valid", "brand_not_accepted", "card_expired", "expiry_not_valid", "security_code_not_valid"),
    *("postal_code_not_valid", "hold_while_charging", "still_working", "card_declined", "nothing_due"),
    *("repeat_offer", "sms_offer", "sms_sent", "receipt_sms", "cannot_text", "call_again_for_the_result"),
    *("payment_went_through", "charge_not_known"),
)
# What a slot says, and the fact of `paths` that makes it known. Slots of other values are checked with the prompt file.
KNOWN_WITH = {
    "amount": ("amount", "let the caller choose an amount first"),
    "due": ("bill.due", "a look-up gives it"),
    "min": ("bill.min", "a look-up gives it"),
    "number": ("paid", "an approved charge gives it"),
    "confirmation_number": ("paid", "an approved charge gives it"),
}


def prompt_problems(
    source: Source, steps: Mapping[str, Step], reached: Reached, prompts: PromptNames
) -> Iterator[Problem]:
    languages = source.tree.get("languages")
    for index, language in enumerate(languages if isinstance(languages, list) else ()):
        if not isinstance(language, str):
            continue
        if language not in prompts:
            cure = f"add prompts/{language}.yaml"
            yield source.problem(("languages", index), f"there are no prompts in {language}", cure)
            continue
        yield from _missing_problems(source, steps, language, prompts[language])
        for name, step in steps.items():
            yield from _slot_problems(source, name, step, reached.get(name, set()), prompts[language])


def _missing_problems(
    source: Source, steps: Mapping[str, Step], language: str, known: Collection[str]
) -> Iterator[Problem]:
    needed: list[tuple[Place, str]] = [(("languages",), name) for name in ENGINE_PROMPTS]
    needed += [(("steps", step), name) for step, body in steps.items() for name in body.prompts()]
    for path, name in needed:
        if name not in known:
            near = nearest(name, known)
            cure = f"did you mean '{near}'? or add it" if near else f"add it to prompts/{language}.yaml"
            yield source.problem(path, f"prompt '{name}' is missing in {language}", cure)


def _slot_problems(
    source: Source, name: str, step: Step, ways: set[Facts], known: Collection[str]
) -> Iterator[Problem]:
    """A prompt that says what is not known fails in the middle of a call."""
    for place, prompt in _said(step):
        slots: Any = known.get(prompt, ()) if isinstance(known, Mapping) else ()
        for slot in sorted(set(slots) & KNOWN_WITH.keys()):
            fact, cure = KNOWN_WITH[slot]
            if any(fact not in facts for facts in ways if "unread" not in facts):
                message = f"prompt '{prompt}' says '{slot}', which is not known on every way to '{name}'"
                yield source.problem(("steps", name, *place), message, cure)


def _said(step: Step) -> Iterator[tuple[Place, str]]:
    """What a step says as it begins; what it says later it has the values for."""
    match step:
        case SayStep():
            yield ("say",), step.say
        case SmsStep():
            yield from ((("sms",), prompt) for prompt in step.prompts())
        case MenuStep():
            yield from ((("menu", key, "say"), option.say) for key, option in step.menu.items())
