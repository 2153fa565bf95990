"""What a package's `__init__` says of its public face is what others import of it."""

import ast
import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = [file for top in ("ivr", "dsp") for file in sorted((ROOT / top).rglob("*.py"))]
INITS = {".".join(file.relative_to(ROOT).parent.parts): file for file in FILES if file.name == "__init__.py"}


@functools.cache
def docstring(package: str) -> str:
    return ast.get_docstring(ast.parse(INITS[package].read_text(encoding="utf-8"))) or ""


def has_list(package: str) -> bool:
    return "__all__" in INITS[package].read_text(encoding="utf-8")


@functools.cache
def imports() -> list[tuple[str, str, tuple[str, ...]]]:
    """Who imports, from which module of ours, which names."""
    found = []
    for file in FILES:
        importer = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for node in statements(ast.parse(file.read_text(encoding="utf-8")).body):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in ("ivr", "dsp"):
                found.append((importer, node.module, tuple(alias.name for alias in node.names)))
    return found


def statements(block: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Those of a block and of the blocks inside; not the expressions, of which there are ten times as many."""
    for one in block:
        yield one
        yield from statements(getattr(one, "body", ()))
        yield from statements(getattr(one, "orelse", ()))
        yield from statements(getattr(one, "finalbody", ()))
        for part in (*getattr(one, "handlers", ()), *getattr(one, "cases", ())):
            yield from statements(part.body)


def test_an_import_is_found_wherever_it_stands():
    shapes = "if a:\n {0}\nelse:\n {0}", "def a():\n {0}", "try:\n {0}\nexcept A:\n {0}\nfinally:\n {0}"
    places = "\n".join([*shapes, "match a:\n case 1:\n  {0}"]).format("from ivr import errors")
    assert sum(isinstance(one, ast.ImportFrom) for one in statements(ast.parse(places).body)) == 7


@pytest.mark.parametrize("package", INITS)
def test_each_package_says_what_others_may_use(package: str):
    said = docstring(package)
    assert said
    assert has_list(package) or "Public " in said


def test_what_is_imported_of_a_package_with_a_list_is_listed_or_a_module_that_it_names():
    hidden = set()
    for importer, module, _ in imports():
        package, _, name = module.rpartition(".")
        inside = f"{importer}.".startswith(f"{package}.")
        if module in INITS or inside or package not in INITS or not has_list(package):
            continue
        if f"`{name}`" not in docstring(package).partition("Public are")[2]:
            hidden.add(f"{importer} imports {module}")
    assert hidden == set()


def test_a_module_that_is_named_as_public_is_there_and_used():
    used = {module for _, module, _ in imports()}
    for package in filter(has_list, INITS):
        named = re.findall(r"`(\w+)`", docstring(package).partition("Public are the names of `__all__`")[2])
        assert [name for name in named if f"{package}.{name}" not in used] == [], package


def test_a_name_with_a_leading_underscore_stays_in_its_module():
    private = [
        f"{importer}: {module} {name}" for importer, module, names in imports() for name in names if name[0] == "_"
    ]
    assert [one for one in private if "__" not in one.rpartition(" ")[2]] == []
    assert [module for _, module, _ in imports() if re.search(r"\._[a-z]", module)] == []
