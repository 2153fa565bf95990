"""What a card costs on top of the amount: to the coin, as the rounding that was stated has it, and never over the cap."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction
from random import Random

import pytest

from ivr.core.card_fees import FeeSchedule, Share
from ivr.core.money import Money

ROUNDINGS = {"half_up": ROUND_HALF_UP, "up": ROUND_CEILING, "down": ROUND_FLOOR}
AMEX = {"amex": Share(Fraction("2.5"), "2.5 %")}


@pytest.mark.parametrize(
    ("rounding", "amount", "fee"),
    [
        ("down", 4250, 106),  # 106.25
        ("half_up", 4250, 106),
        ("up", 4250, 107),
        ("half_up", 4260, 107),  # 106.50
        ("down", 4260, 106),
        ("down", 39, 0),  # less than a coin is nothing
        ("up", 1, 1),
        ("up", 4000, 100),  # exact: nothing is rounded
    ],
)
def test_a_share_is_rounded_as_stated(rounding, amount: int, fee: int):
    assert FeeSchedule(AMEX, rounding).fee("amex", Money(amount)) == Money(fee)


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_integers_give_what_decimals_give(rounding):
    draw = Random(7)
    for _ in range(300):
        written, minor = f"{draw.randrange(1, 30_000) / 1000}", draw.randrange(1, 10_000_000)
        schedule = FeeSchedule({"visa": Share(Fraction(written), written)}, rounding)
        exact = (Decimal(written) * minor / 100).to_integral_value(ROUNDINGS[rounding])
        assert schedule.fee("visa", Money(minor)).minor == int(exact)


def test_no_fee_is_over_the_cap_and_a_brand_that_is_not_there_costs_nothing():
    schedule = FeeSchedule({"amex": AMEX["amex"], "visa": Money(700)}, "down", Money(500))
    assert [schedule.fee(brand, Money(100_000)).minor for brand in ("amex", "visa", "discover")] == [500, 500, 0]
    assert schedule.fee("amex", Money(0)) == Money(0)


def test_a_fee_in_another_currency_is_never_charged():
    with pytest.raises(ValueError, match="currency"):
        FeeSchedule({"visa": Money(200, "MXN")}).fee("visa", Money(4250, "USD"))


def test_nothing_costs_nothing_and_a_fee_is_in_the_currency_of_its_amount():
    schedule = FeeSchedule({"visa": Money(200, "EUR"), **AMEX})
    assert schedule.fee("visa", Money(0, "EUR")) == Money(0, "EUR")
    assert schedule.fee("discover", Money(4250, "EUR")) == Money(0, "EUR")
    assert schedule.fee("amex", Money(4250, "EUR")) == Money(106, "EUR")
