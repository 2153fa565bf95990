"""Messages name the command as it is typed here: `tonetill` where it is installed, `python -m ivr` in a clone."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

IVR = Path(__file__).parents[2] / "ivr"
# Where the words are not a message: the name itself, help that is translated, a process of the Procfile.
MAY = {"places.py", "cli/__init__.py", "cli/start_up.py", "bank/simulator/__main__.py"}
FILES = [file for file in sorted(IVR.rglob("*.py")) if str(file.relative_to(IVR)) not in MAY]


def messages(file: Path) -> Iterator[tuple[int, str]]:
    """Texts of a module, all but its docstrings: click shows those, and `as_typed_here` translates them."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body and isinstance(node.body[0], ast.Expr)
    }  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(IVR)))
def test_no_message_names_the_command_of_a_clone(file: Path):
    named = [(line, text) for line, text in messages(file) if "python -m ivr " in text]
    assert named == [], "say f'`{COMMAND} ...`' (ivr.places)"
