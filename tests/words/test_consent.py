"""Prompts that ask for a decision say each key with what it does, however the sentence is turned."""

import pytest

from ivr.words.consent import faults
from ivr.words.templates import read_template

READ_BACK = "You are paying {amount:money} with {brand:brand} ending in {last4:digits}. "
READ_BACK_ES = "Va a pagar {amount:money} con {brand:brand} que termina en {last4:digits}. "


def told(name: str, text: str, language: str = "en-US") -> list[str]:
    return [fault.message for fault in faults(name, read_template(text), language) if not fault.rule.is_advice]


RIGHT = [
    "To pay, press 1. To use another card, press 2.",
    "Press 1 to pay or 2 to change.",
    "If you do not want to change anything, press 1. If that is not right, press 2.",
    "Press 1 if this is right. Press 2 if you don't agree.",
    "If you don’t want to pay, press 2. Otherwise press 1.",
]
SWAPPED = [
    "To pay, press 2. To use another card, press 1.",
    "If you do not want to pay, press 1. To pay, press 2.",
    "If that isn't right, press 1. If it is right, press 2.",
    "Press 1 if you don’t agree. Press 2 to pay.",
]
RIGHT_ES = [
    "Para pagar, oprima 1. Para usar otra tarjeta, oprima 2.",
    "Si no es correcto, oprima 2. Si es correcto, oprima 1.",
    "Si no desea pagar, oprima 2. Para pagar, oprima 1.",
    "Si no quiere cambiar la tarjeta, oprima 1. Para cambiarla, oprima 2.",
]
SWAPPED_ES = [
    "Si no es correcto, oprima 1. Si es correcto, oprima 2.",
    "Si no desea pagar, oprima 1. Para pagar, oprima 2.",
    "Si no está correcto, oprima 1. Para pagar, oprima 2.",
]


@pytest.mark.parametrize("choice", RIGHT)
def test_an_english_prompt_with_its_keys_in_place_is_taken(choice: str):
    assert told("confirm_card", READ_BACK + choice) == []


@pytest.mark.parametrize("choice", SWAPPED)
def test_an_english_prompt_that_denies_the_wrong_way_round_is_refused(choice: str):
    assert told("confirm_card", READ_BACK + choice) == ["prompt 'confirm_card' has its keys the wrong way round"]


@pytest.mark.parametrize("choice", RIGHT_ES)
def test_a_spanish_prompt_with_its_keys_in_place_is_taken(choice: str):
    assert told("confirm_card", READ_BACK_ES + choice, "es-MX") == []


@pytest.mark.parametrize("choice", SWAPPED_ES)
def test_a_spanish_prompt_that_denies_the_wrong_way_round_is_refused(choice: str):
    assert told("confirm_card", READ_BACK_ES + choice, "es-MX") == [
        "prompt 'confirm_card' has its keys the wrong way round"
    ]


def test_an_offer_to_cancel_that_denies_is_read_by_what_it_means():
    assert told("offer_cancel", "To cancel, press 1. If you do not want to cancel, press 2.") == []
    assert told("offer_cancel", "If you do not want to cancel, press 1. To cancel, press 2.") == [
        "prompt 'offer_cancel' has its keys the wrong way round"
    ]


@pytest.mark.parametrize(
    ("text", "language", "key"),
    [("For English, press 1.", "en-US", "1"), ("Para español, oprima el dos.", "es-MX", "2")],
)
def test_a_language_is_not_offered_under_a_key_written_out(text: str, language: str, key: str):
    assert told("choose_language", text, language) == [
        f"prompt 'choose_language' says key {key}, but the key depends on the flow's languages"
    ]


@pytest.mark.parametrize(
    ("text", "language"),
    [("For English, press {key:key}.", "en-US"), ("Para español, oprima {key:key}.", "es-MX")],
)
def test_a_language_is_offered_under_the_key_that_the_flow_gives_it(text: str, language: str):
    assert told("choose_language", text, language) == []
