"""A bank's own words for why it refused something: for an operator to read, and nothing in them that could be a card."""

from ivr.core.stray_cards import holds_card_number

LONGEST_REASON = 80
NONE_GIVEN = "no reason given"


def reason_in(written: object) -> str:
    """Printable ASCII of a length to be read. Digits are looked at as if nothing stood between them."""
    words = written.strip() if isinstance(written, str) else ""
    if not words or not words.isascii() or not words.isprintable() or len(words) > LONGEST_REASON:
        return NONE_GIVEN
    digits = "".join(filter(str.isdecimal, words))
    return NONE_GIVEN if holds_card_number(digits.encode()) else words
