"""A consent to keep a card is taken however it is honestly put, and refused where key 1 does something else."""

import pytest

from ivr.words.consent import faults
from ivr.words.templates import read_template
from tests.words.keeping_table import KEEPS_EN, KEEPS_ES, REFUSES_EN, REFUSES_ES


def told(text: str, language: str) -> list[str]:
    return [one.message for one in faults("confirm_keep_card", read_template(text), language)]


@pytest.mark.parametrize(
    ("text", "language"), [*((text, "en-US") for text in KEEPS_EN), *((text, "es-MX") for text in KEEPS_ES)]
)
def test_an_honest_consent_to_keep_a_card_is_taken(text: str, language: str):
    assert told(text, language) == []


@pytest.mark.parametrize(
    ("text", "language"), [*((text, "en-US") for text in REFUSES_EN), *((text, "es-MX") for text in REFUSES_ES)]
)
def test_what_is_no_consent_to_keep_a_card_is_refused(text: str, language: str):
    assert told(text, language)
