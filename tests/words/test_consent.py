"""Prompts that ask for a decision say each key with what it does, however the sentence is turned."""

import pytest

from ivr.words.consent import faults
from ivr.words.templates import read_template
from tests.words.consent_table import AGREES_EN, AGREES_ES, REFUSES_EN, REFUSES_ES

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
    "Do you want to pay? Yes is 1, no is 2.",
    "Do you want to use another card? No: press 1. Yes: press 2.",
    "Is that right? Press 1. To change it, press 2.",
    "Yes: press 1. No: press 2.",
    "1 for yes, 2 for no.",
    "To continue, press 1. To correct it, press 2.",
    "Press 1: you pay. Press 2: you enter another card.",
    "Press 1 and your card will be charged. Press 2 to stop.",
    "To pay with this card, press 1. To pay with another, press 2.",
]
SWAPPED = [
    "To pay, press 2. To use another card, press 1.",
    "If you do not want to pay, press 1. To pay, press 2.",
    "If that isn't right, press 1. If it is right, press 2.",
    "Press 1 if you don’t agree. Press 2 to pay.",
    "No: press 1. Yes: press 2.",
    "Yes is 2, no is 1.",
    "1 for no, 2 for yes.",
    "Do you want to stop? Yes is 1, no is 2.",
    "To correct it, press 1. To continue, press 2.",
    "To leave without paying, press 1. To enter another card, press 2.",
    "To talk to an agent, press 1. To enter another card, press 2.",
]
RIGHT_ES = [
    "Para pagar, oprima 1. Para usar otra tarjeta, oprima 2.",
    "Si no es correcto, oprima 2. Si es correcto, oprima 1.",
    "Si no desea pagar, oprima 2. Para pagar, oprima 1.",
    "Si no quiere cambiar la tarjeta, oprima 1. Para cambiarla, oprima 2.",
    "Oprima el uno para pagar, o el dos para otra tarjeta.",
    "Si desea pagar, marque 1. Si no, marque 2.",
    "¿Es correcto? Oprima 1. Para cambiarlo, oprima 2.",
    "Sí: oprima 1. No: oprima 2.",
    "Para confirmar el pago, pulse 1. Para cancelar el pago, pulse 2.",
]
SWAPPED_ES = [
    "Si no es correcto, oprima 1. Si es correcto, oprima 2.",
    "Si no desea pagar, oprima 1. Para pagar, oprima 2.",
    "Si no está correcto, oprima 1. Para pagar, oprima 2.",
    "No: oprima 1. Sí: oprima 2.",
    "Ahora no: oprima 1. Para usar otra tarjeta, oprima 2.",
    "Para rechazar, oprima 1. Para usar otra tarjeta, oprima 2.",
    "Para escuchar de nuevo, oprima 1. Para usar otra tarjeta, oprima 2.",
]
# What key 1 does: neither yes nor a refusal that is in any list. A caller who presses it is charged all the same.
NOT_CONSENT = [
    "To hang up without being charged",
    "To keep your money",
    "To close this matter",
    "Not now",
    "To pay later",
    "To pay with another card",
    "To avoid the charge",
    "To not be charged",
    "To finish the call",
]
NOT_CONSENT_ES = ["Para salir sin pagar", "Para guardar su dinero", "Para pagar más tarde"]


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


@pytest.mark.parametrize("offer", NOT_CONSENT)
def test_key_1_has_to_say_that_it_pays(offer: str):
    for choice in (f"{offer}, press 1. To enter another card, press 2.", f"Press 1: {offer}. Press 2: another card."):
        assert [text.partition("'confirm_card' ")[2] for text in told("confirm_card", READ_BACK + choice)] in (
            ["does not say that key 1 pays"],
            ["has its keys the wrong way round"],
        )


@pytest.mark.parametrize("offer", NOT_CONSENT_ES)
def test_key_1_has_to_say_in_spanish_that_it_pays(offer: str):
    assert is_refused(READ_BACK_ES + f"{offer}, oprima 1. Para usar otra tarjeta, oprima 2.", "es-MX")


def is_refused(text: str, language: str) -> bool:
    messages = [message.partition("'confirm_card' ")[2] for message in told("confirm_card", text, language)]
    if len(messages) == 1 and messages[0].startswith("says that nothing is charged"):
        return True
    return messages in (["does not say that key 1 pays"], ["has its keys the wrong way round"])


@pytest.mark.parametrize("text", [READ_BACK + choice for choice in AGREES_EN])
def test_an_english_prompt_that_agrees_is_taken(text: str):
    assert told("confirm_card", text) == []


@pytest.mark.parametrize("text", [READ_BACK_ES + choice for choice in AGREES_ES])
def test_a_spanish_prompt_that_agrees_is_taken(text: str):
    assert told("confirm_card", text, "es-MX") == []


@pytest.mark.parametrize("text", [READ_BACK + choice for choice in REFUSES_EN])
def test_an_english_prompt_whose_key_1_is_no_consent_is_refused(text: str):
    assert is_refused(text, "en-US")


@pytest.mark.parametrize("text", [READ_BACK_ES + choice for choice in REFUSES_ES])
def test_a_spanish_prompt_whose_key_1_is_no_consent_is_refused(text: str):
    assert is_refused(text, "es-MX")


def test_the_word_that_may_not_mean_consent_is_named():
    found = list(faults("confirm_card", read_template(READ_BACK + "Press 1 to pay at the store."), "en-US"))
    assert [fault.suggestion for fault in found] == [
        """write what 1 does: "To pay now, press 1", without 'at', which may not mean that"""
    ]


def test_a_key_that_is_said_for_nothing_is_no_consent():
    assert told("confirm_card", READ_BACK + "Press 1.") == ["prompt 'confirm_card' does not say that key 1 pays"]


def test_key_1_pays_in_each_sentence_that_says_it():
    choice = "To pay now, press 1. To cancel, press 1. To enter another card, press 2."
    assert told("confirm_card", READ_BACK + choice) == ["prompt 'confirm_card' has its keys the wrong way round"]


def test_what_a_number_is_confirmed_by_may_be_said_in_any_words():
    assert told("confirm_account_number", "{value:digits}. If this is your number, press 1.") == []


def test_in_a_language_without_lists_there_is_advice_to_let_a_speaker_read_it():
    text = "{amount:money}, {brand:brand}, {last4:digits}. Pour payer, appuyez sur 1."
    found = list(faults("confirm_card", read_template(text), "fr-CA"))
    assert [(fault.rule.name, fault.rule.is_advice) for fault in found] == [("consent-not-read", True)]
    assert found[0].suggestion == "let a speaker of fr-CA read it: 1 charges the card"


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
    [
        ("For English, press star.", "en-US"),
        ("Para español, oprima la tecla asterisco.", "es-MX"),
        ("Para español, oprima {done:key}.", "es-MX"),
    ],
)
def test_a_language_is_not_offered_under_a_key_that_is_no_digit(text: str, language: str):
    [message] = told("choose_language", text, language)
    assert message.endswith("but the key depends on the flow's languages")


@pytest.mark.parametrize(
    ("text", "language", "errors"),
    [
        ("To have it as a text, press the pound key.", "en-US", 1),
        ("To have it as a text, press {done:key}.", "en-US", 1),
        ("Para recibirlo por texto, oprima numeral.", "es-MX", 1),
        ("To have it as a text, press {key:key}. To end the call, press {clear:key}.", "en-US", 0),
        ("Press star to leave.", "en-US", 1),
        ("To have it as a text, press {key:key}, then press pound.", "en-US", 0),
        ("To enter your number for a text and press hash.", "en-US", 0),
        ("A text costs nothing.", "en-US", 0),
    ],
)
def test_star_or_pound_is_an_error_where_it_is_said_of_what_a_digit_does(text: str, language: str, errors: int):
    """Beside the digit, or behind an entry, they have a meaning of their own."""
    found = [fault for fault in faults("sms_offer", read_template(text), language) if not fault.rule.is_advice]
    assert len(found) == errors


@pytest.mark.parametrize(
    ("text", "language"),
    [("For English, press {key:key}.", "en-US"), ("Para español, oprima {key:key}.", "es-MX")],
)
def test_a_language_is_offered_under_the_key_that_the_flow_gives_it(text: str, language: str):
    assert told("choose_language", text, language) == []


AGREEMENTS = [
    ("en-US", "confirm_promise", "To promise this, press 1. To choose again, press 2."),
    ("en-US", "confirm_plan", "To accept the plan, press 1. To choose another, press 2."),
    ("en-US", "confirm_mandate", "To sign up, press 1. If not, press 2."),
    ("en-US", "confirm_mandate", "To allow this each month, press 1. Otherwise, press 2."),
    ("es-MX", "confirm_promise", "Para prometerlo, oprima 1. Para elegir otra vez, oprima 2."),
    ("es-MX", "confirm_mandate", "Para permitirlo, oprima 1. Si no, oprima 2."),
]
NO_AGREEMENTS = [
    ("en-US", "confirm_promise", "If you do not agree, or don't want that, press 1. Otherwise, press 2."),
    ("en-US", "confirm_plan", "To decide against this, press 1. To sign up for it, press 2."),
    ("en-US", "confirm_mandate", "Press 1 if you do not allow it and do not agree."),
    ("es-MX", "confirm_mandate", "Si no acepta o no quiere, oprima 1. De lo contrario, oprima 2."),
]


@pytest.mark.parametrize(("language", "prompt", "choice"), AGREEMENTS)
def test_an_agreement_whose_key_1_agrees_is_taken(language: str, prompt: str, choice: str):
    assert told(prompt, "{amount:money}. " + choice, language) == []


@pytest.mark.parametrize(("language", "prompt", "choice"), NO_AGREEMENTS)
def test_an_agreement_whose_key_1_does_not_agree_is_refused(language: str, prompt: str, choice: str):
    [message] = told(prompt, "{amount:money}. " + choice, language)
    assert message.endswith(("does not say that key 1 agrees", "has its keys the wrong way round"))


BY_KEY_2 = [
    ("en-US", "Press 1 to pay now, 2 to pay later.", "pay later"),
    ("en-US", "To pay now, press 1. To pay tomorrow, press 2.", "pay tomorrow"),
    ("en-US", "Press 1 to pay, or 2 to get a bill.", "get a bill"),
    ("es-MX", "Para pagar, oprima 1. Para pagar más tarde, oprima 2.", "pagar más tarde"),
    ("es-MX", "Oprima 1 para pagar, 2 para pagar mañana.", "pagar mañana"),
]


@pytest.mark.parametrize(("language", "choice", "said"), BY_KEY_2)
def test_key_2_leads_to_another_card_and_to_no_payment(language: str, choice: str, said: str):
    read_back = READ_BACK if language == "en-US" else READ_BACK_ES
    assert told("confirm_card", read_back + choice, language) == [f"prompt 'confirm_card' says of key 2: '{said}'"]


@pytest.mark.parametrize(
    "choice",
    [
        "To pay now, press 1; to pay with another card, press 2.",
        "To pay, press 1. To pay some other way, press 2 and then star.",
        "To pay, press 1. To cancel, press 2.",
    ],
)
def test_key_2_may_change_the_card_or_refuse(choice: str):
    assert told("confirm_card", READ_BACK + choice) == []


@pytest.mark.parametrize(
    "said",
    ["Silence means yes.", "We charge your card unless you press 2.", "If you hang up, your card is charged."],
)
def test_a_card_is_charged_by_key_1_alone(said: str):
    [fault] = faults("confirm_card", read_template(f"{READ_BACK}To pay, press 1. {said}"), "en-US")
    assert (fault.rule.code, fault.message) == ("T471", f"prompt 'confirm_card' says beside the amount: '{said[:-1]}'")


@pytest.mark.parametrize("asked", ["Is that right?", "Is this OK?"])
def test_a_question_about_a_reservation_is_answered_by_yes(asked: str):
    text = "We hold {amount:money} on {brand:brand} {last4:digits}. " + asked + " Yes, press 1. No, press 2."
    assert told("confirm_reservation", text) == []
