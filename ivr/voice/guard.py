"""The last line against speaking a card: nothing that looks like a whole card number is ever given to a voice or a cache.

The prompts know only the last four digits; this catches a billing system or a flow that hands over more by mistake.
"""

import re
from collections.abc import Iterator

from ivr.core.brands import brand_of, passes_luhn
from ivr.errors import FlowError

_SHORTEST, _LONGEST = 13, 19  # a shorter run is an account or a receipt number
# Digits with at most separators between them, as a number is written or spelled out.
_RUN = re.compile(r"\d(?:[ ,;.\-]{0,3}\d){12,}")


def refuse_card_number(text: str) -> None:
    """FlowError, without the text, if digits in it could be a card number: a known beginning, a legal length, Luhn."""
    for found in _RUN.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        if any(_could_be_card_number(digits[start:end]) for start, end in _windows(len(digits))):
            raise FlowError("a prompt would say what looks like a card number: say 'last4', never the whole number")


def _windows(count: int) -> Iterator[tuple[int, int]]:
    for size in range(_SHORTEST, min(_LONGEST, count) + 1):
        yield from ((start, start + size) for start in range(count - size + 1))


def _could_be_card_number(digits: str) -> bool:
    pan = bytearray(digits, "ascii")
    brand = brand_of(pan)
    if brand is None or len(pan) not in brand.lengths:
        return False
    return passes_luhn(pan) or not brand.luhn_required
