"""A card number keyed in where none is asked for: noticed over the keys themselves, before anything is made of them.

A caller with a card in hand often begins with its number, at whatever is asked. Such keys must not be looked up, stored
or read back. A number may also come in parts: a question that takes eight digits ends by itself in the middle of it, and
the rest answers the next. Of a part no digit is kept, only what Luhn's sum needs (`Begun`).
"""

import re

from ivr.core.brands import BRANDS, DOUBLED, OTHER_SCHEMES, SHORTEST_PAN, ZERO, Keys, brand_of, passes_luhn

# Of the issuers' many lengths the one that their cards have: within longer digits the others are found by chance too often.
_USUAL_LENGTHS = {"amex": 15, "diners": 14}
USUAL_LENGTH = 16
_LENGTHS = {brand.name: brand.lengths for brand in (*BRANDS, *OTHER_SCHEMES)}
# Somebody who keys on does not listen to the next question first; somebody who answers it does.
SECONDS_A_KEY = 0.6
_LETTERS = re.compile(r"[^\W\d_]+")


def is_card_number(keys: Keys) -> bool:
    """ASCII digits with an issuer's beginning, a length of that issuer's and Luhn's check digit."""
    if len(keys) < SHORTEST_PAN or not _are_digits(keys):
        return False
    brand = brand_of(keys)
    return brand is not None and len(keys) in brand.lengths and passes_luhn(keys)


def holds_card_number(keys: Keys) -> bool:
    """A card number, or one among other digits: after a stray key, before its expiry, its code or a postal code.

    Of random digits, 24 in a row are taken for it by chance in one case of three, 17 in one of ten (4 % for each place). To
    look at the first place alone would leave those 4 %, but keep and look up a card keyed in behind an account number, an
    expiry or a postal code; with the places behind those it would still be one in four. A question put again costs less
    than a card number kept.
    """
    return card_within(keys) is not None


def is_card_typed(text: str) -> bool:
    """In what somebody typed, however its digits are grouped, in the digits of any script: a Japanese keyboard has full-width ones.
    Letters end a number: those of a reference such as CA3f81-1 are of none."""
    parts = (filter(str.isdecimal, part) for part in _LETTERS.split(text))
    return any(holds_card_number("".join(str(int(digit)) for digit in digits).encode()) for digits in parts)


def card_within(keys: Keys) -> slice | None:
    """Where the card number is that these keys hold; None where they hold none."""
    if is_card_number(keys):
        return slice(0, len(keys))
    if len(keys) < SHORTEST_PAN or not _are_digits(keys):
        return None
    view = memoryview(keys)
    starts = range(len(keys) - SHORTEST_PAN + 1)
    return next((slice(start, start + length) for start in starts if (length := _card_ahead(view[start:]))), None)


def _card_ahead(keys: Keys) -> int:
    """The length of the card number that the keys begin with; 0 for none."""
    brand = brand_of(keys)
    length = _USUAL_LENGTHS.get(brand.name, USUAL_LENGTH) if brand else 0
    return length if 0 < length <= len(keys) and is_card_number(keys[:length]) else 0


def begun(keys: Keys, before: str = "") -> str:
    """What is kept of digits that may be a part of a card number, as text for the call's record: brand, how many
    digits, and Luhn's sum over them for an even and an odd number of digits to come. `before`: the part before them."""
    brand, count, even, odd = _read(before) if before else ("", 0, 0, 0)
    if not _are_digits(keys):
        return ""
    if not before:
        found = brand_of(keys)
        brand = found.name if found else ""
    if not brand or count + len(keys) >= max(_LENGTHS[brand]):
        return ""
    sums = _sum_before(even, odd, len(keys)), _sum_before(even, odd, len(keys) + 1)
    own = _sum_of(keys, 0), _sum_of(keys, 1)
    return f"{brand} {count + len(keys)} {(sums[0] + own[0]) % 10} {(sums[1] + own[1]) % 10}"


def completes(before: str, keys: Keys) -> bool:
    """Do the keys make a card number of what was keyed in before?"""
    if not before or not keys or not _are_digits(keys):
        return False
    brand, count, even, odd = _read(before)
    if count + len(keys) not in _LENGTHS.get(brand, ()):
        return False
    return (_sum_before(even, odd, len(keys)) + _sum_of(keys, 0)) % 10 == 0


def _read(before: str) -> tuple[str, int, int, int]:
    brand, count, even, odd = before.split(" ")
    return brand, int(count), int(even), int(odd)


def _sum_before(even: int, odd: int, following: int) -> int:
    return odd if following % 2 else even


def _sum_of(keys: Keys, following: int) -> int:
    """Luhn's sum over the keys with `following` digits behind them."""
    places = range(following, following + len(keys))
    return sum(
        DOUBLED[key - ZERO] if place % 2 else key - ZERO for place, key in zip(places, reversed(keys), strict=True)
    )


def _are_digits(keys: Keys) -> bool:
    return all(ZERO <= key <= ZERO + 9 for key in keys)
