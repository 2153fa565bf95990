"""YAML as a tree of plain strings that remembers where each came from; what the strings mean is for the schema.

PyYAML's own types are not used: it reads `0123` as 83, `no` as False and `12:30` as 750, and drops duplicate keys.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from ivr.core.problems import Problem

Path = tuple[str | int, ...]
MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Source:
    """`tree` holds dicts, lists and strings only; `places` gives (line, column) of each path, from 1."""

    file: str
    tree: Any
    places: dict[Path, tuple[int, int]]
    problems: list[Problem] = field(default_factory=list)

    def problem(self, path: Iterable[str | int], message: str, suggestion: str = "") -> Problem:
        """A problem at the path, or at the nearest enclosing place that is known."""
        at = tuple(path)
        while at and at not in self.places:
            at = at[:-1]
        return Problem(self.file, *self.places.get(at, (1, 1)), message, suggestion)


def read_yaml(file: str, text: str) -> Source:
    """Never raises: what is not YAML is in `problems`, and the tree is then as much as could be read."""
    if len(text) > MAX_BYTES:
        return Source(file, {}, {}, [Problem(file, 1, 1, "the file is larger than a megabyte", "split it")])
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.SafeLoader)):
            return Source(file, {}, {}, [Problem(file, 1, 1, "anchors and aliases are not used here", "write it out")])
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        reader = _Reader(file)
        tree = reader.plain(root, ()) if root is not None else {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Source(file, {}, {}, [Problem(file, line, column, f"not YAML: {error.problem}")])
    except yaml.YAMLError:
        return Source(file, {}, {}, [Problem(file, 1, 1, "not YAML: a character that must not be in a text file")])
    except RecursionError:
        return Source(file, {}, {}, [Problem(file, 1, 1, "nested too deeply", "a flow needs five levels at most")])
    return Source(file, tree, reader.places, reader.problems)


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[Path, tuple[int, int]] = {}
        self.problems: list[Problem] = []

    def plain(self, node: yaml.Node, path: Path) -> Any:
        self.places.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(child, (*path, index)) for index, child in enumerate(node.value)]
        return node.value

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(Problem(self.file, line, column, "a key must be a word"))
                continue
            key = str(key_node.value)
            if key in tree:
                first = self.places[(*path, key)][0]
                message = f"'{key}' is there twice"
                self.problems.append(Problem(self.file, line, column, message, f"it is first on line {first}"))
                continue
            self.places[(*path, key)] = (line, column)
            tree[key] = self.plain(value_node, (*path, key))
        return tree
