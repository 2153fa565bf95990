"""The card rules: Luhn, brands and lengths, expiry, security code, postal code."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.core.brands import BRAND_NAMES, BRANDS
from ivr.vault import CardRules, last_date_on_earth, passes_luhn
from ivr.vault.card import full_year, problem_of

TODAY = date(2026, 11, 24)
ALL = CardRules(BRAND_NAMES)


def plain_luhn(digits: str) -> bool:
    """As the standard words it, from the right, every second digit doubled and its digits added."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 1 else 1)
        total += value // 10 + value % 10
    return total % 10 == 0


def with_check_digit(prefix: str, length: int) -> str:
    body = prefix.ljust(length - 1, "7")
    return next(f"{body}{check}" for check in range(10) if plain_luhn(f"{body}{check}"))


@given(st.text("0123456789", min_size=1, max_size=30))
def test_luhn_agrees_with_the_standards_words(digits: str) -> None:
    assert passes_luhn(digits.encode()) == plain_luhn(digits)


@given(st.text("0123456789", min_size=12, max_size=19), st.integers(0, 18), st.integers(1, 9))
def test_luhn_finds_every_single_wrong_digit(digits: str, place: int, slip: int) -> None:
    valid = next(digits[:-1] + str(check) for check in range(10) if plain_luhn(digits[:-1] + str(check)))
    place %= len(valid)
    wrong = valid[:place] + str((int(valid[place]) + slip) % 10) + valid[place + 1 :]
    assert not passes_luhn(wrong.encode())


@pytest.mark.parametrize(
    "pan",
    [
        "4111111111111111", "4222222222222", "5555555555554444", "2223003122003222", "378282246310005",
        "6011111111111117", "30569309025904", "3530111333300000", "6200000000000005", "6304000000000000",
    ],
)  # fmt: skip
def test_published_test_cards_are_valid(pan: str) -> None:
    assert problem_of("card_number", pan.encode(), ALL, TODAY) is None


@pytest.mark.parametrize("brand", BRANDS, ids=lambda brand: brand.name)
def test_a_brand_has_its_own_lengths_and_no_other(brand) -> None:
    prefix = brand.ranges[-1][0]
    for length in range(12, 20):
        problem = problem_of("card_number", with_check_digit(prefix, length).encode(), ALL, TODAY)
        assert problem == (None if length in brand.lengths else "length")


@pytest.mark.parametrize(
    ("pan", "problem"),
    [
        ("4111111111111112", "luhn"),
        ("9999999999999995", "brand_refused"),
        ("41111111111", "length"),
        ("41111111111111111111", "length"),
        ("", "length"),
        ("4111*11111111111", "not_digits"),
        ("4111 1111 1111 1111", "not_digits"),
        ("６０１１１１１１１１１１１１１７", "not_digits"),
    ],
)
def test_what_is_wrong_with_a_card_number_has_a_name(pan: str, problem: str) -> None:
    assert problem_of("card_number", pan.encode(), ALL, TODAY) == problem


def test_a_brand_the_merchant_does_not_take_is_refused() -> None:
    only_visa = CardRules(frozenset({"visa"}))
    assert problem_of("card_number", b"378282246310005", only_visa, TODAY) == "brand_refused"


def test_a_slip_of_the_finger_is_not_told_as_a_refused_brand() -> None:
    only_visa = CardRules(frozenset({"visa"}))
    assert problem_of("card_number", b"378282246310006", only_visa, TODAY) == "luhn"


def test_unionpay_may_fail_luhn() -> None:
    assert problem_of("card_number", b"6200000000000000", ALL, TODAY) is None


@pytest.mark.parametrize(
    ("expiry", "problem"),
    [
        ("1126", None),  # good up to the end of this month
        ("1026", "expired"),
        ("1225", "expired"),
        ("0127", None),
        ("1246", None),
        ("0147", "expiry_far"),
        ("1276", "expiry_far"),  # 2076: of two years 50 away the coming one
        ("1277", "expired"),  # 1977
        ("1299", "expired"),
        ("0000", "not_a_month"),
        ("0027", "not_a_month"),
        ("1327", "not_a_month"),
        ("127", "length"),
        ("01227", "length"),
        ("1*27", "not_digits"),
    ],
)
def test_expiry_is_month_and_year(expiry: str, problem: str | None) -> None:
    assert problem_of("expiry", expiry.encode(), ALL, TODAY) == problem


def test_a_card_is_good_on_the_last_day_of_its_month() -> None:
    assert problem_of("expiry", b"0228", ALL, date(2028, 2, 29)) is None
    assert problem_of("expiry", b"0228", ALL, date(2028, 3, 1)) == "expired"


def test_years_go_on_past_the_end_of_the_century() -> None:
    assert problem_of("expiry", b"0103", ALL, date(2098, 6, 1)) is None
    assert problem_of("expiry", b"0197", ALL, date(2098, 6, 1)) == "expired"


def test_a_month_ends_where_the_caller_is() -> None:
    """At 11:59 UTC on the first it is still the last of the month at UTC-12, for a caller and so for the card."""
    until = datetime(2026, 12, 1, 11, 59, tzinfo=UTC)
    assert problem_of("expiry", b"1126", ALL, last_date_on_earth(until)) is None
    assert problem_of("expiry", b"1126", ALL, last_date_on_earth(until + timedelta(minutes=1))) == "expired"
    new_year = datetime(2027, 1, 1, 6, tzinfo=timezone(timedelta(hours=9)))
    assert problem_of("expiry", b"1226", ALL, last_date_on_earth(new_year)) is None


def test_two_digits_are_the_year_nearest_to_now() -> None:
    for year in range(1999, 2101):
        for digits in range(100):
            full = full_year(digits, date(year, 6, 1))
            assert full % 100 == digits
            assert year - 50 < full <= year + 50


@pytest.mark.parametrize(
    ("brand", "lengths"), [("amex", {4}), ("visa", {3}), ("mastercard", {3}), (None, {3, 4})]
)  # fmt: skip
def test_the_security_code_is_as_long_as_the_brand_says(brand: str | None, lengths: set[int]) -> None:
    rules = CardRules(BRAND_NAMES, brand)
    valid = {length for length in range(1, 8) if problem_of("security_code", b"1" * length, rules, TODAY) is None}
    assert valid == lengths


def test_a_postal_code_has_five_digits() -> None:
    valid = {length for length in range(10) if problem_of("postal_code", b"0" * length, ALL, TODAY) is None}
    assert valid == {5}
