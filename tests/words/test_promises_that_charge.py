"""A promise keeps no card and charges none: words that say so are refused, "you pay then" is taken."""

import pytest

from ivr.words.consent import faults
from ivr.words.templates import read_template

EN, ES = "en-US", "es-MX"
PROMISED = {
    EN: "You promise to pay {amount:money} by {by:date}.",
    ES: "Usted promete pagar {amount:money} el {by:date}.",
}
KEYS = {EN: "To agree, press 1. To choose again, press 2.", ES: "Para aceptar, oprima 1. Para elegir, oprima 2."}
CHARGES = [
    (EN, "Your card is charged then."),
    (EN, "Your card is charged on that day."),
    (EN, "Your card will be charged on {by:date}."),
    (EN, "Your credit card will then be charged."),
    (EN, "Then the card is charged automatically."),
    (EN, "The card you used last is kept, and that card is charged."),
    (EN, "If you do not pay by then, your card is charged."),
    (EN, "We charge your card then."),
    (EN, "We will charge your card on {by:date}."),
    (EN, "On that day we'll charge it."),
    (EN, "We will then debit your bank account."),
    (EN, "We take the money from your card on that day."),
    (EN, "We will take it on {by:date}."),
    (EN, "You will be charged on {by:date}."),
    (EN, "You are charged then."),
    (EN, "{amount:money} will be charged to your card on {by:date}."),
    (EN, "The amount is taken from your card then."),
    (EN, "We keep your card until that day."),
    (EN, "Your card pays it on {by:date}."),
    (EN, "There will be a charge to your card on {by:date}."),
    (EN, "We'll put it on your card on that day."),
    (EN, "The money leaves your account on that day."),
    (EN, "We debit your account on {by:date}."),
    (EN, "The card you paid with last time will be billed."),
    (EN, "We will process your card on {by:date}."),
    (EN, "It comes off your card then."),
    (EN, "Your bank is debited then."),
    (EN, "We'll bill your Visa then."),
    (EN, "Payment will be taken automatically on {by:date}."),
    (EN, "It is paid from your card automatically."),
    (EN, "Your saved card will be used on that day."),
    (EN, "We hold on to your card until then."),
    (EN, "Autopay takes it on {by:date}."),
    (EN, "Your card details are stored for that day."),
    (EN, "Our system will charge your card then."),
    (EN, "The city charges your card on that day."),
    (EN, "You authorize us to charge your card on {by:date}."),
    (EN, "You give us permission to debit your account on {by:date}."),
    (EN, "The card on file will be charged."),
    (EN, "The card we have on file pays it."),
    (EN, "Your payment method on file is billed on that day."),
    (EN, "The payment will then be drafted from your checking account."),
    (EN, "We will draft your account on {by:date}."),
    (EN, "It will be billed to your card."),
    (EN, "An automatic payment is set for {by:date}."),
    (EN, "Your payment is automatic on that day."),
    (EN, "On that day we bill you automatically."),
    (EN, "It goes on autopay."),
    (EN, "Your payment is scheduled for {by:date} with your card."),
    (EN, "We schedule the charge for {by:date}."),
    (EN, "A charge will appear on your card that day."),
    (ES, "La clínica cobrará a su tarjeta ese día."),
    (ES, "Usted autoriza que se cobre a su tarjeta el {by:date}."),
    (ES, "Usted nos permite cobrar su tarjeta ese día."),
    (ES, "El pago se tomará de su tarjeta ese día."),
    (ES, "Tomaremos el pago de su tarjeta ese día."),
    (ES, "El pago es automático ese día."),
    (ES, "El pago se hará automáticamente ese día."),
    (ES, "La tarjeta que tenemos registrada se cobrará ese día."),
    (ES, "Conservamos los datos de su tarjeta."),
    (ES, "Se cargará a su cuenta ese día."),
    (ES, "Ese día se cobra a su tarjeta."),
    (ES, "Su tarjeta se cobrará ese día."),
    (ES, "Su tarjeta será cobrada el {by:date}."),
    (ES, "Ese día le cobramos."),
    (ES, "Cobraremos a su tarjeta el {by:date}."),
    (ES, "Ese día se le cobrará {amount:money}."),
    (ES, "El {by:date} se cargan {amount:money} a su tarjeta."),
    (ES, "Guardamos su tarjeta hasta ese día."),
    (ES, "Ese día vamos a cargar su tarjeta."),
]
CHARGES_NOTHING = [
    (EN, "You pay then."),
    (EN, "You pay by card on that day."),
    (EN, "No card is charged."),
    (EN, "Your card is not charged."),
    (EN, "Your card will not be charged on that day: you call and pay."),
    (EN, "We do not charge your card then."),
    (EN, "We never keep your card."),
    (EN, "Nothing is charged to your card."),
    (EN, "None of it is charged today."),
    (EN, "You are charged nothing by it."),
    (EN, "Your card is charged only when you call and pay."),
    (EN, "Once you call us, your card is charged."),
    (EN, "If you pay later, you are charged a late fee."),
    (EN, "We may charge you interest if it is late."),
    (EN, "You can make a payment with your card at any time."),
    (EN, "Have your card ready then."),
    (EN, "It is taken as a promise."),
    (EN, "You will be billed as ever."),
    (EN, "Your account is charged no interest until then."),
    (EN, "Your account will be kept open."),
    (EN, "There is no autopay."),
    (EN, "Your card is used for nothing."),
    (EN, "Your card details are never stored."),
    (EN, "We hold your place, and keep a record of it."),
    (EN, "Your payment goes to the clinic."),
    (EN, "The money stays in your account until you pay."),
    (EN, "Your bank can pay it for you."),
    (EN, "Your card is charged when you pay, not before."),
    (EN, "Payment is made by you, on our website."),
    (EN, "Your card will only be charged when you make the payment."),
    (EN, "If you would like it, your card is charged in place of that."),
    (EN, "You may set up autopay on our website."),
    (EN, "If you have autopay, it will not run before that day."),
    (EN, "Your autopay is paused until then."),
    (EN, "Please turn off autopay before then."),
    (EN, "Automatic payments are set up on our website."),
    (EN, "We do not take automatic payments."),
    (EN, "Your payment can be taken by phone on any day."),
    (EN, "Your payment is taken at our office or online."),
    (EN, "Your payment can be made with your card on our website."),
    (EN, "You do not authorize us to charge your card."),
    (EN, "You can let us charge your card on any day by a call to us."),
    (EN, "Nobody charges your card."),
    (EN, "Our office doesn't charge your card."),
    (EN, "Our office will never charge your card on that day."),
    (EN, "Your bank may charge your card a fee."),
    (EN, "The city will charge a late fee."),
    (EN, "The card on file is not used."),
    (EN, "Any payment method is fine."),
    (EN, "We bill your insurance first."),
    (EN, "You can schedule your payment on our website."),
    (ES, "No se cargará nada a su cuenta."),
    (ES, "Se carga a su cuenta un recargo por mora."),
    (ES, "Usted paga ese día."),
    (ES, "No se cobra nada a su tarjeta."),
    (ES, "No le cobramos nada hoy."),
    (ES, "Su tarjeta no se cobra."),
    (ES, "No guardamos su tarjeta."),
    (ES, "Si paga después, se cobra un recargo."),
    (ES, "Cuando usted llame, se cobra a su tarjeta."),
    (ES, "Puede pagar con su tarjeta ese día."),
    (ES, "Nadie cobra a su tarjeta."),
    (ES, "No se hace ningún cargo a su tarjeta hoy."),
    (ES, "La clínica no cobra a su tarjeta."),
    (ES, "La ciudad cobra un recargo por mora."),
    (ES, "Su banco puede cobrar a su tarjeta una comisión."),
    (ES, "Cobramos por teléfono, en línea o en la oficina."),
    (ES, "El pago no es automático."),
    (ES, "Puede usar el pago automático en nuestro sitio."),
]


def told(prompt: str, language: str, text: str) -> list[tuple[str, str]]:
    found = faults(prompt, read_template(f"{text} {KEYS[language]}"), language)
    return [(one.rule.code, one.message.partition(", but ")[2]) for one in found]


@pytest.mark.parametrize(("language", "text"), CHARGES)
def test_a_promise_that_says_a_card_is_charged_is_refused(language: str, text: str):
    but = "no card is kept or charged by a promise"
    assert told("confirm_promise", language, f"{PROMISED[language]} {text}") == [("T477", but)]


@pytest.mark.parametrize(("language", "text"), CHARGES_NOTHING)
def test_a_promise_that_charges_nothing_is_taken(language: str, text: str):
    assert told("confirm_promise", language, f"{PROMISED[language]} {text}") == []


def test_a_mandate_may_say_what_the_merchant_collects_by_other_means():
    text = "You allow us to charge your card {amount:money} each month, until you call it off."
    assert told("confirm_mandate", EN, text) == []
