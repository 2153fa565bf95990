"""What a promise, plan or mandate says that is not so: an end, a payment left out, a sum that changes, a yes of whoever does nothing."""

import pytest

from ivr.words.consent import faults
from ivr.words.templates import read_template

MANDATE, PROMISE, PLAN = "confirm_mandate", "confirm_promise", "confirm_plan"
EN, ES = "en-US", "es-MX"
KEYS = {
    EN: " To agree, press 1. To choose again, press 2.",
    ES: " Para aceptar, oprima 1. Para elegir otra vez, oprima 2.",
}
COLLECT = "You allow us to collect {amount:money} each month"
COBRAR = "Usted permite cobrar {amount:money} cada mes"
PROMISED = "You promise to pay {amount:money} by {by:date}."
PARTS = "You will pay {amount:money} in {instalments:number} monthly parts of {instalment:money}."

NO_END = [
    (EN, f"{COLLECT} for twelve months."),
    (EN, f"{COLLECT} for a year."),
    (EN, "You allow us to collect {amount:money} in each of the next twelve months."),
    (EN, f"{COLLECT}, twelve times."),
    (EN, f"{COLLECT}, six payments in all."),
    (EN, f"{COLLECT} until December."),
    (EN, f"{COLLECT}; it ends after six months."),
    (ES, f"{COBRAR} durante doce meses."),
    (ES, f"{COBRAR} por un año."),
    (ES, f"{COBRAR} hasta diciembre."),
]
EACH_DUE = [
    (EN, f"{COLLECT}, this month only."),
    (EN, "You allow us to collect {amount:money} this month."),
    (EN, "You allow us to collect {amount:money} just this once, not each month."),
    (EN, f"{COLLECT}, the first three months free."),
    (EN, f"{COLLECT}. The first month is free."),
    (EN, f"{COLLECT}. Nothing for the first two months."),
    (ES, "Usted permite cobrar {amount:money} este mes."),
    (ES, f"{COBRAR}, solo este mes."),
    (ES, f"{COBRAR}. El primer mes es gratis."),
    (ES, f"{COBRAR}, los primeros tres meses gratis."),
]
ONLY_BY_KEY = [
    (EN, f"{PROMISED} Silence agrees."),
    (EN, f"{PROMISED} No answer means yes."),
    (EN, f"{PROMISED} By staying on the line you agree."),
    (EN, "If you say nothing, you agree to pay {amount:money} by {by:date}."),
    (EN, "You agree unless you press 2: {amount:money} by {by:date}."),
    (ES, "Usted promete pagar {amount:money} el {by:date}. El silencio acepta."),
    (ES, "Si no oprime nada, acepta pagar {amount:money} el {by:date}."),
]
ON_RECORD = [
    (EN, "You do not promise to pay {amount:money} by {by:date}."),
    (EN, f"{PROMISED} This is not a promise."),
    (EN, f"{PROMISED} It does not bind you."),
    (EN, f"{PROMISED} You need not keep it."),
    (ES, "Usted no promete pagar {amount:money} el {by:date}."),
    (ES, "Usted promete pagar {amount:money} el {by:date}. No es una promesa."),
]
AS_IT_IS = [
    (MANDATE, EN, f"{COLLECT}. The first collection is today."),
    (MANDATE, ES, f"{COBRAR}. El primer cobro es hoy."),
    (PROMISE, EN, "You promise to pay half of {amount:money} by {by:date}."),
    (PROMISE, EN, "You promise to pay twice {amount:money} by {by:date}."),
    (PROMISE, ES, "Usted promete pagar la mitad de {amount:money} el {by:date}."),
    (PLAN, EN, PARTS.replace("{instalment:money}.", "{instalment:money}, plus interest.")),
    (PLAN, EN, PARTS.replace("{instalment:money}.", "{instalment:money}, and a setup fee.")),
    (PLAN, EN, f"{PARTS} Interest is added."),
    (PROMISE, EN, "You promise to pay {amount:money} with ten percent interest by {by:date}."),
    (MANDATE, EN, f"{COLLECT}, plus tax."),
    (MANDATE, EN, "You allow us to collect what you owe each month, now {amount:money}."),
    (MANDATE, EN, f"{COLLECT}, and to raise it."),
    (PLAN, ES, "Pagará {amount:money} en {instalments:number} pagos mensuales de {instalment:money}, más intereses."),
    (MANDATE, ES, f"{COBRAR}, más IVA."),
]
ONE_PAYMENT = [
    (EN, "You promise to pay {amount:money} each week until {by:date}."),
    (EN, "Each month you promise to pay {amount:money}, until {by:date}."),
    (EN, "You promise to pay {amount:money} monthly, by {by:date}."),
    (ES, "Usted promete pagar {amount:money} cada semana hasta el {by:date}."),
    (EN, "You promise to pay {amount:money} by {by:date}, in two payments."),
    (EN, "You promise to pay {amount:money} in three monthly payments by {by:date}."),
    (EN, "You promise to pay {amount:money} by {by:date}, in weekly payments."),
    (EN, "You promise to pay part of {amount:money} by {by:date}."),
    (ES, "Usted promete pagar {amount:money} el {by:date}, en dos pagos."),
    (ES, "Usted promete pagar {amount:money} en partes iguales, el {by:date}."),
    (ES, "Usted promete pagar una parte de {amount:money} el {by:date}."),
]
LAST_DAY = [
    (EN, "You promise to pay {amount:money} after {by:date}."),
    (EN, "You promise to pay {amount:money} from {by:date} on."),
    (EN, "You promise to pay {amount:money}, but not before {by:date}."),
    (ES, "Usted promete pagar {amount:money} a partir del {by:date}."),
    (ES, "Usted promete pagar {amount:money} después del {by:date}."),
]
TRUE = [
    (MANDATE, EN, f"{COLLECT}. The first collection is on the first of the month, not today."),
    (MANDATE, EN, f"{COLLECT}. The first collection is not today."),
    (MANDATE, ES, f"{COBRAR}. El primer cobro no es hoy."),
    (PLAN, EN, f"{PARTS} You may pay the rest in a single payment at any time."),
    (PLAN, ES, "Pagará {amount:money} en partes mensuales. Puede pagar el resto en un solo pago cuando quiera."),
    (MANDATE, EN, f"{COLLECT}, until you call it off. You can pause it for a month."),
    (PROMISE, EN, "You promise to pay {amount:money} by {by:date}, in one payment."),
    (PROMISE, EN, "You promise to pay {amount:money} by {by:date}, or sooner in two payments."),
    (PROMISE, EN, f"{PROMISED} You may pay it in two payments, as long as all of it is paid by then."),
    (PROMISE, EN, "You promise to pay {amount:money}, behind in two payments, by {by:date}."),
    (PROMISE, EN, f"{PROMISED} Half of your balance was paid before."),
    (PROMISE, ES, "Usted promete pagar {amount:money} el {by:date}, en un solo pago."),
    (PROMISE, ES, "Usted promete pagar {amount:money} el {by:date}. Puede hacerlo en dos pagos si quiere."),
    (MANDATE, EN, f"{COLLECT}, until you call it off."),
    (MANDATE, EN, "Starting this month, you allow us to collect {amount:money} each month until you cancel."),
    (MANDATE, EN, f"{COLLECT} for your twelve months of insurance, until you call it off."),
    (MANDATE, EN, f"{COLLECT}, the first time this month."),
    (MANDATE, EN, f"In two weeks we begin: {COLLECT}."),
    (MANDATE, EN, "We collect {amount:money} once each month. You are free to call it off at any time."),
    (MANDATE, EN, f"{COLLECT}. You do not allow us to collect anything else."),
    (MANDATE, EN, f"{COLLECT}. The amount will not change."),
    (MANDATE, EN, f"{COLLECT}. It ends when you call it off."),
    (MANDATE, EN, f"{COLLECT}. Call us Monday until Friday to call it off."),
    (MANDATE, EN, f"{COLLECT}. If you do not allow us to collect {{amount:money}}, press 2."),
    (PROMISE, EN, f"{PROMISED} You do not have to pay today."),
    (PROMISE, EN, f"{PROMISED} You do not promise to pay more."),
    (PROMISE, EN, "You promise to pay {amount:money} this month, by {by:date}."),
    (PROMISE, EN, f"{PROMISED} If you do not answer, nothing is put on record."),
    (PROMISE, EN, f"{PROMISED} If you press nothing, we ask again."),
    (PLAN, EN, f"Over twelve months: {PARTS}"),
    (PLAN, EN, f"{PARTS} No interest is added."),
    (PLAN, EN, PARTS.replace("{instalment:money}.", "{instalment:money}, without interest or fees.")),
    (PLAN, EN, PARTS.replace("{instalment:money}.", "{instalment:money}, with interest included.")),
    (PROMISE, EN, f"{PROMISED} If you pay later, a late fee is added."),
    (PROMISE, EN, f"{PROMISED} After {{by:date}} we call you again."),
    (PROMISE, EN, "You promise to pay {amount:money} no later than {by:date}."),
    (PROMISE, EN, "You promise to pay your monthly bill of {amount:money} by {by:date}."),
    (MANDATE, EN, f"{COLLECT}. You can call us to raise it."),
    (MANDATE, EN, f"{COLLECT}. You cannot cancel online: call us."),
    (PROMISE, ES, "Usted promete pagar {amount:money} a más tardar el {by:date}."),
    (PLAN, ES, "Pagará {amount:money} en {instalments:number} pagos mensuales de {instalment:money}, sin intereses."),
    (MANDATE, ES, "Usted nos permite cobrar {amount:money} cada mes a partir de este mes, hasta que lo cancele."),
    (MANDATE, ES, "Usted nos permite cobrar {amount:money} una vez al mes."),
    (MANDATE, ES, "Si no permite cobrar {amount:money} cada mes, oprima 2."),
    (PROMISE, ES, "Usted promete pagar {amount:money} el {by:date}. Si no oprime nada, preguntamos otra vez."),
]


def told(prompt: str, language: str, text: str) -> list[tuple[str, str]]:
    found = faults(prompt, read_template(text + KEYS[language]), language)
    return [(one.rule.code, one.message.partition(", but ")[2]) for one in found]


@pytest.mark.parametrize(("language", "text"), NO_END)
def test_a_mandate_has_no_end(language: str, text: str):
    assert told(MANDATE, language, text) == [("T477", "a mandate has no end until it is called off")]


@pytest.mark.parametrize(("language", "text"), EACH_DUE)
def test_every_payment_of_a_mandate_is_due(language: str, text: str):
    assert told(MANDATE, language, text) == [("T477", "every payment is due, and each is alike")]


def test_every_payment_of_a_plan_is_due():
    assert told(PLAN, EN, f"{PARTS} The first payment is free.") == [
        ("T477", "every payment is due, and each is alike")
    ]


@pytest.mark.parametrize(("language", "text"), ONLY_BY_KEY)
def test_nobody_agrees_by_doing_nothing(language: str, text: str):
    assert told(PROMISE, language, text) == [("T477", "only key 1 agrees")]


@pytest.mark.parametrize(("language", "text"), ON_RECORD)
def test_what_goes_on_record_is_not_denied(language: str, text: str):
    assert told(PROMISE, language, text) == [("T477", "key 1 puts it on record")]


def test_an_amount_that_is_agreed_to_does_not_change():
    assert [code for code, _ in told(MANDATE, EN, f"{COLLECT}. The amount may change.")] == ["T477"]


@pytest.mark.parametrize(("prompt", "language", "text"), AS_IT_IS)
def test_nothing_is_added_to_what_is_agreed_to(prompt: str, language: str, text: str):
    but = "{amount} is agreed to as it is, and nothing is charged"
    assert told(prompt, language, text) == [("T477", but)]


@pytest.mark.parametrize(("language", "text"), ONE_PAYMENT)
def test_a_promise_is_of_one_payment(language: str, text: str):
    assert told(PROMISE, language, text) == [("T477", "a promise is of one payment")]


@pytest.mark.parametrize(("language", "text"), LAST_DAY)
def test_a_promise_is_kept_by_its_day_and_not_after_it(language: str, text: str):
    assert told(PROMISE, language, text) == [("T477", "{by} is the last day of it")]


def test_a_mandate_can_be_called_off():
    but = "a mandate has no end until it is called off"
    assert told(MANDATE, EN, f"{COLLECT}. You cannot call it off.") == [("T477", but)]
    assert told(MANDATE, ES, f"{COBRAR}. No lo puede cancelar.") == [("T477", but)]


@pytest.mark.parametrize(
    ("language", "keys"),
    [
        (EN, "To pay now, press 1. To choose again, press 2."),
        (ES, "Para pagar ahora, oprima 1. Para elegir, oprima 2."),
    ],
)
def test_key_1_of_an_agreement_pays_nothing(language: str, keys: str):
    promised = PROMISED if language == EN else "Usted promete pagar {amount:money} el {by:date}."
    (fault,) = faults(PROMISE, read_template(f"{promised} {keys}"), language)
    assert fault.message.endswith("but key 1 puts it on record, and nothing is paid")


@pytest.mark.parametrize(
    ("language", "keys", "codes"),
    [
        (EN, "To promise, press 1. To pay by card now, press 2.", []),
        (EN, "Press 1 to promise, 2 to pay now.", []),
        (EN, "To agree, press 1; to pay it all now with a card, press 2.", []),
        (EN, "If you would rather pay by card, press 2. To agree, press 1.", []),
        (ES, "Para prometer, oprima 1. Para pagar ahora con su tarjeta, oprima 2.", []),
        (EN, "To choose again, press 1. To pay {amount:money} by {by:date}, press 2.", ["T514"]),
        (EN, "To pay now and agree, press 2. To refuse, press 1.", ["T514"]),
        (EN, "To agree, press 2. To pay now, press 1.", ["T514", "T477"]),
        (ES, "Para pagar ahora, oprima 1. Para prometer, oprima 2.", ["T514", "T477"]),
    ],
)
def test_key_2_of_an_agreement_may_pay_in_place_of_it(language: str, keys: str, codes: list[str]):
    promised = PROMISED if language == EN else "Usted promete pagar {amount:money} el {by:date}."
    assert [one.rule.code for one in faults(PROMISE, read_template(f"{promised} {keys}"), language)] == codes


@pytest.mark.parametrize(("prompt", "language", "text"), TRUE)
def test_a_true_agreement_is_taken(prompt: str, language: str, text: str):
    assert told(prompt, language, text) == []
