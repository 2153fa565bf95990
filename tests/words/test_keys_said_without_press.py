"""A key that stands last in its thought, without a verb that presses it: "confirm with 1", "to choose again, 2"."""

import pytest

from ivr.words.consent import faults, offer_faults
from ivr.words.keys_said import keys_said, prose
from ivr.words.templates import read_template

EN, ES = "en-US", "es-MX"
WORDS = {
    ("confirm_promise", EN): "You promise to pay {amount:money} by {by:date}.",
    ("confirm_card", EN): "You pay {amount:money} with {brand:brand} {last4:digits}.",
    ("confirm_money", EN): "{amount:money}.",
    ("confirm_promise", ES): "Usted promete pagar {amount:money} el {by:date}.",
    ("confirm_card", ES): "Usted paga {amount:money} con {brand:brand} {last4:digits}.",
    ("confirm_money", ES): "{amount:money}.",
}
CONFIRMS = [
    (EN, "No one else sees your card. To confirm, press 1."),
    (EN, "Confirm with 1."),
    (EN, "Confirm with one."),
    (EN, "Confirm with the 1 key."),
    (EN, "Confirm using 1."),
    (EN, "Please confirm it with key 1."),
    (EN, "Confirm with 1, change with 2."),
    (EN, "Confirm with 1 or change it with 2."),
    (EN, "Confirm it with 1 and change it with 2."),
    (EN, "To confirm press 1 and to cancel press 2."),
    (EN, "Accept with 1; choose again with 2."),
    (EN, "To confirm press 1."),
    (EN, "To confirm, press 1, to change, 2."),
    (EN, "To confirm press 1, to change 2."),
    (EN, "To confirm, press 1; to choose again, 2."),
    (EN, "To confirm, press 1. To choose again, 2."),
    (ES, "Confirme con 1."),
    (ES, "Confirme con el uno."),
    (ES, "Confirme con la tecla 1."),
    (ES, "Confirme con 1, cambie con 2."),
    (ES, "Acepte con 1 o elija otra vez con 2."),
    (ES, "Para confirmar, oprima 1; para cambiar, 2."),
]
SWAPPED = [
    (EN, "Is that right? No one, yes two."),
    (EN, "Change with 1."),
    (EN, "Refuse with 1, confirm with 2."),
    (EN, "Cancel it with 1 and confirm it with 2."),
    (EN, "To choose again, press 1; to confirm, 2."),
    (EN, "To cancel press 1 and to confirm press 2."),
    (ES, "Rechace con 1."),
    (ES, "Cambie con 1, confirme con 2."),
    (ES, "Para elegir otra vez, oprima 1; para confirmar, 2."),
    (ES, "Para cancelar oprima 1 y para confirmar oprima 2."),
    (ES, "Rechace con 1 y acepte con 2."),
]
NO_KEYS = [
    (EN, "Use the card ending with 4."),
    (EN, "Enter the amount with 2 decimals."),
    (ES, "Use la tarjeta que termina con 4."),
    (EN, "No one else is charged."),
    (EN, "Pay with 2 cards."),
    (EN, "You can pay with two or three cards."),
    (EN, "Choose a card that ends with 4."),
    (EN, "Choose the card ending with 4."),
    (EN, "You pay by June 5."),
    (EN, "To be paid by June 5, call us."),
    (ES, "Puede pagar con 2 tarjetas."),
    (ES, "Elija una tarjeta que termina con 4."),
    (ES, "Elija la tarjeta que empieza con 4."),
]


def told(prompt: str, language: str, keys: str) -> list[str]:
    return [one.rule.code for one in faults(prompt, read_template(f"{WORDS[prompt, language]} {keys}"), language)]


@pytest.mark.parametrize("prompt", ["confirm_promise", "confirm_card", "confirm_money"])
@pytest.mark.parametrize(("language", "keys"), CONFIRMS)
def test_a_key_that_confirms_is_found_where_it_stands(prompt: str, language: str, keys: str):
    assert told(prompt, language, keys) == []


@pytest.mark.parametrize("prompt", ["confirm_promise", "confirm_card", "confirm_money"])
@pytest.mark.parametrize(("language", "keys"), SWAPPED)
def test_keys_the_wrong_way_round_are_refused(prompt: str, language: str, keys: str):
    assert told(prompt, language, keys) == ["T514"]


@pytest.mark.parametrize(
    ("language", "keys", "codes"),
    [
        (EN, "Pay with 1, or use another card with 2.", []),
        (EN, "To pay press 1, to change cards 2.", []),
        (EN, "To pay press 1, to use another card 2.", []),
        (EN, "Use another card with 1, or pay with 2.", ["T514"]),
        (EN, "To change cards press 1, to pay 2.", ["T514"]),
        (ES, "Pague con 1 o use otra tarjeta con 2.", []),
        (ES, "Para pagar oprima 1, para cambiar de tarjeta 2.", []),
        (ES, "Use otra tarjeta con 1 o pague con 2.", ["T514"]),
        (ES, "Para usar otra tarjeta oprima 1, para pagar 2.", ["T514"]),
    ],
)
def test_the_key_of_another_card_is_found_where_it_stands(language: str, keys: str, codes: list[str]):
    assert told("confirm_card", language, keys) == codes


@pytest.mark.parametrize(
    ("language", "keys", "code"),
    [
        (EN, "Confirm with 2.", "T516"),
        (EN, "Confirm with 3.", "T515"),
        (EN, "Confirm with 1, change with 4.", "T515"),
        (ES, "Confirme con 2.", "T516"),
        (ES, "Confirme con 3.", "T515"),
    ],
)
def test_a_key_that_does_not_confirm_is_refused(language: str, keys: str, code: str):
    assert told("confirm_promise", language, keys) == [code]


@pytest.mark.parametrize(("language", "text"), NO_KEYS)
def test_a_number_of_something_is_no_key(language: str, text: str):
    assert keys_said(prose(read_template(text)), language) == []


@pytest.mark.parametrize(
    ("language", "text", "key", "codes"),
    [
        (EN, "You owe {due:money}: pay it with 1.", "1", []),
        (EN, "You owe {due:money}: pay it with 1.", "2", ["T512"]),
        (EN, "You owe {due:money}: pay it with {key:key}.", "2", []),
        (ES, "Debe {due:money}: páguelo con 1.", "2", []),
        (ES, "Debe {due:money}. Pague con 1.", "1", []),
        (ES, "Debe {due:money}. Pague con 1.", "2", ["T512"]),
    ],
)
def test_a_menus_key_is_held_to_the_key_that_it_is_on(language: str, text: str, key: str, codes: list[str]):
    found = offer_faults("pay_it", key, {"1", "2"} - ({"1"} if key == "2" else set()), read_template(text), language)
    assert [one.rule.code for one in found if not one.rule.is_advice] == codes
