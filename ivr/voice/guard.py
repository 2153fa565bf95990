"""The last line against speaking a card: nothing that looks like a whole card number is ever given to a voice or a cache.

The prompts know only the last four digits; this catches a billing system or a flow that hands over more by mistake.
"""

import re

from ivr.errors import FlowError

_SHORTEST, _LONGEST = 13, 19  # ISO/IEC 7812-1 and the brands in use; a shorter run is an account or a receipt number
# Digits with at most separators between them, as a number is written or spelled out.
_RUN = re.compile(r"\d(?:[ ,;.\-]{0,3}\d){12,}")


def refuse_card_number(text: str) -> None:
    """FlowError, without the text, if a run of digits in it could be a card number."""
    for found in _RUN.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        if any(
            _passes_luhn(digits[at : at + size])
            for size in range(_SHORTEST, _LONGEST + 1)
            for at in _starts(digits, size)
        ):
            raise FlowError("a prompt would say what looks like a card number: say 'last4', never the whole number")


def _starts(digits: str, size: int) -> range:
    return range(max(0, len(digits) - size + 1))


def _passes_luhn(digits: str) -> bool:
    doubled = [sum(divmod(int(digit) * 2, 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0
