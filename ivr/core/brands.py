"""What is publicly known of card brands by their first digits (BIN ranges, ISO/IEC 7812): lengths, not card numbers."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Brand:
    """A card network: `ranges` are inclusive pairs of equally long prefixes."""

    name: str
    ranges: tuple[tuple[str, str], ...]
    lengths: frozenset[int]
    security_code_length: int = 3
    luhn_required: bool = True


def _lengths(*lengths: int) -> frozenset[int]:
    return frozenset(lengths)


# In order of match: the first brand whose range holds the prefix wins (UnionPay's 62 overlaps Discover's 622).
BRANDS: tuple[Brand, ...] = (
    Brand("amex", (("34", "34"), ("37", "37")), _lengths(15), security_code_length=4),
    Brand("mastercard", (("51", "55"), ("2221", "2720")), _lengths(16)),
    Brand("visa", (("4", "4"),), _lengths(13, 16, 18, 19)),
    Brand("discover", (("6011", "6011"), ("644", "649"), ("65", "65")), _lengths(16, 17, 18, 19)),
    Brand("diners", (("300", "305"), ("3095", "3095"), ("36", "36"), ("38", "39")), _lengths(14, 16, 19)),
    Brand("jcb", (("3528", "3589"),), _lengths(16, 17, 18, 19)),
    Brand("unionpay", (("62", "62"),), _lengths(14, 15, 16, 17, 18, 19), luhn_required=False),
    Brand("maestro", (("50", "50"), ("56", "58"), ("60", "61"), ("63", "63"), ("66", "69")), frozenset(range(12, 20))),
)
BRAND_NAMES: frozenset[str] = frozenset(brand.name for brand in BRANDS)
DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # twice a digit, its own digits added (ISO/IEC 7812-1, annex B)
LONGEST_PAN = 19
SHORTEST_PAN = 12


def brand_of(prefix: bytes | bytearray) -> Brand | None:
    """The brand of the ASCII digits given (a whole number or its beginning), or None if the prefix is no known one."""
    return next((brand for brand in BRANDS if any(_holds(low, high, prefix) for low, high in brand.ranges)), None)


def _holds(low: str, high: str, prefix: bytes | bytearray) -> bool:
    size = len(low)
    return len(prefix) >= size and low.encode() <= bytes(prefix[:size]) <= high.encode()


def is_pan(digits: bytes | bytearray) -> bool:
    """Could these ASCII digits be a whole card number: of a brand's range and length, and with its check digit?"""
    brand = brand_of(digits)
    return brand is not None and len(digits) in brand.lengths and (passes_luhn(digits) or not brand.luhn_required)


def passes_luhn(digits: bytes | bytearray) -> bool:
    """Needs ASCII digits. Walks the buffer from its end: no slice, so no copy."""
    total = 0
    for position, key in enumerate(reversed(digits)):
        total += DOUBLED[key - ord("0")] if position % 2 else key - ord("0")
    return total % 10 == 0


@dataclass(frozen=True)
class Ending:
    """An entry that begins with `low`..`high` is complete at `length` keys."""

    low: str
    high: str
    length: int


@lru_cache
def pan_endings(brands: frozenset[str]) -> tuple[Ending, ...]:
    """Where a card number ends by itself: at the longest legal length of its range.

    Amex and Mastercard have one length and so need no done key; a 16-digit Visa ends by the done key or the
    inter-digit timer, because 19-digit ones are legal and must not be cut off.
    """
    return tuple(_endings(brand for brand in BRANDS if brand.name in brands))


def _endings(brands: Iterable[Brand]) -> Iterable[Ending]:
    for brand in brands:
        for low, high in brand.ranges:
            yield Ending(low, high, max(brand.lengths))
