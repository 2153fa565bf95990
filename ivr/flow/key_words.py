"""The words below each key of what is written in a flow, which an editor shows: read from the source when they are asked for.

pydantic reads them while it makes each model (`use_attribute_docstrings`), by its class alone: a fifth of every process's start.
"""

import ast
import functools
import inspect
import itertools
import linecache
import sys
from collections.abc import Iterator, Mapping

from pydantic import BaseModel

Keys = Mapping[str, str]


def words_on_keys(model: type[BaseModel]) -> dict[str, str]:
    """By field; those of the classes that it is made from too. Nothing of a key that has no words, or whose source is away."""
    words: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            words |= _words_in(one.__module__).get(one.__qualname__, {})
    return {name: said for name, said in words.items() if name in model.model_fields}


@functools.cache
def _words_in(module: str) -> Mapping[str, Keys]:
    """By the qualified name of each class of a module."""
    file = getattr(sys.modules.get(module), "__file__", None)
    lines = linecache.getlines(file) if file else []
    return dict(_classes(ast.parse("".join(lines)), ""))


def _classes(node: ast.AST, within: str) -> Iterator[tuple[str, Keys]]:
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.ClassDef):
            yield f"{within}{inner.name}", dict(_words(inner.body))
            yield from _classes(inner, f"{within}{inner.name}.")
        elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _classes(inner, f"{within}{inner.name}.<locals>.")


def _words(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """A text that stands alone, below a key with its type."""
    for key, below in itertools.pairwise(body):
        if not isinstance(key, ast.AnnAssign) or not isinstance(key.target, ast.Name):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            yield key.target.id, inspect.cleandoc(below.value.value)
