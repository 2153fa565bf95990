"""The log's last line of defence: card numbers are scrubbed, and a call's id stays what it is."""

import random
import uuid

import pytest

from ivr.logs import SCRUBBED, scrub, scrub_value
from tests.tills import passing_luhn

PANS = ["4111111111111111", "4222222222222", "378282246310005", "6200000000000005", "6304000000000000"]


@pytest.mark.parametrize("pan", PANS)
@pytest.mark.parametrize(
    "written",
    ["{}", "pan={}", "({}),", "x{}y", "track ;{}=1230", "pan:{} cvv", "face{}", "\n{}\n", "+1 {}", "1,{}"],
)
def test_a_card_number_is_scrubbed_wherever_it_stands(pan: str, written: str):
    assert pan not in scrub_value(written.format(pan))
    assert SCRUBBED in scrub_value(written.format(pan))


@pytest.mark.parametrize("mark", [" ", "-", "."])
def test_a_card_number_in_groups_is_scrubbed_and_what_follows_is_kept(mark: str):
    grouped = mark.join(["4111", "1111", "1111", "1111"])
    assert scrub_value(f"{grouped}{mark}123") == f"{SCRUBBED}{mark}123"
    assert scrub_value(f"77{mark}{grouped}") == f"77{mark}{SCRUBBED}"


def test_a_card_number_with_its_expiry_right_behind_it_is_scrubbed():
    assert scrub_value("41111111111111111230") == f"{SCRUBBED}1230"


def test_every_kind_of_value_is_looked_through():
    event = {
        "number": 4111111111111111,
        "many": ["4111111111111111"],
        "error": ValueError("4111111111111111"),
        "ok": True,
    }
    assert "4111" not in str(scrub(None, "", event))


def test_a_calls_id_and_its_references_are_never_scrubbed():
    """Ten thousand of each kind; with thirteen digits in a row scrubbed, two of a hundred could not be followed."""
    numbers = random.Random(7)
    for _ in range(10_000):
        hexadecimal = f"{numbers.getrandbits(128):032x}"
        for call in (f"CA{hexadecimal}", f"SIP{hexadecimal}", f"AS{hexadecimal}", f"SIM{hexadecimal}", hexadecimal):
            assert scrub_value(f"{call}-1") == f"{call}-1"
        identity = str(uuid.UUID(int=numbers.getrandbits(128)))
        assert scrub_value(identity) == identity


def test_an_id_with_a_card_number_in_it_is_an_id():
    call = "CA" + "4111111111111111" + "0" * 16
    assert scrub_value(call) == call
    assert scrub_value("SIM" + "4111111111111111" * 2) == "SIM" + "4111111111111111" * 2


@pytest.mark.parametrize(
    "plain",
    [
        "4111111111111112",
        "1764124633123",
        "+4915112345678",
        "+447911123456",
        "2026-11-26 12:00:00",
        "192.168.100.100:5060",
    ],
)
def test_other_numbers_stay(plain: str):
    assert scrub_value(plain) == plain


def test_thousands_of_card_numbers_in_one_line_are_scrubbed():
    line = "-".join(passing_luhn(f"4{number:014d}") for number in range(2_000))
    assert scrub_value(line) == "-".join([SCRUBBED] * 2_000)
