"""One name, one thing, in the words of the field: STYLE's rule for classes and modules, held over all of the product."""

import ast
import functools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("ivr", "dsp")
RIDDLES = ("house", "mouth", "desk", "crew", "hands", "shelf", "ear", "asking", "screening", "growing")


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


@functools.cache  # to parse the product is two seconds of CPU
def classes() -> list[tuple[str, str]]:
    """Name and module of each class that stands at the top of one."""
    return [
        (node.name, str(module.relative_to(ROOT)))
        for module in modules()
        for node in ast.parse(module.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    ]


def test_no_class_name_means_two_things():
    """Nor with an underscore in front: `_Line` beside `Line` is read as the same."""
    places = defaultdict(list)
    for name, module in classes():
        places[name.lstrip("_")].append(module)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


@pytest.mark.parametrize("riddle", RIDDLES)
def test_no_module_and_no_class_needs_a_guide(riddle: str):
    names = [module.stem for module in modules()] + [in_words(name) for name, _ in classes()]
    assert [name for name in names if riddle in name.split("_")] == []


def in_words(name: str) -> str:
    """`PromptCache` as `prompt_cache`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).strip("_")
