"""Money as integer minor units of one currency; how it is spoken is in `phrases`, not here."""

import re
from dataclasses import dataclass

# ISO 4217 minor units where they are not two.
_NO_CENTS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_WRITTEN = re.compile(r"(\d{1,9})(?:\.(\d{1,3}))? ([A-Z]{3})", re.ASCII)


@dataclass(frozen=True, order=True)
class Money:
    """`Money(4250, "USD")` is 42.50 US dollars. Amounts of different currencies must not be compared."""

    minor: int
    currency: str = "USD"

    def __str__(self) -> str:
        digits = decimals(self.currency)
        if not digits:
            return f"{self.minor} {self.currency}"
        whole, part = divmod(self.minor, 10**digits)
        return f"{whole}.{part:0{digits}d} {self.currency}"


def decimals(currency: str) -> int:
    """How many decimal places the currency has (ISO 4217)."""
    if currency in _NO_CENTS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def parse_money(written: str) -> Money:
    """`"500.00 USD"` as Money; ValueError says what is expected."""
    match = _WRITTEN.fullmatch(written.strip())
    if match is None:
        raise ValueError("expected an amount and a currency, such as '500.00 USD'")
    whole, part, currency = match.groups()
    digits = decimals(currency)
    if len(part or "") > digits:
        raise ValueError(f"{currency} has {digits} decimal places")
    return Money(int(whole) * 10**digits + int((part or "").ljust(digits, "0") or 0), currency)
