"""Where confirmation numbers come from: drawn at random and entered once; in memory made from the reference instead.

A number is drawn, not counted, so that nobody finds another payment's by adding one. That no two are the same is for the
database to hold: one that is taken is drawn again, which happens to one in nine at ten million payments.
"""

import hashlib
import secrets
from collections.abc import Callable

from ivr.core.confirmation import BEYOND, FIRST, confirmation_number

# By the reference of the charge and the number of the try, which is 0 for the first.
Draw = Callable[[str, int], str]
MOST_DRAWS = 60  # where half of all numbers are taken, this often fails once in a million million million


def at_random(_reference: str, _attempt: int) -> str:
    return confirmation_number(FIRST + secrets.randbelow(BEYOND - FIRST))


def from_reference(reference: str, attempt: int) -> str:
    """The same for the same call: rehearsals, call tests and drawings are to say the same every time."""
    digest = hashlib.sha256(f"{reference} {attempt}".encode()).digest()
    return confirmation_number(FIRST + int.from_bytes(digest[:8], "big") % (BEYOND - FIRST))


class NumbersUsedUp(Exception):
    """So many of the ninety million numbers are taken that none that is free was drawn. Nothing was charged."""
