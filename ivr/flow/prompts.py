"""Do a flow's prompts exist in each of its languages, and is what they say known where they are said?"""

from collections.abc import Iterable, Iterator, Mapping

from ivr.flow.declared import short
from ivr.flow.endings import UnreadStep
from ivr.flow.fee_prompts import fee_problems
from ivr.flow.parts import Known, Place
from ivr.flow.step import Step
from ivr.flow.value_cures import ways_to_know
from ivr.reading.problems import Problem, nearest
from ivr.reading.rules.agreements import TERMS_NOT_SAID
from ivr.reading.rules.prompts import NO_PROMPT_FILE, PROMPT_MISSING, PROMPT_TOO_EARLY, WRONG_KIND
from ivr.reading.scalars import BILL_VALUES, is_language
from ivr.reading.yaml_source import Source
from ivr.words.consent import offer_faults
from ivr.words.prompt_files import PromptFile, PromptFiles
from ivr.words.slots import ALWAYS, CALL_VALUES, ENGINE_PROMPTS, KINDS_OF_TYPE, OF_FEE
from ivr.words.templates import Slot
from ivr.words.wordings import FEE

NO_KINDS: frozenset[str] = frozenset()
Kinds = frozenset[str] | None  # None: those that `words.slots` has for the value


def prompt_problems(
    source: Source, steps: Mapping[str, Step], known: Mapping[str, Known], prompts: PromptFiles
) -> Iterator[Problem]:
    """Nothing is said of a language whose file cannot be read: what is wrong with that is told there."""
    languages = source.tree.get("languages")
    for index, language in enumerate(languages if isinstance(languages, list) else ()):
        if not isinstance(language, str) or not is_language(language):
            continue  # it is told as such, and nobody should add prompts in it
        if language not in prompts:
            cure = f"add prompts/{language}.yaml"
            yield source.problem(NO_PROMPT_FILE, ("languages", index), f"there are no prompts in {language}", cure)
        elif prompts[language].is_readable:
            yield from _missing_problems(source, steps, prompts[language])
            yield from fee_problems(source, steps, needed_prompts(steps), prompts[language])
            values, cures = _values_of(steps), ways_to_know(steps.values())
            for name, step in steps.items():
                yield from _value_problems(source, name, step, known.get(name), values, cures, prompts[language])
                yield from _key_problems(source, name, step, prompts[language])
                yield from _term_problems(source, name, step, prompts[language])


def needed_prompts(steps: Mapping[str, Step]) -> frozenset[str]:
    return frozenset(ENGINE_PROMPTS).union(*(step.prompts() for step in steps.values()))


def _values_of(steps: Mapping[str, Step]) -> dict[str, Kinds]:
    """Every value that there is in the flow, and the kinds of slot that can say it there."""
    values: dict[str, Kinds] = dict.fromkeys(CALL_VALUES)
    for step in steps.values():
        values |= dict.fromkeys(_own_values(step) - values.keys())
        types = (
            (name.rpartition(".")[2], kind) for name, kind in step.declared.types.items() if name not in BILL_VALUES
        )
        values |= {name: KINDS_OF_TYPE.get(kind, NO_KINDS) for name, kind in types}
    return values | {step.answer: step.answer_kinds for step in steps.values() if step.answer_kinds}


def _own_values(step: Step) -> frozenset[str]:
    computed = (formula.name for formula in step.formulas())
    named = filter(None, (step.answer, *computed))
    return frozenset({*step.values, *named, *short(step.declared.types)})


def _missing_problems(source: Source, steps: Mapping[str, Step], file: PromptFile) -> Iterator[Problem]:
    says = {name: step.said if isinstance(step, UnreadStep) else tuple(step.says()) for name, step in steps.items()}
    of_a_step = {said.prompt for every in says.values() for said in every}
    always = dict.fromkeys([*ENGINE_PROMPTS, *(name for step in steps.values() for name in _spoken_always(step))])
    always = {name: None for name in always if name not in of_a_step}
    needed: list[tuple[Place, str]] = [(("languages",), name) for name in always]
    needed += [(("steps", name, *said.path), said.prompt) for name, every in says.items() for said in every]
    unused = file.names - {name for _, name in needed}
    for path, name in needed:
        if name not in file.names:
            # Another wording of the same prompt is no slip of its name.
            near = nearest(name, (one for one in unused if not one.startswith(f"{name}_")))
            cure = f"did you mean '{near}'? or add it" if near else f"add it to prompts/{file.language}.yaml"
            yield source.problem(PROMPT_MISSING, path, f"prompt '{name}' is missing in {file.language}", cure)


def _spoken_always(step: Step) -> Iterable[str]:
    return step.always if isinstance(step, UnreadStep) else step.speaks


def _value_problems(
    source: Source,
    name: str,
    step: Step,
    known: Known,
    values: Mapping[str, Kinds],
    cures: Mapping[str, str],
    file: PromptFile,
) -> Iterator[Problem]:
    """A prompt that says what is not known fails in the middle of a call. What is in no `values` at all is a slip of
    the prompt file's own."""
    if known is None:
        return
    kinds = {**values, "value": step.answer_kinds or None}
    for said in step.says():
        for wording, slot in _slots(file, said.prompt):
            if wording.endswith(FEE) and step.card is not None and not step.card.has_fee:
                continue  # it is never said there
            sure = known | ALWAYS | said.fills | (OF_FEE if wording.endswith(FEE) else set())
            sayable = kinds.get(slot.name)
            if sayable is not None and slot.name in known | said.fills and slot.kind not in sayable:
                message = f"prompt '{wording}': '{slot.name}' cannot be said as {slot.kind} in this flow"
                cure = " or ".join(f"{{{slot.name}:{kind}}}" for kind in sorted(sayable))
                yield source.problem(WRONG_KIND, ("steps", name, *said.path), message, cure and f"write {cure}")
            if slot.name in values.keys() - sure:
                message = f"prompt '{wording}' says '{slot.name}', which is not known on every way to '{name}'"
                cure = cures.get(slot.name, "ask for it first")
                yield source.problem(PROMPT_TOO_EARLY, ("steps", name, *said.path), message, cure)


def _term_problems(source: Source, name: str, step: Step, file: PromptFile) -> Iterator[Problem]:
    """Of prompts that ask for consent to terms, and of texts that lead somewhere."""
    for said in step.says():
        for wording in file.wordings(said.prompt) if said.must_say else ():
            spoken = {slot.name for slot in file.templates[wording].slots}
            for term in sorted(said.must_say - spoken):
                message = f"prompt '{wording}' does not say '{term}' in {file.language}"
                cure = f"add {{{term}:...}}"
                yield source.problem(TERMS_NOT_SAID, ("steps", name, *said.path), message, cure)


def _slots(file: PromptFile, prompt: str) -> Iterator[tuple[str, Slot]]:
    for wording in file.wordings(prompt):
        yield from ((wording, slot) for slot in file.templates[wording].slots)


def _key_problems(source: Source, name: str, step: Step, file: PromptFile) -> Iterator[Problem]:
    """Of prompts that offer a key each, in a step with a slip too."""
    says = step.said if isinstance(step, UnreadStep) else step.says()
    offers = [said for said in says if said.key]
    led = {outcome.removeprefix("key_") for _, outcome, _ in step.targets() if outcome.startswith("key_")}
    keys = {one.key for one in offers} | led  # a choice with a slip may still lead somewhere
    for said in offers:
        for wording in file.wordings(said.prompt):
            if file.templates[wording].faults:
                continue
            for fault in offer_faults(wording, said.key, keys, file.templates[wording], file.language):
                yield source.problem(fault.rule, ("steps", name, *said.path), fault.message, fault.suggestion)
