"""What is plainly untrue beside an amount is refused, in English and Spanish; what is true is not."""

import pytest

from ivr.words.consent import faults
from ivr.words.outcome_words import nothing_charged
from ivr.words.templates import read_template
from tests.words.fee_table import TRUE_EN, TRUE_ES, UNTRUE_EN, UNTRUE_ES

TAIL = {"en-US": "press 1 to pay, 2 for another card.", "es-MX": "oprima 1 para pagar, 2 para otra tarjeta."}
CARD = "{amount:money} with {brand:brand} {last4:digits}"
TARJETA = "{amount:money} con {brand:brand} {last4:digits}"
UNTRUE = [
    ("confirm_card", "en-US", f"{CARD}. You have thirty days to pay: {TAIL['en-US']}"),
    ("confirm_card", "es-MX", f"{TARJETA}. Tiene un plazo de treinta días para pagar: {TAIL['es-MX']}"),
    ("confirm_card", "en-US", f"{CARD}: it is only reserved and not charged: {TAIL['en-US']}"),
    ("confirm_card", "en-US", f"{CARD}: nothing will be taken: {TAIL['en-US']}"),
    ("confirm_card", "en-US", f"{CARD}, which is refunded to you: {TAIL['en-US']}"),
    ("confirm_card", "en-US", f"{CARD}. No money moves: {TAIL['en-US']}"),
    ("confirm_card", "en-US", f"Half of {CARD}: {TAIL['en-US']}"),
    ("confirm_card", "en-US", f"Up to {CARD}: {TAIL['en-US']}"),
    ("confirm_card", "es-MX", f"{TARJETA}, sin cobrarlos: {TAIL['es-MX']}"),
    ("confirm_card", "es-MX", f"{TARJETA}, gratis: {TAIL['es-MX']}"),
    ("confirm_card", "es-MX", f"La mitad de {TARJETA}: {TAIL['es-MX']}"),
    ("confirm_kept_card", "en-US", f"{CARD} is only reserved: {TAIL['en-US']}"),
    ("confirm_reservation", "en-US", f"{CARD} is charged now: press 1 to reserve, 2 for another card."),
    ("confirm_reservation", "en-US", f"{CARD} will be taken at once: press 1 to reserve, 2 for another card."),
    ("confirm_reservation", "es-MX", f"{TARJETA} se cobran ahora: oprima 1 para retenerlos, 2 para otra tarjeta."),
    ("reservation_number", "en-US", "Paid. Confirmation {number:digits}."),
    ("amount_reserved", "en-US", "Your card was charged {amount:money}."),
    ("amount_reserved", "es-MX", "Fueron cobrados {amount:money}."),
    ("confirm_reservation", "en-US", f"{CARD}, taken today: press 1 to reserve, 2 for another card."),
    ("reservation_number", "en-US", "Your payment of {amount:money} was received. Confirmation {number:digits}."),
    ("reservation_number", "en-US", "Nothing is held on your card. Confirmation {number:digits}."),
    ("reservation_number", "es-MX", "Gracias por su pago. Confirmación {number:digits}."),
    ("reservation_went_through", "en-US", "Your payment went through."),
    ("reservation_went_through", "es-MX", "No se reservó nada en su tarjeta."),
    ("amount_reserved", "en-US", "{amount:money} was taken from your card."),
    ("result_reserved_sms", "en-US", "Your payment of {amount:written} to {merchant:text} went through."),
    ("reservation_declined", "en-US", "Your bank approved the reservation."),
    ("reservation_declined", "es-MX", "Su banco aprobó la reserva."),
    ("reservation_not_reached", "en-US", "The amount is reserved on your card."),
    ("reservation_not_reached", "en-US", "Your card was charged."),
    ("result_not_reserved_sms", "en-US", "{amount:written} is reserved on your card."),
    ("result_not_reserved_sms", "es-MX", "{amount:written} quedaron retenidos en su tarjeta."),
    (
        "confirm_keep_card",
        "en-US",
        "We will not keep {brand:brand} {last4:digits}. To agree, press 1. If not, press 2.",
    ),
    ("confirm_keep_card", "en-US", "To pay with {brand:brand} {last4:digits}, press 1. If not, press 2."),
    (
        "confirm_keep_card",
        "es-MX",
        "¿Olvidamos su {brand:brand} {last4:digits}? Para aceptar, oprima 1. Si no, oprima 2.",
    ),
]
TRUE = [
    ("confirm_card", "en-US", f"You pay {CARD}. You have thirty days to appeal: {TAIL['en-US']}"),
    ("confirm_card", "en-US", f"You pay {CARD}. You have thirty days to pay the rest: {TAIL['en-US']}"),
    ("confirm_card", "es-MX", f"{TARJETA}. Tiene treinta días para impugnar la multa: {TAIL['es-MX']}"),
    ("confirm_card", "es-MX", f"{TARJETA}. Tiene treinta días para pagar el resto: {TAIL['es-MX']}"),
    ("confirm_card", "en-US", f"You pay {CARD}: {TAIL['en-US']}"),
    ("confirm_card", "es-MX", f"{TARJETA}: {TAIL['es-MX']}"),
    ("confirm_reservation", "en-US", f"{CARD}, not taken today: press 1 to reserve, 2 for another card."),
    ("amount_reserved", "en-US", "{amount:money} is reserved on your card. You are charged only if you do not come."),
    ("reservation_number", "es-MX", "Retenido, no cobrado. Confirmación {number:digits}."),
    ("confirm_reservation", "en-US", f"{CARD}, nothing is taken now: press 1 to reserve, 2 for another card."),
    ("confirm_reservation", "en-US", f"{CARD}; it is charged after your stay: press 1 to reserve, 2 for another card."),
    ("reservation_number", "en-US", "Reserved. Your card is charged on arrival. Confirmation {number:digits}."),
    ("reservation_declined", "en-US", "Your bank refused. Nothing is held on your card, and nothing was charged."),
    ("reservation_declined", "es-MX", "Su banco no aprobó la reserva. No se retuvo nada."),
    ("reservation_not_reached", "en-US", "We could not reach the bank; no amount is reserved."),
    ("result_not_reserved_sms", "en-US", "{amount:written} could not be reserved; nothing is held."),
]


def told(prompt: str, language: str, text: str, name: str = "") -> list[str]:
    return [one.message for one in faults(name or prompt, read_template(text), language, prompt)]


@pytest.mark.parametrize(("prompt", "language", "text"), UNTRUE)
def test_an_untruth_is_refused(prompt: str, language: str, text: str):
    assert told(prompt, language, text)


@pytest.mark.parametrize(
    ("language", "text"), [*(("en-US", text) for text in UNTRUE_EN), *(("es-MX", text) for text in UNTRUE_ES)]
)
def test_an_untruth_about_the_fee_is_refused(language: str, text: str):
    found = told("confirm_card", language, f"{text}: {TAIL[language]}", "confirm_card_with_fee")
    assert [one for one in found if "says of the fee" in one]


@pytest.mark.parametrize(
    ("language", "text"), [*(("en-US", text) for text in TRUE_EN), *(("es-MX", text) for text in TRUE_ES)]
)
def test_what_is_true_of_the_fee_is_taken(language: str, text: str):
    assert told("confirm_card", language, f"{text}: {TAIL[language]}", "confirm_card_with_fee") == []


@pytest.mark.parametrize(("prompt", "language", "text"), TRUE)
def test_what_is_true_is_taken(prompt: str, language: str, text: str):
    assert told(prompt, language, text) == []


@pytest.mark.parametrize(
    ("offer", "language", "untrue"),
    [
        ("To stop here, with nothing charged, press 3.", "en-US", "with nothing charged"),
        ("To stop without a charge, press 3.", "en-US", "To stop without a charge"),
        ("To stop, press 3: what you have paid stays paid.", "en-US", ""),
        ("To stop, press 3. What you have paid is not taken back.", "en-US", ""),
        ("To stop, press 3. The rest is not charged.", "en-US", ""),
        ("Para terminar sin que se cobre nada, marque 3.", "es-MX", "Para terminar sin que se cobre nada"),
        ("Para terminar sin que se cobre nada más, marque 3.", "es-MX", ""),
        ("Para terminar, marque 3: lo que ya pagó queda pagado.", "es-MX", ""),
    ],
)
def test_an_offer_to_stop_says_whether_nothing_is_charged(offer: str, language: str, untrue: str):
    assert nothing_charged(offer, language) == untrue
