"""Money as integer minor units of one currency; how it is spoken is in `phrases`, not here."""

import re
from dataclasses import dataclass
from functools import lru_cache

from babel.numbers import get_currency_precision

# Babel has CLDR's decimals: what people write in shops. Banks count in ISO 4217's minor units, which these have more of.
_ISO_4217 = {
    "IQD": 3,
    **dict.fromkeys(("AFN", "ALL", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SLL", "SOS", "SYP", "YER"), 2),
}
_WRITTEN = re.compile(r"(\d{1,9})(?:\.(\d{1,4}))? ([A-Z]{3})", re.ASCII)
# In threes, and as in India in twos before the last three: 1,20,000.00.
_GROUPED = re.compile(r"\d{1,3}(?:[,.'’_\s]\d{2,3})*[,.'’_\s]\d{3}(?:[.,]\d{1,4})?(?: [A-Z]{3})?")
_TOO_LONG = re.compile(r"\d{10,}(?:\.\d+)? [A-Z]{3}", re.ASCII)
_DECIMAL_COMMA = re.compile(r"\d{1,9},\d{1,4}(?: [A-Z]{3})?", re.ASCII)


@dataclass(frozen=True, order=True)
class Money:
    """`Money(4250, "USD")` is 42.50 US dollars. Amounts of different currencies must not be compared."""

    minor: int
    currency: str = "USD"

    def __str__(self) -> str:
        sign, digits = "-" if self.minor < 0 else "", decimals(self.currency)
        whole, part = self.parts
        return f"{sign}{whole}.{part:0{digits}d} {self.currency}" if digits else f"{sign}{whole} {self.currency}"

    @property
    def parts(self) -> tuple[int, int]:
        """Whole units and the rest of them in minor units, of an amount or of a credit alike: its sign is not in them."""
        unit: int = 10 ** decimals(self.currency)
        return divmod(abs(self.minor), unit)


@lru_cache(maxsize=512)
def decimals(currency: str) -> int:
    """How many decimal places the currency has (ISO 4217)."""
    return _ISO_4217[currency] if currency in _ISO_4217 else int(get_currency_precision(currency))


def parse_money(written: str) -> Money:
    """`"500.00 USD"` as Money; ValueError says what is expected."""
    match = _WRITTEN.fullmatch(written.strip())
    if match is None:
        raise ValueError(_expected(written.strip()))
    whole, part, currency = match.groups()
    digits = decimals(currency)
    if len(part or "") > digits:
        raise ValueError(f"{currency} has {digits} decimal places")
    return Money(int(whole) * 10**digits + int((part or "").ljust(digits, "0") or 0), currency)


def is_grouped(written: str) -> bool:
    """Whether it is an amount whose thousands are parted, with a currency behind it or without."""
    return _GROUPED.fullmatch(written) is not None


def _expected(written: str) -> str:
    if is_grouped(written):
        return "an amount has no thousands separator: leave it out, as in '1200.00 USD'"
    if _DECIMAL_COMMA.fullmatch(written):
        return "an amount has a decimal point, not a comma: expected it as in '500.00 EUR'"
    if _TOO_LONG.fullmatch(written):
        return "an amount has at most 9 digits before its point"
    return "expected an amount and a currency, such as '500.00 USD'"
