"""Prompt files from text to `Prompts`, or every problem at once with its place; which prompts a flow needs is in `compiler`."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import PurePath
from typing import Any

from ivr.core.phrases import Prompts
from ivr.core.problems import Problem, did_you_mean
from ivr.core.templates import Template, read_template
from ivr.core.yaml_source import Source, read_yaml

_LANGUAGE = re.compile(r"[a-z]{2,3}-[A-Z]{2}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
# What the engine fills in. A prompt may use any that the call knows by then; the flow's keys are always known.
CALL_VALUES = frozenset(
    {
        *("done", "clear", "key", "count", "value", "min", "due", "max", "amount", "money", "account_number"),
        *("brand", "last4", "number", "confirmation_number"),
    }
)
_ALWAYS = frozenset({"done", "clear"})
_BOUNDS = _ALWAYS | {"min", "max", "due", "account_number"}
# Prompts spoken where little is known yet, or of a card: only these values are sure to be there.
_KNOWN_BY: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        ("welcome", "enter_account_number", "no_match_account_number", "not_found_account_number"), _ALWAYS
    ),
    **dict.fromkeys(("no_input", "no_match", "nothing_entered", "cleared", "slow_mode_on", "offer_cancel"), _ALWAYS),
    **dict.fromkeys(("one_moment", "bill_not_reached", "bill_not_payable"), _ALWAYS),
    **dict.fromkeys(("cancelled", "goodbye", "apology", "you_were_not_charged"), _ALWAYS),
    # Said when words with values in them could not be put together.
    **dict.fromkeys(("payment_went_through", "charge_not_known"), frozenset()),
    **dict.fromkeys(("limit_attempts_per_caller", "limit_attempts_per_card"), _ALWAYS),
    "choose_language": frozenset({"key"}),
    "limit_max_amount": _ALWAYS | {"max"},
    "enter_money": _BOUNDS,
    "no_match_money": _BOUNDS,
    "money_with_minor": frozenset({"major", "minor"}),
}
# Words that slots are made of; without them a key would be spoken as a bare name of the configuration.
WORD_PROMPTS = ("key_star", "key_pound", "money_with_minor")


def read_prompts(
    files: Iterable[tuple[str, str | bytes]], values: Collection[str] = ()
) -> tuple[Prompts | None, list[Problem]]:
    """From (file name, text) pairs; the language is the file's name (`es-MX.yaml`). None where there are problems.

    `values`: names a flow adds to what the engine knows, such as the fields of its own `ask` steps.
    """
    sources = {PurePath(file).stem: read_yaml(file, text) for file, text in files}
    problems = list(_problems(sources, CALL_VALUES | set(values)))
    if problems:
        return None, sorted(set(problems))
    return Prompts({language: source.tree for language, source in sources.items()}), []


def check_prompts(files: Iterable[tuple[str, str | bytes]], values: Collection[str] = ()) -> list[Problem]:
    return read_prompts(files, values)[1]


def _problems(sources: Mapping[str, Source], values: frozenset[str]) -> Iterator[Problem]:
    templates = {language: _templates(source) for language, source in sources.items()}
    every = {name: language for language, names in templates.items() for name in names}
    for language, source in sources.items():
        yield from source.problems
        if source.problems and not source.tree:
            continue
        yield from _shape_problems(source)
        yield from _missing_problems(source, templates[language], every)
        for name, template in templates[language].items():
            yield from _template_problems(source, name, template, _KNOWN_BY.get(name, values))
    yield from _difference_problems(sources, templates)


def _templates(source: Source) -> dict[str, Template]:
    tree: Any = source.tree
    if not isinstance(tree, dict):
        return {}
    return {name: read_template(text) for name, text in tree.items() if isinstance(text, str)}


def _shape_problems(source: Source) -> Iterator[Problem]:
    if not _LANGUAGE.fullmatch(PurePath(source.file).stem):
        yield source.problem((), "the file's name is not a language", "name it like en-US.yaml")
    if not isinstance(source.tree, dict):
        yield source.problem((), "a prompt file is a mapping", "a name, a colon, and the words in quotes")
        return
    for name, text in source.tree.items():
        if not _NAME.fullmatch(name):
            # It is also the name of a recording's file.
            yield source.problem((name,), f"'{name}' is not a prompt's name", "small letters, digits and _")
        if not isinstance(text, str):
            yield source.problem((name,), f"prompt '{name}' is not a text", 'write the words in quotes: "..."')


def _missing_problems(source: Source, own: Mapping[str, Template], every: Mapping[str, str]) -> Iterator[Problem]:
    written = source.tree if isinstance(source.tree, dict) else {}
    language = PurePath(source.file).stem
    strangers = [name for name in own if every[name] == language and name not in WORD_PROMPTS]
    for name in sorted({*every, *WORD_PROMPTS} - set(written)):
        near = get_close_matches(name, strangers, n=1)
        where = f"{every[name]} has it" if name in every else "slots are made of it"
        yield source.problem(
            (), f"prompt '{name}' is missing in {language}", f"is '{near[0]}' meant?" if near else where
        )


def _template_problems(source: Source, name: str, template: Template, known: frozenset[str]) -> Iterator[Problem]:
    for fault in template.faults:
        yield source.problem((name,), f"prompt '{name}': {fault.message}", fault.suggestion)
    for slot in template.slots:
        if slot.name not in known:
            message = f"prompt '{name}' has a slot '{slot.name}' that nothing fills in there"
            yield source.problem((name,), message, did_you_mean(slot.name, known))


def _difference_problems(
    sources: Mapping[str, Source], templates: Mapping[str, Mapping[str, Template]]
) -> Iterator[Problem]:
    """A slot lost in translation: one language would not say the amount that another does."""
    for name in sorted({name for names in templates.values() for name in names}):
        having = {language: names[name] for language, names in templates.items() if name in names}
        if any(template.faults for template in having.values()):
            continue
        every = {slot.name for template in having.values() for slot in template.slots}
        for language, template in having.items():
            for lost in sorted(every - {slot.name for slot in template.slots}):
                other = next(o for o, t in having.items() if lost in {slot.name for slot in t.slots})
                message = f"prompt '{name}' does not say '{lost}', which {other} does"
                yield sources[language].problem((name,), message, f"add {{{lost}:...}}")
