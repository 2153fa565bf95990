"""What a reader of two versions of a flow would say has changed: steps, what stands above them, and prompts, a line each."""

from collections.abc import Iterator, Mapping
from typing import Any

from ivr.flow.content import Content, parts_of
from ivr.flow.inlining import read_flow
from ivr.flow.steps import kind_of

LONGEST_SHOWN = 100
ONLY_LAYOUT = "  only comments or layout"
NOTHING = "  nothing"


def differences(before: Content | None, after: Content) -> list[str]:
    """Lines, indented: `+` is new, `-` is gone, `~` is changed. `before` is None for a first version."""
    if before is None:
        return [f"  + {told}" for told in _summary(after)]
    if before.digest == after.digest:
        return [NOTHING]
    old, new = _tree(before), _tree(after)
    lines = [*_head_lines(old, new), *_step_lines(_steps(old), _steps(new)), *_prompt_lines(before, after)]
    return lines or [ONLY_LAYOUT]


def _summary(content: Content) -> Iterator[str]:
    steps = _steps(_tree(content))
    yield f"{len(steps)} steps: {', '.join(steps)}"
    yield f"prompts in {', '.join(sorted(content.prompts))}"


def _head_lines(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    above = ({key: value for key, value in tree.items() if key != "steps"} for tree in (old, new))
    for line in _changes(*above):
        yield f"  {line}"


def _step_lines(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for name, body in new.items():
        if name not in old:
            kind = kind_of(body)
            yield f"  + step {name}: {kind.word} {_shown(body.get(kind.word))}" if kind else f"  + step {name}"
        elif body != old[name]:
            yield f"  ~ step {name}"
            yield from (f"      {line}" for line in _changes(old[name], body))
    yield from (f"  - step {name}" for name in old if name not in new)


def _prompt_lines(before: Content, after: Content) -> Iterator[str]:
    old, new = _by_prompt(before), _by_prompt(after)
    for name, language in sorted({*old, *new}):
        was, now = old.get((name, language)), new.get((name, language))
        if was == now:
            continue
        told = f"prompt {name} ({language})"
        if was is None:
            yield f"  + {told}: {_shown(now)}"
        elif now is None:
            yield f"  - {told}"
        else:
            yield f"  ~ {told}: {_shown(was)} -> {_shown(now)}"


def _changes(old: Any, new: Any) -> Iterator[str]:
    was, now = dict(_leaves(old)), dict(_leaves(new))
    for place in dict.fromkeys([*was, *now]):
        if place not in was:
            yield f"+ {place}: {_shown(now[place])}"
        elif place not in now:
            yield f"- {place}: {_shown(was[place])}"
        elif was[place] != now[place]:
            yield f"~ {place}: {_shown(was[place])} -> {_shown(now[place])}"


def _leaves(tree: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """A list is one value: its order means something."""
    if not isinstance(tree, dict):
        yield place, tree
        return
    for key, value in tree.items():
        yield from _leaves(value, f"{place}.{key}" if place else str(key))


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        text = "{" + ", ".join(f"{key}: {_shown(inner)}" for key, inner in value.items()) + "}"
    elif isinstance(value, list):
        text = f"[{', '.join(map(_shown, value))}]"
    else:
        text = " ".join(str(value).split())
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 4]} ..."


def _by_prompt(content: Content) -> Mapping[tuple[str, str], str]:
    return {(name, language): text for language, names in content.prompts.items() for name, text in names.items()}


def _tree(content: Content) -> dict[str, Any]:
    tree = read_flow(content.flow, content.text, parts_of(content)).tree
    return tree if isinstance(tree, dict) else {}


def _steps(tree: dict[str, Any]) -> dict[str, Any]:
    steps = tree.get("steps")
    return {name: body for name, body in steps.items() if isinstance(body, dict)} if isinstance(steps, dict) else {}
