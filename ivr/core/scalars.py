"""What the short words of a flow mean (`10s`, `8..10`, `5/1h`, `500.00 USD`), each with what an editor should expect."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from babel.numbers import list_currencies
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from ivr.core.brands import BRAND_NAMES
from ivr.core.money import Money, parse_money
from ivr.core.problems import did_you_mean

LONGEST_TIMER_S = 120
LONGEST_AMOUNT = 7  # keys: 99,999.99
MOST_TRIES = 20
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_CARD_WORDS = frozenset(
    {"card_number", "card", "pan", "expiry", "security_code", "postal_code", "cvv", "cvv2", "cvc", "cvc2", "cid", "pin"}
)
# What the engine fills into prompts itself.
_ENGINE_WORDS = frozenset(
    {*("done", "clear", "key", "count", "value", "min", "max", "due", "amount"), "brand", "last4", "number"}
    | {"confirmation_number"}
)


@dataclass(frozen=True)
class Rate:
    """At most `count` in `window_s` seconds."""

    count: int
    window_s: int


def read_duration(text: Any) -> int:
    match = re.fullmatch(r"(\d{1,5})([smhd])", text, re.ASCII) if isinstance(text, str) else None
    if match is None or int(match[1]) == 0:
        raise ValueError("expected a time such as 10s, 5m or 1h")
    return int(match[1]) * _SECONDS[match[2]]


def read_timer(text: Any) -> int:
    seconds = read_duration(text)
    if seconds > LONGEST_TIMER_S:
        raise ValueError(f"nobody waits that long on the telephone: at most {LONGEST_TIMER_S}s")
    return seconds


def read_length(text: Any) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,2})(?:\.\.(\d{1,2}))?", text, re.ASCII) if isinstance(text, str) else None
    if match is None or not 1 <= int(match[1]) <= int(match[2] or match[1]) <= 32:
        raise ValueError("expected a length such as 8 or 8..10, from 1 to 32")
    return int(match[1]), int(match[2] or match[1])


def read_rate(text: Any) -> Rate:
    count, slash, window = text.partition("/") if isinstance(text, str) else ("", "", "")
    if not (slash and re.fullmatch(r"\d{1,5}", count, re.ASCII) and 1 <= int(count) <= 10_000):
        raise ValueError("expected a count and a time such as 5/1h")
    return Rate(int(count), read_duration(window))


def read_flag(text: Any) -> bool:
    if text not in ("true", "false"):
        raise ValueError("expected true or false")
    return bool(text == "true")


def read_count(text: Any) -> int:
    match = re.fullmatch(r"\d{1,2}", text, re.ASCII) if isinstance(text, str) else None
    if match is None or not 1 <= int(match[0]) <= MOST_TRIES:
        raise ValueError(f"expected a whole number from 1 to {MOST_TRIES}")
    return int(match[0])


def read_amount(text: Any) -> Money:
    amount = parse_money(text if isinstance(text, str) else "")
    if amount.currency not in list_currencies():
        raise ValueError(f"'{amount.currency}' is not a currency ({did_you_mean(amount.currency, _NEAR_CURRENCIES)})")
    if not 0 < amount.minor < 10**LONGEST_AMOUNT:
        raise ValueError(f"expected an amount from {Money(1, amount.currency)} to {_largest(amount.currency)}")
    return amount


_NEAR_CURRENCIES = ("USD", "EUR", "GBP", "MXN", "CAD", "AUD", "CHF", "JPY")


def _largest(currency: str) -> Money:
    return Money(10**LONGEST_AMOUNT - 1, currency)


def known_brand(name: str) -> str:
    if name not in BRAND_NAMES:
        raise ValueError(f"no such brand ({did_you_mean(name, BRAND_NAMES)})")
    return name


def plain_field(name: str) -> str:
    if name in _CARD_WORDS:
        raise ValueError("card data is only taken by a 'collect' step, which seals it")
    if name in _ENGINE_WORDS:
        raise ValueError(f"'{name}' already means something in prompts: choose another name")
    return name


def all_different(items: list[str]) -> list[str]:
    twice = sorted({item for item in items if items.count(item) > 1})
    if twice:
        raise ValueError(f"'{twice[0]}' is there twice")
    return items


def _text(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "examples": list(examples)})


NAME_PATTERN = r"^[a-z][a-z0-9_]*$"
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=60)]
FlowName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]
Target = Annotated[str, Field(pattern=NAME_PATTERN, max_length=60)]
PlainField = Annotated[Name, AfterValidator(plain_field)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}-[A-Z]{2}$")]
ValueName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$", max_length=60)]
MenuKey = Annotated[str, Field(pattern=r"^[0-9]$")]
BrandName = Annotated[str, AfterValidator(known_brand), WithJsonSchema({"enum": sorted(BRAND_NAMES)})]
Duration = Annotated[int, BeforeValidator(read_duration), _text(r"\d{1,5}[smhd]", "1h", "24h")]
Timer = Annotated[int, BeforeValidator(read_timer), _text(r"\d{1,3}[sm]", "10s", "6s")]
RateText = Annotated[Rate, BeforeValidator(read_rate), _text(r"\d{1,5}/\d{1,5}[smhd]", "5/1h", "3/24h")]
Amount = Annotated[Money, BeforeValidator(read_amount), _text(r"\d{1,7}(\.\d{1,3})? [A-Z]{3}", "500.00 USD")]
# An editor sees plain YAML: 8 is a number there, and true is a boolean.
Length = Annotated[
    tuple[int, int],
    BeforeValidator(read_length),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 32},
                {"type": "string", "pattern": r"^\d{1,2}(\.\.\d{1,2})?$"},
            ],
            "examples": [8, "8..10"],
        }
    ),
]
Flag = Annotated[bool, BeforeValidator(read_flag), WithJsonSchema({"type": "boolean"})]
Count = Annotated[
    int, BeforeValidator(read_count), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST_TRIES})
]
