"""A confirmation number that was heard wrongly, or typed in wrongly, is found out by its last digit."""

import random

import pytest

from ivr.core.confirmation import BEYOND, FIRST, check_digit, confirmation_number, in_groups, is_confirmation_number
from ivr.core.stray_cards import holds_card_number

NUMBERS = [confirmation_number(random.Random(seed).randrange(FIRST, BEYOND)) for seed in range(300)]


def test_the_check_digit_is_the_one_of_the_published_example():
    assert check_digit("572") == "4"
    assert check_digit("5724") == "0"


@pytest.mark.parametrize("number", NUMBERS[:20])
def test_one_wrong_digit_is_always_found(number: str):
    for place in range(1, len(number)):
        for digit in set("0123456789") - {number[place]}:
            assert not is_confirmation_number(number[:place] + digit + number[place + 1 :])


@pytest.mark.parametrize("number", NUMBERS[:20])
def test_two_neighbours_that_were_swapped_are_always_found(number: str):
    for place in range(len(number) - 1):
        first, second = number[place : place + 2]
        if first != second:
            assert not is_confirmation_number(number[:place] + second + first + number[place + 2 :])


def test_every_number_is_nine_digits_and_good():
    assert all(is_confirmation_number(number) for number in NUMBERS)
    assert {len(number) for number in NUMBERS} == {9}
    assert len(set(NUMBERS)) > 290


def test_the_first_and_the_last_that_can_be_drawn_are_good():
    assert confirmation_number(FIRST) == f"{FIRST}{check_digit(str(FIRST))}"
    assert is_confirmation_number(confirmation_number(FIRST))
    assert is_confirmation_number(confirmation_number(BEYOND - 1))


def test_a_number_is_never_taken_for_a_card():
    assert not any(holds_card_number(number.encode()) for number in NUMBERS)


def test_it_is_written_in_three_groups():
    assert in_groups("414995123") == "414 995 123"
    assert in_groups("4149") == "4149"


@pytest.mark.parametrize("drawn", [FIRST - 1, BEYOND])
def test_what_has_not_eight_digits_is_none(drawn: int):
    with pytest.raises(ValueError, match="eight digits"):
        confirmation_number(drawn)


def test_no_number_begins_with_a_nought():
    assert not is_confirmation_number(f"01234567{check_digit('01234567')}")
