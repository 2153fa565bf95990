"""The JSON schema that lets an editor complete a flow, from the same models that check it; what fits together is `compiler`'s."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ivr.flow.schema import FlowHead
from ivr.flow.step import Step
from ivr.flow.steps import kinds as step_kinds
from ivr.reading.scalars import NAME_PATTERN, Rate

Schema = dict[str, Any]
DIALECT = "http://json-schema.org/draft-07/schema#"  # what yaml-language-server reads


def flow_schema() -> Schema:
    """Numbers and booleans stand unquoted in YAML: an editor sees them as such, we read them as text."""
    kinds = step_kinds()
    _, whole = models_json_schema(_modes([FlowHead, *kinds]), by_alias=True)
    parts = {name: _plain(part) for name, part in whole["$defs"].items()}
    for kind in kinds:
        _add_outcomes(parts[kind.__name__], kind)
    parts.pop(Rate.__name__, None)  # written as text, such as 5/1h
    head = parts.pop(FlowHead.__name__) | {"description": "A flow: what is said to callers, and what their keys do."}
    head["properties"]["steps"] = {
        "type": "object",
        "description": "The steps by name.",
        "minProperties": 1,
        "propertyNames": {"pattern": NAME_PATTERN},
        "additionalProperties": {"anyOf": [{"$ref": f"#/definitions/{kind.__name__}"} for kind in kinds]},
    }
    head["required"] = [*head["required"], "steps"]
    return {"$schema": DIALECT, "title": "A Tonetill flow", **_moved(head), "definitions": _moved(parts)}


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
