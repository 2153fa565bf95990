"""Calls take keys: a prompt that asks callers to say their answer is refused, whatever else it says rightly."""

import pytest

from ivr.words.consent import faults
from ivr.words.templates import read_template

SPOKEN = [
    ("pay_full_balance", "en-US", "You owe {due:money}; to pay it, press {key:key} or say yes.", "say yes"),
    ("pay_full_balance", "en-US", "To pay, say yes.", "say yes"),
    ("pay_full_balance", "en-US", "Press {key:key}, or answer with yes.", "answer with yes"),
    ("enter_account_number", "en-US", "Enter or say your account number.", "Enter or say"),
    ("enter_account_number", "en-US", "Please say your account number.", "say your account number"),
    ("confirm_account_number", "en-US", "{value:digits}. Press 1 or say yes.", "say yes"),
    ("pay_full_balance", "es-MX", "Para pagar, oprima {key:key} o diga sí.", "diga sí"),
    ("enter_account_number", "es-MX", "Diga su número de cuenta.", "Diga su número"),
    ("confirm_account_number", "es-MX", "{value:digits}. Oprima 1 o diga sí.", "diga sí"),
]
NOT_SPOKEN = [
    ("en-US", "Say this number when you call us: {number:digits}."),
    ("en-US", "Please say your confirmation number when you call again: {number:digits}."),
    ("en-US", "To speak with an agent, press {key:key}."),
    ("en-US", "Never say your card number aloud."),
    ("en-US", "The bank did not say yes or no."),
    ("en-US", "To say no, press {key:key}."),
    ("en-US", "To hear us say your number again, press {key:key}."),
    ("es-MX", "Diga este número cuando nos llame: {number:digits}."),
    ("es-MX", "El banco no dijo ni sí ni no."),
    ("es-MX", "Si dice que sí, oprima {key:key}."),
]


def told(prompt: str, language: str, text: str) -> list[str]:
    return [f"{one.rule.code} {one.message}" for one in faults(prompt, read_template(text), language)]


@pytest.mark.parametrize(("prompt", "language", "text", "said"), SPOKEN)
def test_an_answer_by_voice_is_refused(prompt: str, language: str, text: str, said: str):
    assert told(prompt, language, text) == [f"T512 prompt '{prompt}' asks callers to speak: '{said}'"]


@pytest.mark.parametrize(("language", "text"), NOT_SPOKEN)
def test_what_is_said_to_others_or_by_the_voice_itself_is_taken(language: str, text: str):
    assert told("anything", language, text) == []


def test_a_consent_by_voice_is_told_as_that_alone():
    text = "You pay {amount:money} with {brand:brand} {last4:digits}. To pay, press 1 or say yes."
    assert told("confirm_card", "en-US", text) == ["T512 prompt 'confirm_card' asks callers to speak: 'say yes'"]
