"""What pydantic found in a flow, in a merchant's words and with its place. Nothing of the input is quoted but key names."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from ivr.flow.steps import words
from ivr.reading.problems import Problem, did_you_mean, nearest
from ivr.reading.rules import Rule
from ivr.reading.rules import values as rules
from ivr.reading.scalars import WrongValue
from ivr.reading.yaml_errors import QUOTES_ROUND_EXPRESSION
from ivr.reading.yaml_source import Path, Source

_BY_TYPE = {
    "model_type": ("must have keys of its own", "write them below it, indented"),
    "dict_type": ("must have keys of its own", "write them below it, indented, or in braces"),
    "list_type": ("must be a list", "write it as [first, second]"),
    "tuple_type": ("must be a list of two", "write it as [bill.min, bill.due]"),
    "string_type": ("must be a single word or number", "not a list, and no keys below it"),
    "string_too_long": ("must not be longer than 60 characters", "choose a shorter name"),
    "too_short": ("must not be empty", "it needs one entry at least"),
    "too_long": ("must not have so many entries", ""),
}
_BY_PATTERN = {
    "^[0-9]$": ("is not a key of a menu", "the digits 0 to 9; star and pound have their own meaning"),
    "^[a-z][a-z0-9-]*$": ("is not a flow's name", "small letters, digits and -"),
}
_NOT_A_NAME = ("is not a name", "small letters, digits and _, beginning with a letter")


def schema_problems(
    source: Source, base: Path, model: type[BaseModel], error: ValidationError, extra: frozenset[str] = frozenset()
) -> Iterator[Problem]:
    """`base`: where in the file the model begins; `extra`: keys there that are known to others."""
    # include_input=False: a flow's author may have pasted a secret into the wrong place.
    for found in error.errors(include_input=False, include_url=False):
        below: Path = tuple(part for part in found["loc"] if part != "[key]")
        path = (*base, *below)
        if found["type"] == "extra_forbidden":
            known = _known_keys(model, below[:-1]) | (extra if len(below) == 1 else frozenset())
            yield source.problem(rules.UNKNOWN_KEY, path, f"unknown key '{path[-1]}'", _instead(str(path[-1]), known))
        elif found["type"] == "missing":
            yield source.problem(rules.MISSING_KEY, path[:-1], *_missing(path))
        else:
            path = (*path, *_key_meant(found))
            written = None if "[key]" in found["loc"] else _written_at(source, path)
            yield source.problem(_rule(found), path, *_words(_label(path), written, found))


def _key_meant(found: Mapping[str, Any]) -> Path:
    error = found.get("ctx", {}).get("error")
    return (error.key,) if isinstance(error, WrongValue) and error.key != "" else ()


def _rule(found: Mapping[str, Any]) -> Rule:
    kind, error = found["type"], found.get("ctx", {}).get("error")
    if isinstance(error, WrongValue):
        return error.rule
    if kind == "string_pattern_mismatch":
        return rules.NOT_A_NAME
    if kind == "literal_error":
        return rules.UNKNOWN_WORD
    return rules.WRONG_SHAPE if kind in _BY_TYPE else rules.WRONG_VALUE


_EXAMPLES = {
    "flow": "flow: pay-a-bill",
    "languages": "languages: [en-US]",
    "limits": "limits: {max_amount: 500.00 USD}",
    "max_amount": "max_amount: 500.00 USD",
    "start": "start: <step>",
    "then": "then: {<outcome>: <step>}",
    "say": "say: <prompt>",
}


def _missing(path: Path) -> tuple[str, str]:
    last = path[-1]
    if isinstance(last, int):
        return f"'{_label(path)}' must be a list of two", _BY_TYPE["tuple_type"][1]
    return f"key '{last}' is missing", f"add '{_EXAMPLES.get(last, f'{last}: ...')}'"


def _words(label: str, written: Any, found: Mapping[str, Any]) -> tuple[str, str]:
    """Message and suggestion."""
    kind, context = found["type"], found.get("ctx", {})
    if kind == "literal_error":
        expected = re.findall(r"'([^']*)'", context["expected"])
        near = nearest(written, expected) if isinstance(written, str) else None
        cure = "write one of these words" if len(expected) > 1 else "write it so, or leave the key out"
        return f"'{label}': expected {' or '.join(expected)}", f"did you mean '{near}'?" if near else cure
    if kind == "string_pattern_mismatch":
        message, cure = _BY_PATTERN.get(context["pattern"], _NOT_A_NAME)
        return f"'{label}' {message}" if written is None else f"'{label}': this {message}", cure
    if kind == "too_long" and context.get("max_length") == 2:
        kind = "tuple_type"
    if kind in _BY_TYPE:
        message, cure = _BY_TYPE[kind]
        return f"'{label}' {message}", cure
    return f"'{label}': {found['msg'].removeprefix('Value error, ')}", ""


def _label(path: Path) -> str:
    """The innermost key: an item of a list goes by the list's name, the column says which."""
    return next((part for part in reversed(path) if isinstance(part, str)), "flow")


def _written_at(source: Source, path: Path) -> Any:
    tree = source.tree
    for part in path:
        if isinstance(tree, dict):
            tree = tree.get(part)
        elif isinstance(tree, list) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        else:
            return None
    return tree


def _instead(word: str, known: frozenset[str]) -> str:
    kinds = known & set(words())
    if word in words() and kinds:
        return f"a step does one thing: this one is '{sorted(kinds)[0]}'"
    return QUOTES_ROUND_EXPRESSION if _OF_AN_EXPRESSION.search(word) else did_you_mean(word, known)


# What stands behind a comma in `{if: bill.due in 5.00 USD, 10.00 USD, then: ...}` is a key of YAML.
_OF_AN_EXPRESSION = re.compile(r"[<>=()]|\d [A-Z]{3}\b|\b(?:and|or|not|in|of) ")


def _known_keys(model: type[BaseModel], path: Path) -> frozenset[str]:
    """The keys that a model knows at a place below it."""
    current: Any = model
    for part in path:
        annotation = current.model_fields[part].annotation if str(part) in current.model_fields else None
        nested = list(_models_in(annotation))
        if nested:
            current = nested[0]
    return frozenset(known.alias or name for name, known in current.model_fields.items())


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models_in(inner)
