"""Values as a merchant's system or file writes them, read strictly by the type that the flow declares; nothing is guessed."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Literal

from ivr.core.email_addresses import is_email_address
from ivr.core.events import Value
from ivr.core.money import Money, parse_money
from ivr.core.stray_cards import holds_card_number
from ivr.reading.scalars import known_currency

ValueType = Literal["money", "text", "date", "number", "yes_no", "email"]
WRITTEN_MONEY = r"^-?[0-9]{1,9}(\.[0-9]{1,3})? [A-Z]{3}$"
LONGEST_TEXT = 80  # a voice takes six seconds for it
MOST_NUMBER = 10**12
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,12}", re.ASCII)
# What each type expects, for messages; never with the value itself, which may be a customer's.
EXPECTED: Mapping[str, str] = {
    "money": "expected a string such as '42.50 USD'",
    "text": f"expected a string of 1 to {LONGEST_TEXT} characters that can be said",
    "date": "expected a string such as '2026-01-31'",
    "number": "expected a whole number",
    "yes_no": "expected true or false",
    "email": "expected a string with one e-mail address, or an empty one",
}


def read_json_value(kind: ValueType, value: Any) -> Value:
    """A member of a JSON answer. ValueError says what is expected, and never what was there."""
    if kind == "number":
        if type(value) is not int or abs(value) > MOST_NUMBER:
            raise ValueError(EXPECTED[kind])
        return value
    if kind == "yes_no":
        if not isinstance(value, bool):
            raise ValueError(EXPECTED[kind])
        return value
    if not isinstance(value, str):
        raise ValueError(EXPECTED[kind])
    return _READERS[kind](value)


def read_written_value(kind: ValueType, text: str) -> Value:
    """The same from a column of a file, where all is text: a number is `12`, a yes-no `yes` or `no`."""
    if kind == "number":
        if not _NUMBER.fullmatch(text):
            raise ValueError(EXPECTED[kind])
        return int(text)
    if kind == "yes_no":
        if text not in ("yes", "no"):
            raise ValueError("expected yes or no")
        return text == "yes"
    return _READERS[kind](text)


def read_money(text: str) -> Money:
    """With its sign: a credit is less than nothing."""
    if not re.fullmatch(WRITTEN_MONEY, text):
        raise ValueError(EXPECTED["money"])
    amount = parse_money(text.removeprefix("-"))
    known_currency(amount.currency)
    return Money(-amount.minor, amount.currency) if text.startswith("-") else amount


def _date(text: str) -> date:
    if not _DATE.fullmatch(text):
        raise ValueError(EXPECTED["date"])
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("there is no such day") from None


def _text(text: str) -> str:
    """What a voice can say; no card number is ever said, nor kept."""
    if not 1 <= len(text) <= LONGEST_TEXT or not text.isprintable() or not text.strip():
        raise ValueError(EXPECTED["text"])
    digits = "".join(character for character in text if character.isascii() and character.isdecimal())
    if holds_card_number(digits.encode()):
        raise ValueError("it may hold a card number")
    return text


def _email(text: str) -> str:
    """None at all is a customer without one."""
    if text and not is_email_address(text):
        raise ValueError(EXPECTED["email"])
    return text


_READERS: Mapping[str, Callable[[str], Value]] = {"money": read_money, "date": _date, "text": _text, "email": _email}
