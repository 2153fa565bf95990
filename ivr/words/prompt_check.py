"""What is wrong with prompt files by themselves, each problem with its place; which prompts a flow needs is in `flow.prompts`."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ivr.reading.problems import Problem, did_you_mean, nearest
from ivr.reading.rules import prompts as rules
from ivr.reading.rules.advice import CUT_AT_A_COMMENT, LONG_PROMPT, WORDING_OF_NOTHING
from ivr.reading.rules.reading import NOTHING_WRITTEN
from ivr.reading.rules.values import NOT_A_LANGUAGE, NOT_A_NAME
from ivr.reading.scalars import canonical_tag, is_language
from ivr.words import consent
from ivr.words.cut_words import is_cut
from ivr.words.phrases import Prompts
from ivr.words.prompt_files import PromptFile, PromptFiles, read_prompt_files
from ivr.words.slots import OF_FEE, WORD_PROMPTS, Terms
from ivr.words.spoken import forms_besides_other
from ivr.words.templates import Slot
from ivr.words.wordings import AGAIN, FEE, FLOW, in_right_order, meant_for, prompt_of

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
# A voice says about fifteen characters a second.
LONGEST_SPOKEN, LONG_SPOKEN = 1000, 450
LONGEST_TEXT = 1600  # what Twilio takes as one message
NO_TERMS = Terms()
# Names of currencies, brands, keys and letters: a language has those that it needs.
_COUNTED = ("currency_", "minor_")
_OPTIONAL = (*_COUNTED, "brand_", "key_", "letter_")


@dataclass(frozen=True)
class Found:
    """A problem of a prompt file. `name` is the prompt's, or '' where the file as a whole has it."""

    language: str
    name: str
    problem: Problem


def read_prompts(
    files: Iterable[tuple[str, str | bytes]], terms: Terms = NO_TERMS
) -> tuple[Prompts | None, list[Problem]]:
    """From (file name, text) pairs; the language is the file's name (`es-MX.yaml`). None where there are problems.

    `terms`: what flows add to what the engine knows, such as the answers to their own questions.
    """
    read = read_prompt_files(files)
    problems = sorted({found.problem for found in prompt_file_problems(read, terms) if not found.problem.is_advice})
    if problems:
        return None, problems
    return Prompts({language: file.texts for language, file in read.items()}), []


def usable(files: PromptFiles) -> Prompts:
    """The prompts that can be said, whatever is wrong with others."""
    return Prompts(
        {
            language: {name: text for name, text in file.texts.items() if not file.templates[name].faults}
            for language, file in files.items()
        }
    )


def prompt_file_problems(
    files: PromptFiles, terms: Terms = NO_TERMS, spoken: Collection[str] | None = None
) -> Iterator[Found]:
    """`spoken`: the languages that flows speak; files of others are only read. What the flows need is then told with
    them; without it, every file has to have the names of the others."""
    for language, file in files.items():
        yield from (Found(language, "", problem) for problem in file.source.problems)
        if not file.is_readable and file.source.problems:
            continue
        yield from (Found(language, name, problem) for name, problem in _shape_problems(file))
        if not is_language(language):
            continue  # whatever its words are: they are read once it has the name of a language
        if spoken is None or language in spoken:
            for name in file.templates:
                yield from (Found(language, name, problem) for problem in _text_problems(file, name, terms))
    checked = {
        language: file
        for language, file in files.items()
        if file.is_readable and is_language(language) and (spoken is None or language in spoken)
    }
    yield from _missing_problems(checked, compared=spoken is None)
    yield from _difference_problems(checked)


def unfilled_slots(files: PromptFiles, flow: str, terms: Terms, needed: Collection[str]) -> Iterator[Found]:
    """Slots of prompts that this flow says and does not fill, where prompt files are shared with flows that do. `terms`: what
    this flow alone adds. Wordings for other flows, and for steps that it does not have, are not said by it."""
    own = flow.replace("-", "_")
    for language, file in files.items():
        has_own = {prompt_of(name, file.names) for name in file.names if f"{FLOW}{own}" in name}
        for name, template in file.templates.items():
            prompt = prompt_of(name, file.names)
            if prompt not in needed or (name == prompt and prompt in has_own):
                continue
            of_flow, step, _ = meant_for(name, prompt) if name != prompt else ("", "", "")
            if (of_flow and of_flow != own) or (step and step not in terms.steps):
                continue
            for slot in template.slots:
                if slot.name not in _fillable(terms, name, prompt) and terms.is_spoken(prompt):
                    message = f"prompt '{name}' has a slot '{slot.name}' that nothing fills in flow '{flow}'"
                    cure = did_you_mean(slot.name, _fillable(terms, name, prompt)) or "let the flow's look-up give it"
                    yield Found(language, name, file.problem(rules.NO_SUCH_SLOT, name, message, cure))


def _fillable(terms: Terms, name: str, prompt: str) -> frozenset[str]:
    return terms.sure_in(prompt) | (OF_FEE if name != prompt and name.endswith(FEE) else frozenset())


def _shape_problems(file: PromptFile) -> Iterator[tuple[str, Problem]]:
    if not is_language(file.language):
        near = canonical_tag(file.language) or "en-US"
        yield (
            "",
            file.source.problem(NOT_A_LANGUAGE, (), "the file's name is not a language", f"name it like {near}.yaml"),
        )
    if not isinstance(file.source.tree, dict):
        cure = "a name, a colon, and the words in quotes"
        yield "", file.source.problem(NOTHING_WRITTEN, (), "a prompt file is a mapping", cure)
        return
    for name in file.source.tree:
        if not _NAME.fullmatch(name):
            # It is also the name of a recording's file.
            message = f"'{name}' is not a prompt's name"
            yield name, file.problem(NOT_A_NAME, name, message, "small letters, digits and _")
        comment = file.source.comments.get((name,), "")
        if is_cut(file.source.tree[name], comment, is_word=name.startswith(_OPTIONAL)):
            message = f"prompt '{name}' ends at the #: '{comment[:40]}' is a comment, and is not said"
            yield name, file.problem(CUT_AT_A_COMMENT, name, message, "put quotes round the words")
        if name not in file.texts:
            message = f"prompt '{name}' is not a text"
            yield name, file.problem(rules.PROMPT_NOT_TEXT, name, message, _as_text(file.source.tree[name]))


def _as_text(written: Any) -> str:
    """Keys in braces are mostly slots: `{done:key}`, without quotes, is for YAML the key `done:key` without a value."""
    is_slots = isinstance(written, dict) and all(isinstance(value, str) for value in written.values())
    if not is_slots or not written:
        return 'write the words in quotes: "..."'
    slots = " ".join(f"{{{key}:{value}}}" if value else f"{{{key}}}" for key, value in written.items())
    return f'put quotes round it: "{slots}"'


def _text_problems(file: PromptFile, name: str, terms: Terms) -> Iterator[Problem]:
    template = file.templates[name]
    for fault in template.faults:
        yield file.problem(fault.rule, name, f"prompt '{name}': {fault.message}", fault.suggestion)
    for slot in template.slots:
        yield from _slot_problems(file, name, slot, terms)
    yield from _length_problems(file, name)
    yield from _wording_problems(file, name, terms)
    if not template.faults:
        for found in consent.faults(name, template, file.language, prompt_of(name, file.names)):
            yield file.problem(found.rule, name, found.message, found.suggestion)


def _wording_problems(file: PromptFile, name: str, terms: Terms) -> Iterator[Problem]:
    prompt = prompt_of(name, file.names)
    if (right := in_right_order(name, file.names)) and not _is_meant(name, prompt, file, terms):
        message = f"prompt '{name}' has the endings of a wording in another order than they are asked for in: it is never said"
        yield file.problem(WORDING_OF_NOTHING, name, message, f"did you mean '{right}'?")
        return
    flow, step, error = meant_for(name, prompt) if prompt != name else ("", "", "")
    known = {"flow": terms.flows, "step": terms.steps, "prompt": file.names}
    for what, meant in (("flow", flow), ("step", step), ("prompt", error)):
        # A prompt file is shared by flows of which not all may be read here: a name that is near to none is another flow's.
        if meant and meant not in known[what] and (what == "prompt" or nearest(meant, known[what])):
            message = f"prompt '{name}' is another wording of '{prompt}' for the {what} '{meant}', which does not exist"
            yield file.problem(WORDING_OF_NOTHING, name, message, did_you_mean(meant, known[what]))
    without = name.removesuffix(AGAIN)
    near = nearest(without, file.names - {name}) if without != name == prompt_of(name, file.names) else ""
    if near:
        message = f"prompt '{name}' is another wording of '{without}', which does not exist: it is never said"
        yield file.problem(WORDING_OF_NOTHING, name, message, f"did you mean '{near}{AGAIN}'?")


def _is_meant(name: str, prompt: str, file: PromptFile, terms: Terms) -> bool:
    """Whether a flow says the prompt by this very name, or has a step or a flow that is called as the wording has it."""
    if terms.spoken is not None and name in terms.spoken:
        return True
    flow, step, _ = meant_for(name, prompt) if prompt != name else ("", "", "")
    return (
        prompt_of(prompt, file.names) == prompt and bool(flow or step) and (flow in terms.flows or step in terms.steps)
    )


def _slot_problems(file: PromptFile, name: str, slot: Slot, terms: Terms) -> Iterator[Problem]:
    prompt = prompt_of(name, file.names)
    known = _fillable(terms, name, prompt)
    kinds = terms.kinds_of(prompt, slot.name)
    if slot.name not in known and terms.is_spoken(prompt):
        message = f"prompt '{name}' has a slot '{slot.name}' that nothing fills in there"
        yield file.problem(rules.NO_SUCH_SLOT, name, message, did_you_mean(slot.name, known))
    elif kinds and slot.kind not in kinds:
        meant = (
            {consent.CONSENT[slot.name]} if prompt in consent.CARD_CONSENTS and slot.name in consent.CONSENT else kinds
        )
        written = " or ".join(f"{{{slot.name}:{kind}}}" for kind in sorted(meant))
        message = f"prompt '{name}': '{slot.name}' cannot be said as {slot.kind}"
        yield file.problem(rules.WRONG_KIND, name, message, f"write {written}")


def _length_problems(file: PromptFile, name: str) -> Iterator[Problem]:
    length = len(file.texts[name])
    if name.endswith(("_sms", "_email", "_email_subject")):
        if length > LONGEST_TEXT:
            cure = f"at most {LONGEST_TEXT} characters"
            yield file.problem(rules.TEXT_TOO_LONG, name, f"prompt '{name}' is too long for a text message", cure)
    elif length > LONGEST_SPOKEN:
        cure = f"at most {LONGEST_SPOKEN} characters, which take a minute to say"
        message = f"prompt '{name}' is too long to be heard: {length} characters"
        yield file.problem(rules.TOO_LONG, name, message, cure)
    elif length > LONG_SPOKEN:
        message = f"prompt '{name}' takes half a minute to say: {length} characters"
        yield file.problem(LONG_PROMPT, name, message, "callers do not remember how it began")


def _missing_problems(files: PromptFiles, *, compared: bool) -> Iterator[Found]:
    """Another wording of a prompt may be missing: the prompt itself is said."""
    every = {name: language for language, file in files.items() for name in file.templates}
    prompts = {name for name, language in every.items() if prompt_of(name, files[language].names) == name}
    for language, file in files.items():
        elsewhere = {name for name in prompts if compared and not name.startswith(_OPTIONAL)}
        needed = elsewhere | WORD_PROMPTS.keys()
        strangers = [name for name in file.templates if every[name] == language and name not in WORD_PROMPTS]
        for name in sorted(needed - file.names):
            near = nearest(name, strangers)
            where = f"{every[name]} has it" if name in every else "slots are made of it"
            message = f"prompt '{name}' is missing in {language}"
            cure = f"is '{near}' meant?" if near else where
            yield Found(language, name, file.source.problem(rules.PROMPT_MISSING, (), message, cure))
        yield from (Found(language, name, problem) for name, problem in _counted_problems(file))


def _counted_problems(file: PromptFile) -> Iterator[tuple[str, Problem]]:
    """A currency that is said by the file's own name, and one form of it is not there: "1 dollars" would be said."""
    for other in sorted(name for name in file.names if name.startswith(_COUNTED) and name.endswith("_other")):
        prefix = other.removesuffix("_other")
        for form in forms_besides_other(prefix, file.language):
            name = f"{prefix}_{form}"
            if name not in file.names:
                message = f"prompt '{name}' is missing in {file.language}"
                cure = f"it has '{other}', and says some amounts by '{form}'"
                yield name, file.problem(rules.PROMPT_MISSING, other, message, cure)


def _required_anyway(prompt: str) -> set[str]:
    """Values that a rule of their own requires: a key may be said as a digit too."""
    return {"key", *consent.CONSENT} if prompt in consent.CARD_CONSENTS else {"key"}


def _difference_problems(files: PromptFiles) -> Iterator[Found]:
    """A slot lost in translation: one language would not say the amount that another does."""
    for name in sorted({name for file in files.values() for name in file.templates}):
        having: Mapping[str, PromptFile] = {
            language: file for language, file in files.items() if name in file.templates
        }
        if any(file.templates[name].faults for file in having.values()):
            continue
        slots = {language: {slot.name for slot in file.templates[name].slots} for language, file in having.items()}
        every = frozenset[str]().union(*slots.values())
        for language, file in having.items():
            for lost in sorted(every - slots[language] - _required_anyway(prompt_of(name, file.names))):
                other = next(one for one, said in slots.items() if lost in said)
                message = f"prompt '{name}' does not say '{lost}', which {other} does"
                cure = f"add {{{lost}:...}}"
                yield Found(language, name, file.problem(rules.LOST_IN_TRANSLATION, name, message, cure))
