"""The flows of a folder and their prompts, read and checked together; who opens the files is elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ivr.flow.compiled import Flow
from ivr.flow.compiler import NOTHING_AROUND, Around, Checked, check_flow
from ivr.flow.inlining import read_flow
from ivr.flow.prompts import needed_prompts
from ivr.flow.steps import kinds
from ivr.flow.value_types import declared_in, set_in
from ivr.reading.problems import Problem
from ivr.reading.rules.advice import NOT_SPOKEN
from ivr.reading.rules.reading import WRITTEN_TWICE
from ivr.reading.scalars import is_language
from ivr.reading.yaml_source import Source
from ivr.words.phrases import Prompts
from ivr.words.prompt_check import Found, prompt_file_problems, unfilled_slots, usable
from ivr.words.prompt_files import PromptFiles, Texts, read_prompt_files
from ivr.words.slots import ANSWER_KINDS, KINDS_OF_TYPE, WORD_PROMPTS, Terms
from ivr.words.wordings import prompt_of


@dataclass(frozen=True)
class FlowSet:
    """`flows` by name: those with no problem of their own or of the prompts they need. `left_out` are the names of the
    others, as far as they have one. `prompts` are those that can be said, `texts` what each of `flows` was read from,
    `parts` the texts of the parts that each of them uses, by name."""

    flows: Mapping[str, Flow]
    prompts: Prompts | None
    problems: list[Problem]
    advice: list[Problem]
    left_out: frozenset[str]
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    parts: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)


def read_flows(flow_files: Texts, prompt_files: Texts, around: Around = NOTHING_AROUND) -> FlowSet:
    """Every problem of all of them at once."""
    flow_files = list(flow_files)
    sources = [read_flow(file, text, around.parts) for file, text in flow_files]
    files = read_prompt_files(prompt_files)
    found = list(prompt_file_problems(files, terms_of(sources), _spoken(sources, files)))
    checked = [check_flow(source, replace(around, prompts=files)) for source in sources]
    unfilled = [
        [*_unfilled(one.flow, source, files, found)] if one.flow else []
        for one, source in zip(checked, sources, strict=True)
    ]
    found_in_all = [*found, *(one for several in unfilled for one in several)]
    doubles = list(_double_problems(sources))
    told = {one.problem for one in found_in_all}.union(
        doubles, around.parts.problems, *(one.problems for one in checked)
    )
    doubled = {problem.file for problem in doubles}
    kept = [
        (one.flow, text, source)
        for one, source, (_, text), own in zip(checked, sources, flow_files, unfilled, strict=True)
        if one.flow and source.file not in doubled and not own and not _has_broken_prompts(one.flow, found, files)
    ]
    return FlowSet(
        flows={flow.name: flow for flow, _, _ in kept},
        prompts=usable(files) if files else None,
        problems=sorted(problem for problem in told if not problem.is_advice),
        advice=sorted({*(p for p in told if p.is_advice), *_all_advice(checked), *_unspoken(files, sources)}),
        left_out=frozenset(_names(sources)) - {flow.name for flow, _, _ in kept},
        texts={flow.name: text if isinstance(text, str) else text.decode() for flow, text, _ in kept},
        parts={flow.name: {name: part.text for name, part in source.used.items()} for flow, _, source in kept},
    )


def _unfilled(flow: Flow, source: Source, files: PromptFiles, found: Sequence[Found]) -> Iterator[Found]:
    """What other flows fill and this one does not; what none fills is told already."""
    told = {(one.language, one.name) for one in found}
    spoken = {language: files[language] for language in flow.head.languages if language in files}
    unfilled = unfilled_slots(spoken, flow.name, terms_of([source]), needed_prompts(flow.steps))
    return (one for one in unfilled if (one.language, one.name) not in told)


def _has_broken_prompts(flow: Flow, found: Sequence[Found], files: PromptFiles) -> bool:
    """Is there a problem in a prompt that this flow speaks, in whichever wording, or in a file of its languages as a whole?"""
    needed = needed_prompts(flow.steps) | WORD_PROMPTS.keys()
    return any(
        one.language in flow.head.languages
        and not one.problem.is_advice
        and (not one.name or prompt_of(one.name, files[one.language].names) in needed)
        for one in found
    )


def _double_problems(sources: Sequence[Source]) -> Iterator[Problem]:
    owner: dict[str, str] = {}
    for source in sources:
        name = _flow_name(source)
        if name in owner:
            yield source.problem(WRITTEN_TWICE, ("flow",), f"flow '{name}' is also in {owner[name]}", "rename one")
        elif name is not None:
            owner[name] = source.file


def _all_advice(checked: Sequence[Checked]) -> Iterator[Problem]:
    for one in checked:
        yield from one.advice


def _unspoken(files: PromptFiles, sources: Sequence[Source]) -> Iterator[Problem]:
    spoken = _spoken(sources, files)
    for language, file in files.items():
        if language not in spoken and is_language(language):
            cure = f"add {language} to a flow's languages"
            yield file.source.problem(NOT_SPOKEN, (), f"no flow here speaks {language}", cure)


def _names(sources: Sequence[Source]) -> Iterator[str]:
    yield from (name for source in sources if (name := _flow_name(source)) is not None)


def _flow_name(source: Source) -> str | None:
    name = source.tree.get("flow") if isinstance(source.tree, dict) else None
    return name if isinstance(name, str) else None


def _spoken(sources: Sequence[Source], files: PromptFiles) -> frozenset[str]:
    """Every language where a flow does not say its own so that they can be read: each file may be meant."""
    spoken: set[str] = set()
    for source in sources:
        languages: Any = source.tree.get("languages") if isinstance(source.tree, dict) else None
        if not isinstance(languages, list):
            return frozenset(files)
        spoken |= {language for language in languages if isinstance(language, str)}
    return frozenset(spoken)


def terms_of(sources: Sequence[Source] = ()) -> Terms:
    """What the kinds of steps add to the words of prompts, and these flows with the answers that they ask for."""
    prompts: dict[str, frozenset[str]] = {}
    values = {name: ANSWER_KINDS for source in sources for name in _asked_in(source.tree)}
    for source in sources:
        for _, name, kind_of_value in declared_in(source.tree):
            # Where two flows mean different things by a name, each is held to its own (`flow.prompts`).
            last = name.rpartition(".")[2]
            if kind_of_value in KINDS_OF_TYPE:
                values[last] = values.get(last, frozenset()) | KINDS_OF_TYPE[kind_of_value]
    for kind in kinds():
        prompts |= kind.speaks
        values |= kind.values
    for source in sources:
        values |= dict(set_in(source.tree))
    names = frozenset(name.replace("-", "_") for name in _names(sources))
    steps = frozenset(step for source in sources for step in _steps_of(source.tree))
    spoken = frozenset(name for source in sources for name in _may_speak(source.tree))
    return Terms(prompts, values, names, steps, spoken)


def _steps_of(tree: Any) -> dict[str, Any]:
    steps = tree.get("steps") if isinstance(tree, dict) else None
    return steps if isinstance(steps, dict) else {}


# What a prompt is called that belongs to an answer or to a prompt that a step names.
_BEFORE, _AFTER = ("", "enter_", "no_match_", "not_found_", "confirm_"), ("", "_sms")


def _may_speak(tree: Any) -> Iterator[str]:
    """Every word of a flow may name a prompt: more than it speaks, but nothing that it does."""
    for inner in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _may_speak(inner)
    if isinstance(tree, str):
        yield from (f"{before}{tree}{after}" for before in _BEFORE for after in _AFTER)


def _asked_in(tree: Any) -> Iterator[str]:
    for step in _steps_of(tree).values():
        for kind in kinds():
            if isinstance(step, dict) and (answer := kind.answer_written(step)):
                yield answer
