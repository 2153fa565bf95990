"""What became of a charge is understood without a verb ("payment successful"), and plainly in French and German."""

import pytest

from ivr.words.consent import faults
from ivr.words.templates import read_template

UNTRUE = [
    ("card_declined", "en-US", "Payment successful, thank you."),
    ("bank_not_reached", "en-US", "Transaction complete."),
    ("you_were_not_charged", "en-US", "Payment OK."),
    ("card_declined", "en-US", "Successful payment."),
    ("confirmation_number", "en-US", "Payment declined. Confirmation {number:digits}."),
    ("confirmation_number", "en-US", "Card refused. Confirmation {number:digits}."),
    ("confirmation_number", "es-MX", "Pago rechazado. Confirmación {number:digits}."),
    ("card_declined", "es-MX", "Pago exitoso, gracias."),
    ("card_declined", "es-MX", "Su pago aprobado."),
    ("card_declined", "fr-FR", "Paiement réussi, merci."),
    ("card_declined", "fr-CA", "Votre carte a été débitée."),
    ("bank_not_reached", "fr-FR", "Merci pour votre paiement."),
    ("confirmation_number", "fr-FR", "Votre paiement a été refusé. Numéro {number:digits}."),
    ("confirmation_number", "fr-FR", "Votre carte n'a pas été débitée. Numéro {number:digits}."),
    ("charge_not_known", "fr-FR", "Votre carte a été débitée."),
    ("card_declined", "de-DE", "Die Zahlung war erfolgreich."),
    ("card_declined", "de-DE", "Vielen Dank für Ihre Zahlung."),
    ("you_were_not_charged", "de-AT", "Der Betrag wurde von Ihrer Karte abgebucht."),
    ("confirmation_number", "de-DE", "Ihre Karte wurde nicht belastet. Nummer {number:digits}."),
    ("confirmation_number", "de-DE", "Zahlung abgelehnt. Nummer {number:digits}."),
]
TRUE = [
    ("card_declined", "en-US", "Payment declined."),
    ("card_declined", "en-US", "Payment not approved. You can use another card."),
    ("bank_not_reached", "en-US", "We could not get the payment approved."),
    ("you_were_not_charged", "en-US", "Earlier payments stay. A payment received before this call is not changed."),
    ("confirmation_number", "en-US", "Payment successful. Confirmation {number:digits}."),
    ("part_being_undone", "en-US", "The approved payment of {amount:money} is being undone."),
    ("part_being_undone", "es-MX", "El pago aprobado de {amount:money} se está deshaciendo."),
    ("charge_not_known", "en-US", "We do not know yet whether the payment was approved."),
    ("card_declined", "fr-FR", "Votre banque n'a pas accepté ce paiement. Votre carte n'a pas été débitée."),
    ("bank_not_reached", "fr-FR", "Nous n'avons pas pu joindre la banque, et rien n'a été débité."),
    ("confirmation_number", "fr-FR", "Votre paiement a été accepté. Numéro {number:digits}."),
    ("charge_not_known", "fr-FR", "Nous ne savons pas encore si votre carte a été débitée."),
    ("part_being_undone", "fr-FR", "Le paiement accepté de {amount:money} est en cours de remboursement."),
    ("card_declined", "de-DE", "Ihre Bank hat die Zahlung nicht genehmigt. Es wurde nichts abgebucht."),
    ("confirmation_number", "de-DE", "Ihre Karte wurde belastet. Nummer {number:digits}."),
    ("charge_not_known", "de-DE", "Wir wissen noch nicht, ob Ihre Karte belastet wurde."),
]


def told(prompt: str, language: str, text: str) -> list[str]:
    return [one.rule.code for one in faults(prompt, read_template(text), language)]


@pytest.mark.parametrize(("prompt", "language", "text"), UNTRUE)
def test_the_opposite_of_what_is_on_record_is_refused(prompt: str, language: str, text: str):
    assert "T473" in told(prompt, language, text)


@pytest.mark.parametrize(("prompt", "language", "text"), TRUE)
def test_what_is_on_record_is_taken(prompt: str, language: str, text: str):
    assert "T473" not in told(prompt, language, text)


@pytest.mark.parametrize("language", ["fr-FR", "de-DE", "it-IT"])
def test_a_language_that_is_read_in_part_or_not_at_all_is_for_a_speaker_once(language: str):
    assert "T646" in told("confirmation_number", language, "{number:digits}.")
    assert "T646" not in told("confirmation_number_again", language, "{number:digits}.")
    assert "T646" not in told("card_declined", language, "{number:digits}.")


@pytest.mark.parametrize("language", ["en-US", "es-MX"])
def test_a_language_that_is_read_needs_no_speaker(language: str):
    assert "T646" not in told("confirmation_number", language, "{number:digits}.")


# ---- amounts and keys

CARD = "You pay {amount:money} with {brand:brand} {last4:digits}. "
TARJETA = "Paga {amount:money} con {brand:brand} {last4:digits}. "


def test_an_amount_that_was_keyed_in_is_said_back():
    assert told("confirm_money", "en-US", "To confirm, press 1. To change it, press 2.") == ["T472"]
    assert told("confirm_money", "en-US", "{amount:money}: to confirm, press 1. To change it, press 2.") == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", f"{CARD}Do not press 1 unless you want to pay; press 2 for another card."),
        ("en-US", f"{CARD}Don't press 1 unless you want to pay. For another card, press 2."),
        ("es-MX", f"{TARJETA}No oprima 1 a menos que quiera pagar; oprima 2 para otra tarjeta."),
    ],
)
def test_not_unless_is_read_as_if(language: str, text: str):
    assert told("confirm_card", language, text) == []


@pytest.mark.parametrize(
    "text",
    [
        f"{CARD}Do not press 1 unless you want to cancel; press 2 to pay.",
        f"{CARD}Do not press 1 if you want to pay; press 2 for another card.",
    ],
)
def test_not_unless_with_its_keys_swapped_is_refused(text: str):
    assert "T514" in told("confirm_card", "en-US", text)
