"""Do a flow's prompts exist in each of its languages, and is what they say known where they are said?"""

from collections.abc import Iterator, Mapping

from ivr.flow.known import Known
from ivr.flow.schema import AskStep, MenuStep, PayStep, Place, Step
from ivr.reading.problems import Problem, nearest
from ivr.reading.rules.prompts import NO_PROMPT_FILE, PROMPT_MISSING, PROMPT_TOO_EARLY
from ivr.reading.scalars import read_language
from ivr.reading.yaml_source import Source
from ivr.words.consent import offer_faults
from ivr.words.keys_said import keys_said, prose
from ivr.words.prompt_files import PromptFile, PromptFiles
from ivr.words.slots import ALWAYS, CALL_VALUES, ENGINE_PROMPTS, TEXTS, filled_in

# How a value comes to be known.
_GIVEN_BY = {
    "amount": "let the caller choose an amount first",
    **dict.fromkeys(("due", "min"), "a look-up gives it"),
    **dict.fromkeys(("number", "confirmation_number"), "an approved charge gives it"),
    **dict.fromkeys(("brand", "last4"), "a 'collect' step gives it"),
    **dict.fromkeys(("key", "count", "value", "max"), "it is filled in elsewhere only"),
}


def prompt_problems(
    source: Source, steps: Mapping[str, Step], known: Mapping[str, Known], prompts: PromptFiles
) -> Iterator[Problem]:
    """Nothing is said of a language whose file cannot be read: what is wrong with that is told there."""
    languages = source.tree.get("languages")
    for index, language in enumerate(languages if isinstance(languages, list) else ()):
        if not isinstance(language, str) or not _is_language(language):
            continue
        if language not in prompts:
            cure = f"add prompts/{language}.yaml"
            yield source.problem(NO_PROMPT_FILE, ("languages", index), f"there are no prompts in {language}", cure)
        elif prompts[language].is_readable:
            yield from _missing_problems(source, steps, prompts[language])
            values = CALL_VALUES | {step.ask for step in steps.values() if isinstance(step, AskStep)}
            for name, step in steps.items():
                yield from _value_problems(source, name, step, known.get(name), values, prompts[language])
                yield from _key_problems(source, name, step, prompts[language])


def _is_language(tag: str) -> bool:
    """Otherwise it is told as such, and nobody should add prompts in it."""
    try:
        return bool(read_language(tag))
    except ValueError:
        return False


def needed_prompts(steps: Mapping[str, Step]) -> frozenset[str]:
    return frozenset(_always_needed(steps)).union(*(step.prompts() for step in steps.values()))


def _always_needed(steps: Mapping[str, Step]) -> list[str]:
    pays = any(isinstance(step, PayStep) for step in steps.values())
    return [*ENGINE_PROMPTS, *(TEXTS if pays else ())]


def _missing_problems(source: Source, steps: Mapping[str, Step], file: PromptFile) -> Iterator[Problem]:
    needed: list[tuple[Place, str]] = [(("languages",), name) for name in _always_needed(steps)]
    needed += [(("steps", step, *place), name) for step, body in steps.items() for place, name in body.says()]
    unused = file.names - {name for _, name in needed}
    for path, name in needed:
        if name not in file.names:
            near = nearest(name, unused)
            cure = f"did you mean '{near}'? or add it" if near else f"add it to prompts/{file.language}.yaml"
            yield source.problem(PROMPT_MISSING, path, f"prompt '{name}' is missing in {file.language}", cure)


def _value_problems(
    source: Source, name: str, step: Step, known: Known, values: frozenset[str], file: PromptFile
) -> Iterator[Problem]:
    """A prompt that says what is not known fails in the middle of a call. What is in no `values` at all is a slip of
    the prompt file's own."""
    if known is None:
        return
    for place, prompt in step.says():
        template = file.templates.get(prompt)
        sure = known | ALWAYS | filled_in(prompt) | ({"key"} if isinstance(step, MenuStep) else set())
        for slot in template.slots if template else ():
            if slot.name in values - sure:
                message = f"prompt '{prompt}' says '{slot.name}', which is not known on every way to '{name}'"
                cure = _GIVEN_BY.get(slot.name, "ask for it first")
                yield source.problem(PROMPT_TOO_EARLY, ("steps", name, *place), message, cure)


def _key_problems(source: Source, name: str, step: Step, file: PromptFile) -> Iterator[Problem]:
    if not isinstance(step, MenuStep):
        return
    for key, option in step.menu.items():
        template = file.templates.get(option.say)
        if template is None or template.faults:
            continue
        for fault in offer_faults(option.say, key, set(step.menu), keys_said(prose(template), file.language)):
            yield source.problem(fault.rule, ("steps", name, "menu", key, "say"), fault.message, fault.suggestion)
