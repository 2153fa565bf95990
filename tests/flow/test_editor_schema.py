"""The schema that editors complete flows by: current, and of one mind with the checker about plain YAML."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ivr.cli.flows import schema_text
from ivr.flow.editor_schema import flow_schema
from ivr.flow.steps import kinds as step_kinds

ROOT = Path(__file__).parents[2]
SCHEMA = flow_schema()
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}


def faults(schema: Any, value: Any, place: str = "") -> Iterator[str]:
    """As much of JSON Schema (draft 7) as flow.schema.json uses; an unknown keyword is an error here."""
    known = {"$schema", "title", "description", "examples", "definitions", "required", "additionalProperties"}
    known |= {"patternProperties", "maximum", "maxLength", "maxItems", "propertyNames"}
    for keyword, rule in schema.items():
        if keyword == "$ref":
            yield from faults(SCHEMA["definitions"][rule.removeprefix("#/definitions/")], value, place)
        elif keyword == "type" and (not isinstance(value, TYPES[rule]) or (rule == "integer" and value is True)):
            yield f"{place}: not {rule}"
        elif keyword == "anyOf" and not any(not list(faults(choice, value, place)) for choice in rule):
            yield f"{place}: fits none"
        elif (keyword == "enum" and value not in rule) or (keyword == "const" and value != rule):
            yield f"{place}: not one of {rule}"
        elif keyword == "pattern" and isinstance(value, str) and not re.search(rule, value):
            yield f"{place}: not like {rule}"
        elif keyword in ("minItems", "minLength", "minProperties") and len(value) < rule:
            yield f"{place}: too few"
        elif keyword == "maxItems" and isinstance(value, list) and len(value) > rule:
            yield f"{place}: too many"
        elif keyword == "minimum" and isinstance(value, int) and not rule <= value <= schema.get("maximum", value):
            yield f"{place}: out of range"
        elif keyword == "items" and isinstance(value, list):
            for index, item in enumerate(value):
                part = rule if isinstance(rule, dict) else rule[min(index, len(rule) - 1)]
                yield from faults(part, item, f"{place}/{index}")
        elif keyword == "properties" and isinstance(value, dict):
            yield from keys_of(schema, value, place)
        else:
            assert keyword in {
                *known,
                "type",
                "anyOf",
                "enum",
                "const",
                "pattern",
                "items",
                "properties",
                "minItems",
            } | {*("minLength", "minProperties", "maxProperties", "minimum", "default")}, (
                f"the test does not know '{keyword}'"
            )
    if "properties" not in schema and isinstance(value, dict):
        yield from keys_of(schema, value, place)


def keys_of(schema: Any, value: dict[Any, Any], place: str) -> Iterator[str]:
    yield from (f"{place}: lacks {key}" for key in schema.get("required", ()) if key not in value)
    for key, below in value.items():
        # YAML's plain 1 is a number; an editor treats keys as text.
        patterns = [
            rule for pattern, rule in schema.get("patternProperties", {}).items() if re.search(pattern, str(key))
        ]
        rule = schema.get("properties", {}).get(str(key)) or next(
            iter(patterns), schema.get("additionalProperties", True)
        )
        if rule is False:
            yield f"{place}: unknown key {key}"
        elif rule is not True:
            yield from faults(rule, below, f"{place}/{key}")


def editor(text: str) -> list[str]:
    """As an editor sees it: plain YAML, with numbers and booleans."""
    return list(faults(SCHEMA, yaml.safe_load(text)))


TEXT = (ROOT / "flows" / "pay-a-bill.yaml").read_text(encoding="utf-8")


def test_the_committed_schema_is_current():
    committed = (ROOT / "config" / "flow.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(), "run: python -m ivr schema"


def test_the_flow_names_its_schema():
    assert TEXT.startswith("# yaml-language-server: $schema=../config/flow.schema.json\n")


@pytest.mark.parametrize("file", sorted((ROOT / "flows").glob("*.yaml")), ids=lambda file: file.stem)
def test_an_editor_finds_nothing_wrong_with_a_shipped_flow(file: Path):
    assert editor(file.read_text(encoding="utf-8")) == []


def test_numbers_and_booleans_may_stand_unquoted_or_as_the_checker_reads_them():
    assert editor(TEXT.replace("length: 8..10", "length: 8")) == []
    assert editor(TEXT.replace("schema: 1", 'schema: "1"')) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("patience:", "patiense:"),
        ("schema: 1", "schema: 2"),
        ("clear: star", "clear: hash"),
        ("first_key: 10s", "first_key: 10"),
        ("tries: 3", "tries: 0"),
        ("slow_mode: true", "slow_mode: 3"),
        ("5/1h", "5 an hour"),
        ("500.00 USD", "500"),
        ("en-US", "English"),
        ("length: 8..10", "length: 0"),
        ("length: 8..10", "length: long"),
        ("[bill.min, bill.due]", "[bill.min]"),
        ("visa,", "vsa,"),
        ("expiry,", "exipry,"),
        ("{approved: receipt, declined", "{aproved: receipt, declined"),
        ("end: paid", "end: payed"),
        ("sms: send", "sms: now"),
        ("      1: {say", "      star: {say"),
        ("    collect:", "    colect:"),
        ("start: account\n", ""),
    ],
)
def test_an_editor_marks_what_the_checker_refuses(old: str, new: str):
    assert TEXT.count(old) >= 1
    assert editor(TEXT.replace(old, new, 1)) != []


def test_every_kind_of_step_is_offered_with_a_word_on_each_key():
    kinds = {model.__name__ for model in step_kinds()}
    assert kinds <= SCHEMA["definitions"].keys()
    for name in kinds:
        definition = SCHEMA["definitions"][name]
        assert definition["description"]
        assert all("description" in key for key in definition["properties"].values()), name


def test_outcomes_are_offered_by_name():
    assert list(SCHEMA["definitions"]["PayStep"]["properties"]["then"]["properties"]) == [
        "approved",
        "approved_in_part",
        "declined",
        "not_sent",
        "unknown",
    ]


def test_it_refers_to_nothing_outside():
    assert set(re.findall(r'"\$ref": "([^#][^"]*)"', json.dumps(SCHEMA))) == set()
