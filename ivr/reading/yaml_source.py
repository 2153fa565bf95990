"""YAML as a tree of plain strings that remembers where each came from; what the strings mean is for the schema.

PyYAML's own types are not used: it reads `0123` as 83, `no` as False and `12:30` as 750, and drops duplicate keys.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from ivr.reading import yaml_quickly
from ivr.reading.problems import Problem, line_of
from ivr.reading.rules import Rule, reading
from ivr.reading.yaml_errors import meant

Path = tuple[str | int, ...]
# Fifty times the sample flow, ten times its prompts; PyYAML needs seconds for this much.
MAX_CHARACTERS = 100_000
MAX_DEPTH = 20

# In braces and brackets a comma separates: `{max_amount: 1,200.00 USD}` is an amount that YAML has cut, `{visa: 1,5 %}` a share.
_CUT_BEFORE = re.compile(r"(.* )?(\d{1,3}([.,']\d{2,3})*|\d{1,9})", re.ASCII)
_CUT_AFTER = re.compile(r"\d{2,4}(\.\d{1,4})?( [A-Z]{3}( .*)?)?|\d{1,4}( [A-Z]{3}| ?%)( .*)?", re.ASCII)
_CUT_ITEM = re.compile(r"\d{2,4}(\.\d{1,4})? [A-Z]{3}( .*)?", re.ASCII)
_COMMENT = re.compile(r"[ \t]*(#[^\n]*)")
_OPENS = (
    *(yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken),
    *(yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken),
)
_CLOSES = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)


@dataclass(frozen=True)
class Source:
    """`tree` holds dicts, lists and strings only; `places` gives (line, column) of each path, from 1."""

    file: str
    tree: Any
    places: dict[Path, tuple[int, int]]
    problems: list[Problem] = field(default_factory=list)
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)  # where the text of each string begins
    comments: dict[Path, str] = field(default_factory=dict)  # from its # on, behind a string without quotes

    def problem_within(self, rule: Rule, path: Path, at: int, message: str, suggestion: str = "") -> Problem:
        """A problem so many characters into a string, where it stands in one line as it is meant."""
        line, column = self.values.get(path, self.place(path))
        column += at if path in self.values else 0
        return Problem(self.file, line, column, message, suggestion, rule=rule)

    def problem(self, rule: Rule, path: Iterable[str | int], message: str, suggestion: str = "") -> Problem:
        """A problem at the path, or at the nearest enclosing place that is known."""
        return Problem(self.file, *self.place(path), message, suggestion, rule=rule)

    def line(self, path: Iterable[str | int], message: str, suggestion: str = "") -> str:
        """The same for files that no rules of flows are about, as one line of text."""
        return line_of(self.file, self.place(path), message, suggestion)

    def place(self, path: Iterable[str | int]) -> tuple[int, int]:
        at = tuple(path)
        while at and at not in self.places:
            at = at[:-1]
        return self.places.get(at, (1, 1))


def read_yaml(file: str, text: str | bytes) -> Source:
    """Never raises: what is not YAML is in `problems`, and the tree is then as much as could be read."""
    try:
        return _read(file, _decode(text))
    except _Unreadable as found:
        return Source(file, {}, {}, [Problem(file, *found.place, found.message, found.suggestion, rule=found.rule)])


class _Unreadable(Exception):
    def __init__(self, rule: Rule, place: tuple[int, int], message: str, suggestion: str) -> None:
        super().__init__(message)
        self.rule, self.place, self.message, self.suggestion = rule, place, message, suggestion


def _decode(text: str | bytes) -> str:
    if len(text) > MAX_CHARACTERS:
        raise _Unreadable(reading.TOO_LARGE, (1, 1), f"the file is larger than {MAX_CHARACTERS // 1000} kB", "split it")
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        before = text[: error.start].decode("utf-8")
        raise _Unreadable(reading.NOT_TEXT, _end_of(before), "not a text in UTF-8", "save it as UTF-8 text") from None


def _read(file: str, text: str) -> Source:
    reader = _Reader(file, text)
    try:
        root = _compose(text)
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(text, error) from None
    except yaml.reader.ReaderError as error:
        place = _end_of(text[: error.position])
        raise _Unreadable(
            reading.NOT_TEXT, place, "not YAML: a character that must not be in a text file", "remove it"
        ) from None
    tree = reader.plain(root, ()) if root is not None else {}
    return Source(file, tree, reader.places, reader.problems, reader.values, reader.comments)


def _compose(text: str) -> yaml.Node | None:
    try:
        return yaml_quickly.compose(text, MAX_DEPTH)
    except yaml_quickly.Unsure:
        _refuse_depth_and_aliases(text)
        return yaml.compose(text, Loader=yaml.SafeLoader)


def _refuse_depth_and_aliases(text: str) -> None:
    """Before anything recursive looks at it."""
    depth = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.AliasToken):
            raise _Unreadable(
                reading.ANCHOR, _place(token.start_mark), "anchors and aliases are not used here", "write it out"
            )
        depth += isinstance(token, _OPENS) - isinstance(token, _CLOSES)
        if depth > MAX_DEPTH:
            raise _Unreadable(
                reading.TOO_LARGE, _place(token.start_mark), "nested too deeply", "a flow needs five levels at most"
            )


def _not_yaml(text: str, error: yaml.MarkedYAMLError) -> _Unreadable:
    line, column, message, cure = meant(text, error)
    return _Unreadable(reading.NOT_YAML, (line, column), message, cure)


def _place(mark: yaml.Mark) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _end_of(text: str) -> tuple[int, int]:
    return text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1


def _is_control(character: str) -> bool:
    """Control characters and lone surrogates; a no-break space or a soft hyphen in a prompt is fine."""
    return character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cs")


def _is_cut(before: Any, key: str, value: yaml.Node) -> bool:
    """Is the key without a value the rest of the number before it?"""
    is_bare = isinstance(value, yaml.ScalarNode) and not value.value and value.start_mark.index == value.end_mark.index
    return is_bare and isinstance(before, str) and bool(_CUT_BEFORE.fullmatch(before) and _CUT_AFTER.fullmatch(key))


def _is_cut_item(before: Any, item: yaml.Node) -> bool:
    is_plain = isinstance(item, yaml.ScalarNode) and item.style is None
    return (
        is_plain and isinstance(before, str) and bool(_CUT_BEFORE.fullmatch(before) and _CUT_ITEM.fullmatch(item.value))
    )


class _Reader:
    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self.places: dict[Path, tuple[int, int]] = {}
        self.values: dict[Path, tuple[int, int]] = {}
        self.comments: dict[Path, str] = {}
        self.problems: list[Problem] = []

    def plain(self, node: yaml.Node, path: Path) -> Any:
        self.places.setdefault(path, _place(node.start_mark))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return self.sequence(node, path)
        if isinstance(node, yaml.ScalarNode) and node.style not in ("|", ">"):
            line, column = _place(node.start_mark)
            self.values[path] = line, column + (node.style is not None)  # a quote comes before it
            if node.style is None and (comment := _COMMENT.match(self.text, node.end_mark.index)):
                self.comments[path] = comment[1]
        return self.scalar(node)

    def sequence(self, node: yaml.SequenceNode, path: Path) -> list[Any]:
        items: list[Any] = []
        end = -1
        for child in node.value:
            is_next = child.start_mark.index == end + 1  # no blank after the comma
            end = child.end_mark.index
            if node.flow_style and is_next and items and _is_cut_item(items[-1], child):
                items[-1] = f"{items[-1]},{child.value}"
            else:
                items.append(self.plain(child, (*path, len(items))))
        return items

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        last = ""
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.refuse(
                    reading.KEY_NOT_A_WORD, key_node, "a key must be a word", "a bracket or brace may be too many"
                )
                continue
            key = self.scalar(key_node)
            if node.flow_style and _is_cut(tree.get(last), key, value_node):
                tree[last] = f"{tree[last]},{key}"
                continue
            last = key
            if key in tree:
                first = self.places[(*path, key)][0]
                self.refuse(reading.WRITTEN_TWICE, key_node, f"'{key}' is there twice", f"it is first on line {first}")
                continue
            self.places[(*path, key)] = _place(key_node.start_mark)
            tree[key] = self.plain(value_node, (*path, key))
        return tree

    def scalar(self, node: yaml.Node) -> str:
        """Quoted YAML can spell characters (`"\\e"`, `"\\ud800"`) that a file could not hold as they are."""
        text = str(node.value)
        if not any(map(_is_control, text)):
            return text
        self.refuse(reading.NOT_TEXT, node, "a character that cannot be printed", "remove it")
        return "".join("?" if _is_control(character) else character for character in text)

    def refuse(self, rule: Rule, node: yaml.Node, message: str, suggestion: str = "") -> None:
        self.problems.append(Problem(self.file, *_place(node.start_mark), message, suggestion, rule=rule))
