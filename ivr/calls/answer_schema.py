"""What a merchant's billing endpoint is asked and has to answer, as JSON Schema, from what a flow declares of its look-ups."""

from typing import Any

from ivr.calls.billing_answer import MOST_BILLS, OF_BILL, BillAnswer
from ivr.flow.schema import LookUpTerms
from ivr.reading.scalars import OPEN_BILLS
from ivr.reading.typed_values import LONGEST_TEXT, MOST_NUMBER, WRITTEN_MONEY, ValueType

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
OF_TYPE: dict[ValueType, Schema] = {
    "money": {"type": "string", "pattern": WRITTEN_MONEY, "examples": ["42.50 USD"]},
    "text": {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT},
    "date": {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    "number": {"type": "integer", "minimum": -MOST_NUMBER, "maximum": MOST_NUMBER},
    "yes_no": {"type": "boolean"},
    "email": {"type": "string", "maxLength": 254},
}


def look_up_schema(source: str, terms: LookUpTerms) -> Schema:
    """`answer` is the body of a 200; `request` the body of the POST, where there is one: the first answer is in the address."""
    bill = _bill(terms)
    if source == OPEN_BILLS:
        listed = bill | {"required": ["account", *bill["required"]]}
        bills = {"type": "array", "maxItems": MOST_BILLS, "items": listed}
        bill = {"type": "object", "properties": {"bills": bills}, "required": ["bills"]}
    others = terms.takes[1:]
    keys = {name: {"type": "string", "description": "As the caller keyed it in."} for name in others}
    request = {"request": {"type": "object", "properties": keys, "required": others}} if others else {}
    return {"$schema": DIALECT, **request, "answer": bill}


def _bill(terms: LookUpTerms) -> Schema:
    whole = _plain(BillAnswer.model_json_schema())
    properties, required = dict(whole["properties"]), list(whole["required"])
    for name, kind in terms.gives.items():
        first, _, last = name.partition(".")
        if first == OF_BILL:
            properties[last] = OF_TYPE[kind]
            required += [last] if kind != "email" else []
            continue
        place = properties.setdefault(first, {"type": "object", "properties": {}, "required": []})
        place["properties"][last] = OF_TYPE[kind]
        place["required"] += [last] if kind != "email" else []
    wanted = [name for name, kind in terms.gives.items() if kind != "email"]
    objects = [name.partition(".")[0] for name in wanted if not name.startswith(f"{OF_BILL}.")]
    return {"type": "object", "properties": properties, "required": [*required, *dict.fromkeys(objects)]}


def _plain(node: Any) -> Any:
    """Without pydantic's titles, defaults and docstrings."""
    if isinstance(node, list):
        return [_plain(one) for one in node]
    if not isinstance(node, dict):
        return node
    return {name: _plain(value) for name, value in node.items() if name not in ("title", "default", "description")}
