"""Is this a card? Luhn, brand, lengths, expiry; each answer is a reason's name, never a digit."""

from calendar import monthrange
from collections.abc import Collection
from datetime import date

from ivr.core.brands import BRANDS, Brand, brand_of

YEARS_AHEAD = 20  # no card is valid longer; a later year is a typing error
_DOUBLED = bytes((2 * digit) // 10 + (2 * digit) % 10 for digit in range(10))
_ZERO, _NINE = ord("0"), ord("9")


def passes_luhn(pan: bytes | bytearray) -> bool:
    """ISO/IEC 7812-1 annex B, over ASCII digits."""
    total = 0
    for position, key in enumerate(reversed(pan)):
        digit = key - _ZERO
        total += _DOUBLED[digit] if position % 2 else digit
    return total % 10 == 0


def is_digits(keys: bytes | bytearray) -> bool:
    return all(_ZERO <= key <= _NINE for key in keys)


def pan_fault(pan: bytes | bytearray, accepted: Collection[str]) -> str | None:
    """Why this is no card number that the merchant takes, or None."""
    brand = brand_of(pan)
    if brand is None:
        return "luhn" if not passes_luhn(pan) else "brand_refused"
    if len(pan) not in brand.lengths:
        return "length"
    if brand.luhn_required and not passes_luhn(pan):
        return "luhn"
    return None if brand.name in accepted else "brand_refused"


def expiry_fault(expiry: bytes | bytearray, today: date) -> str | None:
    """MMYY; a card is good to the end of its month."""
    if len(expiry) != 4:
        return "length"
    month, year = int(expiry[:2]), 2000 + int(expiry[2:])
    if not 1 <= month <= 12:
        return "not_a_month"
    if date(year, month, monthrange(year, month)[1]) < today:
        return "expired"
    return "expiry_far" if year > today.year + YEARS_AHEAD else None


def security_code_fault(code: bytes | bytearray, brand: str | None) -> str | None:
    wanted = next((known.security_code_length for known in BRANDS if known.name == brand), 3)
    return None if len(code) == wanted else "length"


def postal_code_fault(code: bytes | bytearray) -> str | None:
    return None if len(code) == 5 else "length"


def name_of(pan: bytes | bytearray) -> str:
    brand: Brand | None = brand_of(pan)
    return brand.name if brand else "unknown"
