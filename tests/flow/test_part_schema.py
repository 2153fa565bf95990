"""The schema that editors complete parts and calendars by."""

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from ivr.cli.flows import schema_text
from ivr.flow.editor_schema import part_schema

ROOT = Path(__file__).parents[2]
PART = (ROOT / "flows" / "parts" / "authenticate.yaml").read_text(encoding="utf-8")
CALENDAR = "calendar: bank\ndays: ['12-25', 4th thursday of november]\n"


def editor_accepts(text: str) -> bool:
    return bool(Draft7Validator(part_schema()).is_valid(yaml.safe_load(text)))


def test_the_committed_schema_is_current():
    committed = (ROOT / "config" / "part.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(part_schema), "run: python -m ivr schema"


@pytest.mark.parametrize("file", sorted((ROOT / "flows" / "parts").glob("*.yaml")), ids=lambda file: file.stem)
def test_a_shipped_part_names_the_schema_and_an_editor_finds_nothing_wrong(file: Path):
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../../config/part.schema.json\n")
    assert editor_accepts(text)


def test_a_parameter_may_stand_for_a_value_and_nothing_else_may():
    assert editor_accepts(PART)
    assert not editor_accepts(PART.replace("length: $length", "length: as long as it is"))


@pytest.mark.parametrize(
    ("old", "new"), [("days:", "dates:"), ("calendar: bank", "calendar: The Bank"), ("[", "[12, ")]
)
def test_an_editor_marks_what_is_no_calendar(old: str, new: str):
    assert editor_accepts(CALENDAR)
    assert not editor_accepts(CALENDAR.replace(old, new, 1))
