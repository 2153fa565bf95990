"""The JSON schema that lets an editor complete a flow, from the same models that check it; what fits together is `compiler`'s."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core.core_schema import ModelSchema

from ivr.flow.calendars import CalendarFile
from ivr.flow.key_words import words_on_keys
from ivr.flow.part_files import PartHead
from ivr.flow.schema import FlowHead
from ivr.flow.step import Step
from ivr.flow.steps import kinds as step_kinds
from ivr.reading.scalars import NAME_PATTERN, Rate

Schema = dict[str, Any]
PARAMETER_SCHEMA = {"type": "string", "pattern": r"^\$[a-z][a-z0-9_]*$"}  # `length: $length`
DIALECT = "http://json-schema.org/draft-07/schema#"  # what yaml-language-server reads


def flow_schema() -> Schema:
    """Numbers and booleans stand unquoted in YAML: an editor sees them as such, we read them as text."""
    definitions = _definitions(FlowHead)
    head = _with_steps(definitions.pop(FlowHead.__name__))
    head["description"] = "A flow: what is said to callers, and what their keys do."
    return {"$schema": DIALECT, "title": "A Tonetill flow", **_moved(head), "definitions": _moved(definitions)}


def part_schema() -> Schema:
    """Of the files in `parts/`: a part, in whose steps `$name` may stand for any value, or a calendar."""
    definitions = _definitions(PartHead, CalendarFile)
    part, calendar = _with_steps(definitions.pop(PartHead.__name__)), definitions.pop(CalendarFile.__name__)
    part["description"], calendar["description"] = "Steps that flows share.", "Holidays that flows share."
    for definition in definitions.values():
        of_it = definition.get("properties", {})
        definition["properties"] = {key: _or_parameter(rule) for key, rule in of_it.items()}
    choices = {"anyOf": [_moved(part), _moved(calendar)], "definitions": _moved(definitions)}
    return {"$schema": DIALECT, "title": "What Tonetill flows share", **choices}


def _or_parameter(rule: Schema) -> Schema:
    told = {"description": rule["description"]} if "description" in rule else {}
    return told | {"anyOf": [rule, PARAMETER_SCHEMA]}


def _definitions(*heads: type[BaseModel]) -> dict[str, Schema]:
    """Those of the heads, of every kind of step, and of what they are made of."""
    kinds = step_kinds()
    _, whole = models_json_schema(_modes([*heads, *kinds]), schema_generator=_WithWords)
    parts = {name: _plain(part) for name, part in whole["$defs"].items()}
    for kind in kinds:
        _add_outcomes(parts[kind.__name__], kind)
    parts.pop(Rate.__name__, None)  # written as text, such as 5/1h
    return parts


def _with_steps(head: Schema) -> Schema:
    steps = {
        "type": "object",
        "description": "The steps by name.",
        "minProperties": 1,
        "propertyNames": {"pattern": NAME_PATTERN},
        "additionalProperties": {"anyOf": [{"$ref": f"#/definitions/{kind.__name__}"} for kind in step_kinds()]},
    }
    properties = head["properties"] | {"steps": steps}
    return head | {"properties": properties, "required": [*head["required"], "steps"]}


class _WithWords(GenerateJsonSchema):
    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        model = schema["cls"]
        for name, words in words_on_keys(model).items():
            made["properties"][model.model_fields[name].alias or name]["description"] = words
        return made


def _modes(models: Sequence[type[BaseModel]]) -> list[tuple[type[BaseModel], Literal["validation"]]]:
    return [(model, "validation") for model in models]


def _plain(node: Any) -> Any:
    """Without pydantic's titles, without null (an empty value is an error here), without defaults of our own types."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _plain(value) for key, value in node.items() if not _is_noise(key, value)}
    choices = [choice for choice in kept.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        kept = {key: value for key, value in kept.items() if key != "anyOf"} | choices[0]
    if "prefixItems" in kept:
        kept["items"] = kept.pop("prefixItems")
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    return kept


def _is_noise(key: str, value: Any) -> bool:
    return (key == "title" and isinstance(value, str)) or key == "default"


def _add_outcomes(part: Schema, kind: type[Step]) -> None:
    """An editor offers each outcome by name."""
    then = part["properties"].get("then", {})
    if then.get("type") == "object" and kind.offered_outcomes():
        target = then.pop("additionalProperties")
        then["properties"] = dict.fromkeys(sorted(kind.offered_outcomes()), target)
        then["additionalProperties"] = False


def _moved(node: Any) -> Any:
    """References as draft 7 has them."""
    if isinstance(node, list):
        return [_moved(item) for item in node]
    if isinstance(node, dict):
        return {key: _moved(value) for key, value in node.items()}
    return node.replace("#/$defs/", "#/definitions/") if isinstance(node, str) else node
