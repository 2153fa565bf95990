"""What makes a card field valid, over buffers that are never copied into text. Whether the card is good, the bank says."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Literal

from ivr.core.brands import BRANDS, LONGEST_PAN, SHORTEST_PAN, ZERO, Keys, brand_of, is_taken, passes_luhn
from ivr.core.postal_codes import USUAL, digit_counts

Reason = Literal[
    "not_digits", "length", "luhn", "brand_refused", "not_a_month", "expired", "expiry_far", "not_begun"
]  # fmt: skip

MOST_YEARS_AHEAD = 20  # issuers stay below; beyond it is a slip of the finger
FIRST_AHEAD = timedelta(days=2)  # from the last date on Earth to the first: UTC-12 and UTC+14 are 26 hours apart
ISSUE_DIGITS = (1, 2)  # as many as cards had
LAST_ZONE = timezone(timedelta(hours=-12))


@dataclass(frozen=True)
class CardRules:
    """`brands`: which the merchant takes. `brand_so_far`: what the card number has said, for the security code.
    `postal_digits`: how many a postal code may have."""

    brands: frozenset[str]
    brand_so_far: str | None = None
    postal_digits: frozenset[int] = digit_counts([USUAL])


def problem_of(field: str, keys: Keys, rules: CardRules, today: date) -> Reason | None:
    """Why the keys are no valid entry of the field, or None. KeyError where there is no such field."""
    check = CHECKS[field]
    if not keys or not all(ZERO <= key <= ZERO + 9 for key in keys):
        return "not_digits" if keys else "length"
    return check(keys, rules, today)


def pan_problem(keys: Keys, rules: CardRules, _today: date) -> Reason | None:
    if not SHORTEST_PAN <= len(keys) <= LONGEST_PAN:
        return "length"
    brand = brand_of(keys)
    # First of all: a slip of the finger must not be told as a brand that is not taken.
    if not passes_luhn(keys) and (brand is None or brand.luhn_required):
        return "luhn"
    if brand is None or not is_taken(keys, rules.brands):
        return "brand_refused"
    return None if len(keys) in brand.lengths else "length"


def expiry_problem(keys: Keys, _rules: CardRules, today: date) -> Reason | None:
    """MMYY; a card is good up to the end of its month (ISO/IEC 7813). `today` is `last_date_on_earth`."""
    if len(keys) != 4:
        return "length"
    month, year = int(keys[:2]), full_year(int(keys[2:]), today)
    if not 1 <= month <= 12:
        return "not_a_month"
    if (year, month) < (today.year, today.month):
        return "expired"
    return "expiry_far" if year > today.year + MOST_YEARS_AHEAD else None


def last_date_on_earth(at: datetime) -> date:
    """A card is good until its month has ended where the caller is. Nobody is later than UTC-12; the bank has the last word."""
    return at.astimezone(LAST_ZONE).date()


def full_year(two_digits: int, today: date) -> int:
    """The year nearest to today's that ends so, of two that are 50 years away the coming one."""
    year = today.year - today.year % 100 + two_digits
    if year <= today.year - 50:
        return year + 100
    return year - 100 if year > today.year + 50 else year


def security_code_problem(keys: Keys, rules: CardRules, _today: date) -> Reason | None:
    lengths = {brand.security_code_length for brand in BRANDS if rules.brand_so_far in (None, brand.name)}
    return None if len(keys) in lengths else "length"


def postal_code_problem(keys: Keys, rules: CardRules, _today: date) -> Reason | None:
    return None if len(keys) in rules.postal_digits else "length"


def start_date_problem(keys: Keys, _rules: CardRules, today: date) -> Reason | None:
    """MMYY; a card is good from the first day of that month on, wherever it has begun."""
    if len(keys) != 4:
        return "length"
    month, year, first = int(keys[:2]), full_year(int(keys[2:]), today), today + FIRST_AHEAD
    if not 1 <= month <= 12:
        return "not_a_month"
    return "not_begun" if (year, month) > (first.year, first.month) else None


def issue_number_problem(keys: Keys, _rules: CardRules, _today: date) -> Reason | None:
    return None if len(keys) in ISSUE_DIGITS else "length"


CHECKS: dict[str, Callable[[Keys, CardRules, date], Reason | None]] = {
    "card_number": pan_problem,
    "expiry": expiry_problem,
    "security_code": security_code_problem,
    "postal_code": postal_code_problem,
    "start_date": start_date_problem,
    "issue_number": issue_number_problem,
}
