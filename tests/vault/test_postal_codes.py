"""Postal codes of other countries are taken by the number of their digits, which is all that a keypad sends."""

from datetime import date

import pytest

from ivr.core.brands import BRAND_NAMES
from ivr.core.postal_codes import DIGITS, digit_counts
from ivr.vault.card import CardRules, problem_of

TODAY = date(2026, 1, 15)


@pytest.mark.parametrize(
    ("countries", "digits", "reason"),
    [
        (["US"], "94105", None),
        (["US"], "101", "length"),
        (["CA"], "101", None),
        (["GB"], "12", None),
        (["GB"], "1", "length"),
        (["US", "GB", "CA"], "94105", None),
        (["US", "GB", "CA"], "101", None),
        (["US", "GB", "CA"], "1234", "length"),
    ],
)
def test_a_code_has_as_many_digits_as_one_of_the_countries(countries: list[str], digits: str, reason: str | None):
    rules = CardRules(BRAND_NAMES, postal_digits=digit_counts(countries))
    assert problem_of("postal_code", digits.encode(), rules, TODAY) == reason


def test_every_country_has_a_number_of_digits():
    assert all(counts and max(counts) <= 8 for counts in DIGITS.values())
