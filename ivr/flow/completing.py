"""What could be typed next in a flow's text: keys and words by the editor's schema, and the names that the flow itself has.

The text is half written, and rarely YAML while somebody types: it is read by its indentation and braces alone, and where that
is not enough nothing is offered. Whether a flow is right is not said here.
"""

import functools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ivr.flow.editor_schema import Schema, flow_schema
from ivr.flow.registry import words
from ivr.flow.schema import RETRY

ITEM = "[]"  # on the path: one of a list
_KEY = re.compile(r"^\s*(?:- )?(\"?[\w.$*#-]+\"?):(?:\s|$)")
_MARK = re.compile(r"\"[^\"]*\"?|'[^']*'?|[{}\[\],]|:(?=\s|$)|[^\s{}\[\],:\"']+|:|\s+")
LEADING = ("then", "else", "start")  # keys whose values are steps, or have steps below them
SAYING = ("say", "sms", "email")
PAYING = ("pay", "inquire_then_reverse")


@dataclass(frozen=True)
class TextCursor:
    """Where the next character is typed; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Offer:
    """`detail`: a word beside it; `about`: a sentence."""

    label: str
    detail: str = ""
    about: str = ""


@dataclass(frozen=True)
class Offers:
    """`column`: where the word begins that an option takes the place of."""

    column: int
    options: Sequence[Offer] = field(default_factory=list)


@dataclass(frozen=True)
class KnownNames:
    """What values may name beside the flow's own steps."""

    prompts: Collection[str] = ()
    banks: Collection[str] = ()
    parts: Collection[str] = ()


@dataclass
class _TextBefore:
    """Of what stands before the cursor. `path`: the keys down to it; `key`: whose value is typed, empty where a key is; `has`: the
    keys beside it."""

    path: list[str]
    column: int
    word: str = ""
    key: str = ""
    has: set[str] = field(default_factory=set)


@functools.cache
def _schema() -> Schema:
    return flow_schema()


def complete(text: str, at: TextCursor, names: KnownNames) -> Offers:
    """The options that begin with what is typed already, the likeliest first."""
    lines = text.split("\n")
    if not 1 <= at.line <= len(lines):
        return Offers(at.column)
    before = lines[at.line - 1][: at.column - 1]
    if "#" in before and re.search(r"(^|\s)#", before):
        return Offers(at.column)
    typed = _typed(lines, at.line - 1, before)
    nodes = _nodes_at([_schema()], typed.path, lines)
    found = _values(nodes, typed, lines, names) if typed.key else _keys(nodes, typed)
    kept = {one.label: one for one in found if one.label.startswith(typed.word.strip("\"'"))}
    return Offers(typed.column, list(kept.values()))


def step_names(text: str) -> list[str]:
    """As far as they can be read."""
    return list(_children(text.split("\n"), "steps"))


# ---- where the cursor is


def _typed(lines: Sequence[str], number: int, before: str) -> _TextBefore:
    inner = before.lstrip()
    indent = len(before) - len(inner)
    path = _path_above(lines, number, indent)
    if inner.startswith("- "):
        path.append(ITEM)
    found = _inline(inner.removeprefix("- "), path)
    if found.path == path and not found.key:
        found.has |= _beside(lines, number, indent)
    found.column = len(before) - len(found.word) + 1
    return found


def _path_above(lines: Sequence[str], number: int, indent: int) -> list[str]:
    path: list[str] = []
    for line in reversed(lines[:number]):
        own = _indent(line)
        if own is None or own >= indent:
            continue
        key = _KEY.match(line)
        if key:
            path.append(key[1].strip('"'))
        indent = own
        if own == 0:
            break
    return path[::-1]


def _inline(inner: str, path: Sequence[str]) -> _TextBefore:
    """Through the braces and brackets of one line."""
    stack: list[tuple[list[str], set[str]]] = [(list(path), set())]
    key, last = "", ""
    for mark in _MARK.findall(inner):
        here, has = stack[-1]
        if mark in "{[":
            below = [*here, key] if key else list(here)
            stack.append(([*below, ITEM] if mark == "[" else below, set()))
            key = last = ""
        elif mark in "}]":
            stack = stack[:-1] or stack
            key = last = ""
        elif mark == ",":
            key = last = ""
        elif mark == ":" and last:
            key, last = last.strip("\"'"), ""
            has.add(key)
        else:
            last = mark if not mark.isspace() else (last if key and last else "")
    here, has = stack[-1]
    is_in_list = bool(here) and here[-1] == ITEM and "[" in inner
    return _TextBefore(here, 0, last, key or (ITEM if is_in_list else ""), has)


def _beside(lines: Sequence[str], number: int, indent: int) -> set[str]:
    """The keys of the same mapping, above and below."""
    found: set[str] = set()
    for way in (reversed(lines[:number]), iter(lines[number + 1 :])):
        for line in way:
            own = _indent(line)
            if own is not None and own < indent:
                break
            key = _KEY.match(line) if own == indent else None
            if key:
                found.add(key[1].strip('"'))
    return found


def _indent(line: str) -> int | None:
    """None for a line that says nothing."""
    inner = line.lstrip()
    return len(line) - len(inner) if inner and not inner.startswith("#") else None


def _children(lines: Sequence[str], of: str, within: int = 0) -> Mapping[str, tuple[int, str]]:
    """The keys below a key at that indentation, each with its line's number and what stands behind it."""
    found: dict[str, tuple[int, str]] = {}
    begin = next((at for at, line in enumerate(lines) if line.startswith(f"{' ' * within}{of}:")), None)
    depth: int | None = None
    for at, line in enumerate(lines[begin + 1 :] if begin is not None else (), (begin or 0) + 1):
        own = _indent(line)
        if own is None:
            continue
        if own <= within:
            break
        depth = own if depth is None else depth
        key = _KEY.match(line) if own == depth else None
        if key:
            found[key[1].strip('"')] = at, line[key.end() :]
    return found


# ---- what the schema has there


def _nodes_at(nodes: Sequence[Schema], path: Sequence[str], lines: Sequence[str]) -> list[Schema]:
    found = list(_alternatives(nodes))
    for depth, key in enumerate(path):
        found = list(_alternatives(_below(found, key)))
        if depth == 1 and path[0] == "steps":
            found = _of_kind(found, _step_keys(lines, key))
    return found


def _alternatives(nodes: Sequence[Schema] | Iterator[Schema]) -> Iterator[Schema]:
    for node in nodes:
        if "$ref" in node:
            yield from _alternatives([_schema()["definitions"][node["$ref"].rpartition("/")[2]]])
        elif "anyOf" in node:
            yield from _alternatives(node["anyOf"])
        else:
            yield node


def _below(nodes: Sequence[Schema], key: str) -> Iterator[Schema]:
    for node in nodes:
        items, more = node.get("items"), node.get("additionalProperties")
        if key == ITEM:
            yield from items if isinstance(items, list) else [items] if items else []
        elif key in node.get("properties", {}):
            yield node["properties"][key]
        else:
            yield from (below for rule, below in node.get("patternProperties", {}).items() if re.search(rule, key))
            yield from [more] if isinstance(more, dict) else []


def _step_keys(lines: Sequence[str], name: str) -> set[str]:
    children = _children(lines, "steps")
    if name not in children:
        return set()
    at, rest = children[name]
    if "{" in rest:
        return {key.strip("\"'") for key in re.findall(r"[{,]\s*([\w\"']+):(?=\s|$)", _outermost(rest))}
    return set(_children(lines[at:], name, _indent(lines[at]) or 0))


def _outermost(written: str) -> str:
    """`{say: a, then: {b: c}}` without what is in inner braces."""
    depth, kept = 0, ""
    for one in written:
        depth += one == "{"
        kept += one if depth <= 1 else ""
        depth -= one == "}"
    return kept


def _of_kind(kinds: list[Schema], has: Collection[str]) -> list[Schema]:
    """Those that a step with these keys may be of; all where none is."""
    word = next((one for one in words() if one in has), None)
    fits = [kind for kind in kinds if word is None or word in kind.get("required", ())]
    return [kind for kind in fits if set(has) <= kind.get("properties", {}).keys()] or fits or kinds


def _keys(nodes: Sequence[Schema], typed: _TextBefore) -> Iterator[Offer]:
    needed = {key for node in nodes for key in node.get("required", ())} if len(nodes) == 1 else set()
    kinds = {*words()} if len(nodes) > 1 else set()
    offered = [
        Offer(key, "needed" if key in needed else "kind" if key in kinds else "", rule.get("description", ""))
        for node in nodes
        for key, rule in node.get("properties", {}).items()
        if key not in typed.has
    ]
    yield from sorted(offered, key=lambda one: not one.detail)


def _values(nodes: Sequence[Schema], typed: _TextBefore, lines: Sequence[str], names: KnownNames) -> Iterator[Offer]:
    own = nodes if typed.key == ITEM else list(_alternatives(_below(nodes, typed.key)))
    last = next((key for key in reversed([*typed.path, typed.key]) if key != ITEM), "")
    if last in LEADING or "then" in typed.path:
        yield from (Offer(name, "step") for name in _children(lines, "steps"))
        yield from [Offer(RETRY, "ask again")] if last == "not_found" else []
    for keys, known, detail in (
        (SAYING, names.prompts, "prompt"),
        (PAYING, names.banks, "bank"),
        (("use",), names.parts, "part"),
    ):
        yield from (Offer(name, detail) for name in known if last in keys)
    for node in own:
        about = node.get("description", "")
        for value in _fixed(node):
            yield Offer(value, "", about)


def _fixed(node: Mapping[str, Any]) -> Iterator[str]:
    yield from (str(value) for value in node.get("enum", ()))
    yield from [str(node["const"])] if "const" in node else []
    yield from ("true", "false") if node.get("type") == "boolean" else ()
    yield from (str(value) for value in node.get("examples", ()))
