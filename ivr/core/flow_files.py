"""The flows of a folder and their prompts, read and checked together; who opens the files is elsewhere."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from ivr.core.compiler import Flow, compile_flow
from ivr.core.phrases import Prompts
from ivr.core.problems import Problem
from ivr.core.prompt_check import read_prompts
from ivr.core.templates import read_template
from ivr.core.yaml_source import read_yaml

Texts = Iterable[tuple[str, str | bytes]]  # (file name, text)


@dataclass(frozen=True)
class FlowSet:
    """`flows` by name. With any problem nothing of it should be used."""

    flows: Mapping[str, Flow]
    prompts: Prompts | None
    problems: list[Problem]


def read_flows(flow_files: Texts, prompt_files: Texts) -> FlowSet:
    """Every problem of all of them at once."""
    flow_texts, prompt_texts = list(flow_files), list(prompt_files)
    prompts, problems = read_prompts(prompt_texts, _asked(flow_texts))
    # Not `prompts`: a prompt file with a faulty prompt still has the others.
    names = {PurePath(file).stem: _slots(read_yaml(file, text).tree) for file, text in prompt_texts}
    flows: dict[str, Flow] = {}
    owner: dict[str, str] = {}
    for file, text in flow_texts:
        flow, found = compile_flow(file, text, names)
        problems = [*problems, *found]
        name = _flow_name(file, text)
        if name in owner:
            problems.append(
                read_yaml(file, text).problem(("flow",), f"flow '{name}' is also in {owner[name]}", "rename one")
            )
        elif name is not None:
            owner[name] = file
        if flow is not None:
            flows[flow.name] = flow
    return FlowSet(flows, prompts, sorted(set(problems)))


def _slots(tree: Any) -> dict[str, Collection[str]]:
    """The values that each prompt says."""
    texts = tree.items() if isinstance(tree, dict) else ()
    return {
        name: {slot.name for slot in read_template(text).slots} if isinstance(text, str) else () for name, text in texts
    }


def _flow_name(file: str, text: str | bytes) -> str | None:
    tree = read_yaml(file, text).tree
    name = tree.get("flow") if isinstance(tree, dict) else None
    return name if isinstance(name, str) else None


def _asked(flow_texts: Texts) -> set[str]:
    """What `ask` steps add to the values that prompts may say."""
    return {name for file, text in flow_texts for name in _asked_in(read_yaml(file, text).tree)}


def _asked_in(tree: Any) -> Iterator[str]:
    steps = tree.get("steps") if isinstance(tree, dict) else None
    for step in steps.values() if isinstance(steps, dict) else ():
        if isinstance(step, dict) and isinstance(step.get("ask"), str):
            yield step["ask"]
