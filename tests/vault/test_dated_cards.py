"""What some debit cards have beside their expiry: a start date that is past, an issue number of one or two digits."""

from datetime import date

import pytest

from ivr.core.brands import BRAND_NAMES
from ivr.vault.card import CardRules, problem_of

LAST_DATE_ON_EARTH = date(2026, 1, 31)  # while it is February 2 in Kiribati


@pytest.mark.parametrize(
    ("field", "keys", "reason"),
    [
        ("start_date", "0125", None),
        ("start_date", "0126", None),
        ("start_date", "0226", None),
        ("start_date", "0326", "not_begun"),
        ("start_date", "1299", None),
        ("start_date", "1330", "not_a_month"),
        ("start_date", "0025", "not_a_month"),
        ("start_date", "125", "length"),
        ("issue_number", "1", None),
        ("issue_number", "09", None),
        ("issue_number", "123", "length"),
        ("issue_number", "", "length"),
        ("issue_number", "1a", "not_digits"),
    ],
)
def test_a_card_has_begun_and_its_issue_number_is_short(field: str, keys: str, reason: str | None):
    assert problem_of(field, keys.encode(), CardRules(BRAND_NAMES), LAST_DATE_ON_EARTH) == reason
