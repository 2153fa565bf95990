"""What pydantic says of a value of the wrong shape, in the words of whoever wrote the file: its own speak of classes and interpreters."""

from collections.abc import Mapping

_KEYS = "expected keys of its own, indented below it"
_TEXT = "expected one word, number or text"
_YES_NO = "expected yes or no"
_WHOLE = "expected a whole number"
_BY_TYPE: Mapping[str, str] = {
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), _KEYS),
    **dict.fromkeys(("list_type", "tuple_type"), "expected a list in brackets: [first, second]"),
    "string_type": _TEXT,
    **dict.fromkeys(("bool_type", "bool_parsing"), _YES_NO),
    "int_from_float": _WHOLE,
}


def said_plainly(kind: str, message: str) -> str:
    """`kind`, `message`: an error's `type` and `msg`. A validator's own message stays as it is."""
    return _BY_TYPE.get(kind, message.removeprefix("Value error, "))
