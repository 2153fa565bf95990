"""A promise may say what becomes of it once its day has passed unpaid; what is promised stays as it is."""

import pytest

from ivr.words.consent import faults
from ivr.words.templates import read_template

EN, ES = "en-US", "es-MX"
PROMISED = {
    EN: "You promise to pay {amount:money} by {by:date}.",
    ES: "Usted promete pagar {amount:money} el {by:date}.",
}
KEYS = {EN: "To agree, press 1. To choose again, press 2.", ES: "Para aceptar, oprima 1. Para elegir, oprima 2."}
NOT_KEPT = [
    (EN, "The fine rises after 28 days if it is not paid."),
    (EN, "The fine goes up after that day."),
    (EN, "After that day the fine goes up by 25 dollars."),
    (EN, "The fine increases by fifty percent if it isn't paid by then."),
    (EN, "Unless you pay by then, your penalty increases by ten dollars."),
    (EN, "A fee is added if you do not pay by then."),
    (EN, "Interest is added if it is late."),
    (EN, "If you break it, the amount may rise."),
    (ES, "La multa sube después de ese día."),
    (ES, "La multa aumenta con recargos si no la paga antes."),
    (ES, "Los intereses no incluidos se suman si paga tarde."),
]
KEPT = [
    (EN, "The amount may rise."),
    (EN, "The amount may rise if we check your bill."),
    (EN, "When it is paid, tax is added."),
    (EN, "If you pay by card, a fee is added."),
    (EN, "After this call, interest is added."),
    (EN, "Interest is charged on it."),
    (ES, "El importe puede subir."),
    (ES, "Si usted paga con tarjeta, impuestos aparte."),
]


def codes(prompt: str, language: str, text: str) -> list[str]:
    return [one.rule.code for one in faults(prompt, read_template(f"{text} {KEYS[language]}"), language)]


@pytest.mark.parametrize(("language", "text"), NOT_KEPT)
def test_what_a_broken_promise_costs_may_be_said(language: str, text: str):
    assert codes("confirm_promise", language, f"{PROMISED[language]} {text}") == []


@pytest.mark.parametrize(("language", "text"), KEPT)
def test_what_a_kept_promise_would_cost_more_may_not(language: str, text: str):
    assert codes("confirm_promise", language, f"{PROMISED[language]} {text}") == ["T477"]


def test_the_sum_that_is_promised_is_not_another_for_who_is_late():
    text = "You promise to pay {amount:money} plus interest if you do not pay by {by:date}."
    assert codes("confirm_promise", EN, text) == ["T477"]


def test_a_plan_is_for_its_sum_late_or_not():
    text = "You will pay {amount:money} in {instalments:number} monthly parts. If a part is late, the amount may rise."
    assert codes("confirm_plan", EN, text) == ["T477"]
