"""docs/flows.md names every type of value, and every value that an expression can read."""

import re
from pathlib import Path
from typing import get_args

import pytest

from ivr.flow.expressions.kinds import Type
from ivr.flow.value_types import GIVEN, KEPT
from ivr.reading.typed_values import ValueType

DOCS = (Path(__file__).parents[2] / "docs" / "flows.md").read_text(encoding="utf-8")
SECTION = DOCS.partition("## Conditions and values")[2].partition("\n## ")[0]
ROWS = dict(re.findall(r"^\| ([a-z ]+) \| (.*) \|$", SECTION, re.MULTILINE))
NAMES = {"percent": "percentage", "time": "time of day", "weekday": "day of the week", "yes_no": "yes or no"}


@pytest.mark.parametrize("kind", get_args(Type))
def test_each_type_has_its_row(kind: str):
    assert NAMES.get(kind, kind) in ROWS


@pytest.mark.parametrize(("value", "kind"), GIVEN.items())
def test_each_value_that_every_call_knows_stands_in_the_row_of_its_type(value: str, kind: str):
    assert f"`{value}`" in ROWS[NAMES.get(kind, kind)]


@pytest.mark.parametrize("kind", get_args(ValueType))
def test_each_type_that_a_look_up_gives_is_named(kind: str):
    assert kind == "email" or f"gives as `{kind}`" in ROWS[NAMES.get(kind, kind)]


def test_what_set_keeps_is_said():
    kept = SECTION.partition("- `set` keeps ")[2].partition(".")[0]
    said = {"money": "amounts", "yes_no": "yes or no", "weekday": "days of the week"}
    assert all(said.get(kind, f"{kind}s") in kept for kind in KEPT)
