"""What is expected at a place of a request, in words for people: never the checker's own, and never what was sent.

A field of `shapes` says by its description how it is written; what the description does not say is said here by the kind of fault.
"""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

DESCRIPTION = "/api/v1/openapi.json"
# Names of ours have letters alone. A name of the sender's with anything else in it may be a number keyed by mistake.
_NAME = re.compile(r"[A-Za-z][A-Za-z_-]{0,59}")
_PLACE = re.compile(r"line \d+ column \d+")
TEXT = "text in quotes is expected"
NUMBER = "a whole number is expected, without quotes"
BY_KIND: Mapping[str, str] = {
    "string_type": TEXT,
    "string_unicode": "the text is not UTF-8",
    "string_pattern_mismatch": "one line of text is expected, of characters that can be seen",
    "int_type": NUMBER,
    "int_parsing": NUMBER,
    "int_parsing_size": NUMBER,
    "int_from_float": NUMBER,
    "bool_type": "expected true or false, without quotes",
    "bool_parsing": "expected true or false, without quotes",
    "model_type": "an object with named fields is expected, in braces",
    "model_attributes_type": "an object with named fields is expected, in braces",
}
BOUNDS: Mapping[str, tuple[str, str]] = {
    "string_too_long": ("at most {} characters", "max_length"),
    "string_too_short": ("at least {} characters", "min_length"),
    "greater_than": ("more than {}", "gt"),
    "greater_than_equal": ("{} or more", "ge"),
    "less_than": ("less than {}", "lt"),
    "less_than_equal": ("{} or less", "le"),
}


def place_of(part: str, fault: ErrorDetails) -> str:
    """A name that there is not is the sender's own word: it is said where it is a word, and nothing of it where it is not."""
    *before, last = fault["loc"] or ("",)
    is_shown = fault["type"] != "extra_forbidden" or _NAME.fullmatch(str(last))
    return ".".join(filter(None, (part, *map(str, before), str(last) if is_shown else "")))


def cure_of(fault: ErrorDetails, model: type[BaseModel]) -> str:
    kind, within = fault["type"], fault.get("ctx", {})
    if kind == "extra_forbidden":
        return f"there is no such field: there are {', '.join(holder_of(model, fault['loc'][:-1]).model_fields)}"
    if kind == "json_invalid":
        return f"the body is no JSON{where_in(str(within.get('error', '')))}"
    if kind == "literal_error":
        return f"expected one of {one_of(str(within.get('expected', '')))}"
    written = described(model, fault["loc"])
    if kind == "missing":
        return f"this field must be sent{f': {written}' if written else ''}"
    bound = bound_of(kind, within)
    known = "; ".join(filter(None, (bound, written))) or BY_KIND.get(kind, "")
    return known or f"that is not what is expected here: {DESCRIPTION} says what is"


def bound_of(kind: str, within: Mapping[str, Any]) -> str:
    if kind not in BOUNDS:
        return ""
    words, name = BOUNDS[kind]
    return words.format(within[name]).replace("at least 1 characters", "it must not be empty")


def described(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    """How the field is written, as its shape says it."""
    if not loc:
        return ""
    found: FieldInfo | None = holder_of(model, loc[:-1]).model_fields.get(str(loc[-1]))
    return (found.description or "") if found else ""


def holder_of(model: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel]:
    """The shape that a field within fields belongs to."""
    for name in loc:
        found = model.model_fields.get(str(name))
        inner = shape_in(found.annotation) if found else None
        model = inner or model
    return model


def shape_in(annotation: Any) -> type[BaseModel] | None:
    """Of `AskedAmount | None`, the shape."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(shape_in, getattr(annotation, "__args__", ()))), None)


def one_of(expected: str) -> str:
    """The checker has them quoted, with `or` before the last, and with the empty one that stands for any."""
    return ", ".join(re.findall(r"'([^']+)'", expected))


def where_in(words: str) -> str:
    """Of a parser's words the place alone."""
    found = _PLACE.search(words)
    return f", at {found[0]}" if found else ""
