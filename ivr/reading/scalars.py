"""What the short words of a flow mean (`10s`, `8..10`, `5/1h`, `500.00 USD`), each with what an editor should expect."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

from babel import Locale
from babel.numbers import list_currencies
from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema

from ivr.core.brands import BRAND_NAMES
from ivr.core.email_addresses import EMAIL as EMAIL
from ivr.core.money import Money, parse_money
from ivr.core.postal_codes import DIGITS
from ivr.reading.card_names import Meaning, card_meaning
from ivr.reading.problems import did_you_mean
from ivr.reading.rules import Rule, values

LONGEST_TIMER_S = 120
LONGEST_PROMISE_DAYS = 366
# A caller hears the end of the prompt, looks for the key, and presses it.
SHORTEST_FIRST_KEY_S, SHORTEST_BETWEEN_KEYS_S = 3, 2
LONGEST_PATTERN = 16  # characters: 32 keys
LONGEST_AMOUNT = 7  # keys: 99,999.99
MOST_TRIES = 20
MOST_SPLIT_CARDS = 4
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
BILL, OPEN_BILLS = "billing.find_bill", "billing.find_bills"
LOOKUPS = frozenset({BILL, OPEN_BILLS})
BILL_VALUES = frozenset({"bill.due", "bill.min"})  # what a look-up gives
_CARD_WORDS = frozenset({"postal_code", "cid"})
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:-([A-Z][a-z]{3}))?(?:-([A-Z]{2}|\d{3}))?", re.ASCII)
# What the engine fills into prompts itself.
_ENGINE_WORDS = frozenset(
    {*("done", "clear", "key", "count", "value", "min", "max", "due", "amount"), "brand", "last4", "number"}
    | {"confirmation_number", "card_fee", "before_fee", "agreed_amount"}
)


@dataclass(frozen=True)
class Rate:
    """At most `count` in `window_s` seconds."""

    count: int
    window_s: int


class WrongValue(ValueError):
    """A value that a rule of its own is about. `key`: which of several keys or entries, where they do not go together."""

    def __init__(self, rule: Rule, message: str, key: str | int = "") -> None:
        super().__init__(message)
        self.rule, self.key = rule, key


def read_duration(text: Any) -> int:
    match = re.fullmatch(r"(\d{1,5})([smhd])", text, re.ASCII) if isinstance(text, str) else None
    if match is None or int(match[1]) == 0:
        raise ValueError("expected a time such as 10s, 5m or 1h")
    return int(match[1]) * _SECONDS[match[2]]


def read_days(text: Any) -> int:
    match = re.fullmatch(r"(\d{1,3})d", text, re.ASCII) if isinstance(text, str) else None
    if match is None or not 1 <= int(match[1]) <= LONGEST_PROMISE_DAYS:
        raise ValueError(f"expected a number of days such as 14d, up to {LONGEST_PROMISE_DAYS}d")
    return int(match[1])


def read_first_key(text: Any) -> int:
    return _timer(text, SHORTEST_FIRST_KEY_S)


def read_between_keys(text: Any) -> int:
    return _timer(text, SHORTEST_BETWEEN_KEYS_S)


def _timer(text: Any, shortest_s: int) -> int:
    seconds = read_duration(text)
    if seconds > LONGEST_TIMER_S:
        raise WrongValue(values.TIMER_TOO_LONG, f"nobody waits that long on the telephone: at most {LONGEST_TIMER_S}s")
    if seconds < shortest_s:
        raise WrongValue(values.TIMER_TOO_SHORT, f"nobody presses a key that fast: at least {shortest_s}s")
    return seconds


def read_length(text: Any) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,2})(?:\.\.(\d{1,2}))?", text, re.ASCII) if isinstance(text, str) else None
    if match is None or not 1 <= int(match[1]) <= int(match[2] or match[1]) <= 32:
        raise ValueError("expected a length such as 8 or 8..10, from 1 to 32")
    return int(match[1]), int(match[2] or match[1])


def read_patterns(written: Any) -> tuple[str, ...]:
    """The patterns of an answer with letters as they are written; `plain_pattern` is what `core.two_key` knows."""
    texts = tuple(written) if isinstance(written, list) else (written,)
    patterns = tuple(plain_pattern(text) if isinstance(text, str) else "" for text in texts)
    if not patterns or not all(
        re.fullmatch(f"[LDX]{{1,{LONGEST_PATTERN}}}", pattern) and set(pattern) != {"D"} for pattern in patterns
    ):
        raise WrongValue(
            values.NOT_A_PATTERN, f"expected L, D and X such as LL DDD DDD, at most {LONGEST_PATTERN}, and no D alone"
        )
    return texts


def plain_pattern(written: str) -> str:
    """Without the blanks and hyphens that are there for people."""
    return re.sub("[ -]", "", written)


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


def read_split_cards(text: Any) -> int:
    match = re.fullmatch(r"\d{1,2}", text, re.ASCII) if isinstance(text, str) else None
    if match is None or not 2 <= int(match[0]) <= MOST_SPLIT_CARDS:
        alone = "one card pays a bill without a split (leave 'split' out)"
        wrong = alone if match is not None and int(match[0]) == 1 else f"expected from 2 to {MOST_SPLIT_CARDS} cards"
        raise WrongValue(values.WRONG_VALUE, wrong)
    return int(match[0])


def read_amount(text: Any) -> Money:
    try:
        amount = parse_money(text if isinstance(text, str) else "")
        known_currency(amount.currency)
    except ValueError as error:
        raise WrongValue(values.NOT_AN_AMOUNT, str(error)) from None
    if not 0 < amount.minor < 10**LONGEST_AMOUNT:
        smallest, largest = Money(1, amount.currency), _largest(amount.currency)
        raise WrongValue(values.NOT_AN_AMOUNT, f"expected an amount from {smallest} to {largest}")
    return amount


def read_phone_number(text: Any) -> str:
    if not isinstance(text, str) or not re.fullmatch(r"\+[1-9]\d{6,14}", text, re.ASCII):
        raise ValueError("expected a number in full, with + and the country, such as '+15550123456'")
    return text


_COMPUTED = re.compile(r" [+-] |%| of ")


def amount_or_value(text: str) -> str:
    """An expression; one that is only an amount is one that can be charged. A value's name never begins with a digit."""
    if text[:1].isdigit() and not _COMPUTED.search(text):
        read_amount(text)
    return text


@lru_cache(maxsize=512)  # an accounts file asks once a line
def known_currency(code: str) -> str:
    if code not in list_currencies():
        raise ValueError(f"'{code}' is not a currency ({did_you_mean(code, _NEAR_CURRENCIES)})")
    if code.startswith("X") and code not in _SHARED_CURRENCIES:
        raise ValueError(f"'{code}' is no money that a card can be charged in (USD, for one, is)")
    return code


# ISO 4217 begins with X what no one country issues: currencies of several, and metals, units of account, codes for tests
# (XTS) and for no currency at all (XXX).
_SHARED_CURRENCIES = frozenset({"XAF", "XCD", "XCG", "XOF", "XPF"})

_NEAR_CURRENCIES = ("USD", "EUR", "GBP", "MXN", "CAD", "AUD", "CHF", "JPY")


def _largest(currency: str) -> Money:
    return Money(10**LONGEST_AMOUNT - 1, currency)


def known_brand(name: str) -> str:
    if name not in BRAND_NAMES:
        raise WrongValue(values.NO_SUCH_BRAND, f"no such brand ({did_you_mean(name, BRAND_NAMES)})")
    return name


def known_country(code: str) -> str:
    if code not in DIGITS:
        cure = _REGION_SLIPS.get(code) or did_you_mean(code, DIGITS)
        raise WrongValue(values.NO_SUCH_COUNTRY, f"no country whose postal codes are known ({cure})")
    return code


def plain_field(name: str, info: ValidationInfo) -> str:
    """`info.context`: what the flow declares of its look-ups (`flow.declared`)."""
    return key_name(name) if name in getattr(info.context, "keys", ()) else _plain(name, {"card", "pin"})


def key_name(name: str) -> str:
    """What a look-up is asked with; a PIN is the merchant's own there."""
    return _plain(name, {"card"})


def _plain(name: str, refused: Collection[Meaning]) -> str:
    if name in _CARD_WORDS or card_meaning(name) in refused:
        raise WrongValue(values.ASKS_FOR_CARD, "card data is only taken by a 'collect' step, which seals it")
    if name in _ENGINE_WORDS:
        raise WrongValue(values.TAKEN_NAME, f"'{name}' already means something in prompts: choose another name")
    return name


def set_name(name: str) -> str:
    """What a step may set: the amount to pay, or a value of the flow's own."""
    if name in _ENGINE_WORDS - {"amount"}:
        raise WrongValue(values.TAKEN_NAME, f"'{name}' already means something in prompts: choose another name")
    return name


def given_value(name: str) -> str:
    """A value that a look-up gives: prompts say it by its last word."""
    if "." not in name:
        raise WrongValue(values.NOT_A_NAME, f"'{name}' needs a word in front, as in bill.{name}")
    if name in BILL_VALUES:
        raise WrongValue(values.TAKEN_NAME, f"'{name}' is given by every look-up: leave it out")
    if name.rpartition(".")[2] in _ENGINE_WORDS:
        last = name.rpartition(".")[2]
        raise WrongValue(values.TAKEN_NAME, f"'{last}' already means something in prompts: choose another name")
    return name


def known_lookup(name: str) -> str:
    if name not in LOOKUPS:
        last = name.rpartition(".")[2]  # the word in front is missing, or is another
        same = [one for one in LOOKUPS if one.partition(".")[2] == last]
        cure = f"did you mean '{same[0]}'?" if same else did_you_mean(name, LOOKUPS)
        raise WrongValue(values.NO_SUCH_LOOK_UP, f"no such look-up ({cure})")
    return name


def read_language(tag: str) -> str:
    """A BCP 47 tag of parts that CLDR has names for: language, script and region, such as es-419 or zh-Hant-TW."""
    match = _LANGUAGE.fullmatch(tag)
    if match is None:
        near = canonical_tag(tag)
        raise WrongValue(values.NOT_A_LANGUAGE, f"this is not a language (write it like {near or 'en-US or es-MX'})")
    names = Locale("en")
    language, script, region = match.groups()
    known = language in names.languages and (script is None or script in names.scripts)
    if not known or (region is not None and region not in names.territories):
        raise WrongValue(
            values.NOT_A_LANGUAGE,
            f"there is no language '{tag}' ({_REGION_SLIPS.get(region or '', 'write it like en-US or es-MX')})",
        )
    return tag


def is_language(tag: str) -> bool:
    try:
        return bool(read_language(tag))
    except ValueError:
        return False


_REGION_SLIPS = {"UK": "the United Kingdom is GB"}


def canonical_tag(tag: str) -> str | None:
    """As BCP 47 writes the same tag, whose case does not matter: en-US for en_us."""
    parts = tag.replace("_", "-").split("-")
    shaped = [parts[0].lower(), *(part.title() if len(part) == 4 else part.upper() for part in parts[1:])]
    again = "-".join(shaped)
    return again if again != tag and len(parts) > 1 and _LANGUAGE.fullmatch(again) else None


def all_different(items: list[str]) -> list[str]:
    twice = sorted({item for item in items if items.count(item) > 1})
    if twice:
        raise ValueError(f"'{twice[0]}' is there twice (remove one)")
    return items


def _text(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "examples": list(examples)})


NAME_PATTERN = r"^[a-z][a-z0-9_]*$"
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=60)]
FlowName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]
# A step of a part has the name of the step that uses it in front: nobody writes that, so an editor knows the plain name only.
_INLINED_PATTERN = r"^[a-z][a-z0-9_]*(/[a-z][a-z0-9_]*)*$"
Target = Annotated[
    str,
    Field(pattern=_INLINED_PATTERN, max_length=60),
    WithJsonSchema({"type": "string", "maxLength": 60, "pattern": NAME_PATTERN}),
]
# Whatever it is: a flow is held against the banks that there are (`flow.step_check`), which tells a slip with its cure.
BankName = Annotated[
    str, Field(max_length=60), WithJsonSchema({"type": "string", "maxLength": 60, "pattern": NAME_PATTERN})
]
PlainField = Annotated[Name, AfterValidator(plain_field)]
Language = Annotated[
    str,
    AfterValidator(read_language),
    _text(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?", "en-US", "es-MX", "es-419"),
]
LookupName = Annotated[str, AfterValidator(known_lookup), WithJsonSchema({"enum": sorted(LOOKUPS)})]
ValueName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$", max_length=60)]
# What it means is for `flow.expressions`; here it is a text.
FormulaText = Annotated[
    str, Field(max_length=400), _text(".+", "bill.due", "bill.due - 5 %", "today <= 2026-12-31 and bill.due > 5.00 USD")
]
SetName = Annotated[Name, AfterValidator(set_name)]
PayableAmount = Annotated[
    str,
    AfterValidator(amount_or_value),
    Field(max_length=400),
    WithJsonSchema({"type": "string", "examples": ["bill.due", "25.00 USD", "bill.due - 5 %"]}),
]
KeyName = Annotated[Name, AfterValidator(key_name)]
GivenValue = Annotated[ValueName, AfterValidator(given_value)]
PhoneNumber = Annotated[str, BeforeValidator(read_phone_number), _text(r"\+[1-9]\d{6,14}", "+15550123456")]
MenuKey = Annotated[str, Field(pattern=r"^[0-9]$")]
Country = Annotated[str, AfterValidator(known_country), WithJsonSchema({"enum": sorted(DIGITS)})]
BrandName = Annotated[str, AfterValidator(known_brand), WithJsonSchema({"enum": sorted(BRAND_NAMES)})]
FirstKey = Annotated[int, BeforeValidator(read_first_key), _text(r"\d{1,3}[sm]", "10s", "6s")]
BetweenKeys = Annotated[int, BeforeValidator(read_between_keys), _text(r"\d{1,3}[sm]", "10s", "6s")]
Days = Annotated[int, BeforeValidator(read_days), _text(r"\d{1,3}d", "14d")]
RateText = Annotated[Rate, BeforeValidator(read_rate), _text(r"\d{1,5}/\d{1,5}[smhd]", "5/1h", "3/24h")]
Amount = Annotated[Money, BeforeValidator(read_amount), _text(r"\d{1,7}(\.\d{1,4})? [A-Z]{3}", "500.00 USD")]
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
_PATTERN = {"type": "string", "pattern": "^[LDX][LDX -]*$", "examples": ["LL DDD DDD", "LLDD LLL"]}
Patterns = Annotated[
    tuple[str, ...],
    BeforeValidator(read_patterns),
    WithJsonSchema({"anyOf": [_PATTERN, {"type": "array", "items": _PATTERN, "minItems": 1}]}),
]
Flag = Annotated[bool, BeforeValidator(read_flag), WithJsonSchema({"type": "boolean"})]
SplitCards = Annotated[
    int,
    BeforeValidator(read_split_cards),
    WithJsonSchema({"type": "integer", "minimum": 2, "maximum": MOST_SPLIT_CARDS}),
]
Count = Annotated[
    int, BeforeValidator(read_count), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST_TRIES})
]
