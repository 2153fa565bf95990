"""A promise's time to pay and a plan's number of parts are those of the step, said by digits or in words."""

import pytest

from ivr.words.templates import read_template
from ivr.words.term_words import other_days, other_parts

EN, ES = "en-US", "es-MX"
OTHER_DAYS = [
    (EN, "You promise to pay {amount:money} within 30 days, by {by:date}.", "within 30 days"),
    (EN, "You promise to pay {amount:money} within thirty days, by {by:date}.", "within thirty days"),
    (
        EN,
        "You promise to pay {amount:money} within the next twenty-one days, by {by:date}.",
        "within the next twenty-one days",
    ),
    (EN, "You promise to pay {amount:money} by {by:date}, in thirteen days.", "in thirteen days"),
    (EN, "You promise to pay {amount:money} by {by:date}, fifteen days from today.", "fifteen days from today"),
    (EN, "You promise to pay {amount:money} in three weeks' time, by {by:date}.", "in three weeks"),
    (EN, "You promise to pay {amount:money} within a month, by {by:date}.", "within a month"),
    (EN, "Within ninety days you will pay {amount:money}, by {by:date}.", "Within ninety days"),
    (EN, "You promise to pay {amount:money} by {by:date}. You have forty-five days to pay.", "forty-five days"),
    (EN, "You promise to pay {amount:money} by {by:date}: within a week.", "within a week"),
    (EN, "You promise to pay {amount:money} by {by:date}. That is thirty days from now.", "thirty days from now"),
    (EN, "You promise to pay {amount:money} by {by:date}. You have a month.", "a month"),
    (EN, "You promise to pay {amount:money} by {by:date}, 30 days after this call.", "30 days after this call"),
    (EN, "Your promise: {amount:money} by {by:date}, not later than seven days.", "not later than seven days"),
    (EN, "You promise to pay {amount:money} by {by:date}. We give you thirty days to pay.", "thirty days"),
    (EN, "You promise to pay {amount:money} by {by:date}, giving you thirty days.", "thirty days"),
    (EN, "You promise to pay {amount:money} by {by:date}. That gives you a month.", "a month"),
    (EN, "You promise to pay {amount:money} by {by:date}. Payment is due within 30 days.", "within 30 days"),
    (EN, "You promise to pay {amount:money} by {by:date}. The due date is thirty days from today.", "thirty days"),
    (
        EN,
        "You promise to pay {amount:money} by {by:date}, 30 days from the date of this call.",
        "30 days from the date of this call",
    ),
    (ES, "Usted promete pagar {amount:money} el {by:date}. Tiene un plazo de 30 días para pagar.", "30 días"),
    (ES, "Usted promete pagar {amount:money} el {by:date}. El plazo es de treinta días.", "treinta días"),
    (ES, "Usted promete pagar {amount:money} el {by:date}. Le damos un mes.", "un mes"),
    (ES, "Usted promete pagar {amount:money} el {by:date}. El pago vence en treinta días.", "en treinta días"),
    (ES, "Usted promete pagar {amount:money} el {by:date}, de hoy en 30 días.", "de hoy en 30 días"),
    (ES, "Usted promete pagar {amount:money} el {by:date}. Tiene un mes.", "un mes"),
    (ES, "Usted promete pagar {amount:money} en 30 días, el {by:date}.", "en 30 días"),
    (ES, "Usted promete pagar {amount:money} dentro de treinta días, el {by:date}.", "dentro de treinta días"),
    (
        ES,
        "Usted promete pagar {amount:money} en un plazo de treinta y un días, el {by:date}.",
        "en un plazo de treinta y un días",
    ),
    (ES, "Usted promete pagar {amount:money} el {by:date}, en tres semanas.", "en tres semanas"),
    (ES, "En veintiún días usted promete pagar {amount:money}, el {by:date}.", "En veintiún días"),
    (ES, "Usted promete pagar {amount:money} el {by:date}. Tiene sesenta días para pagar.", "sesenta días"),
]
TRUE_OF_14_DAYS = [
    (EN, "You promise to pay {amount:money} by {by:date}."),
    (EN, "You promise to pay {amount:money} within 14 days, by {by:date}."),
    (EN, "You promise to pay {amount:money} within fourteen days, by {by:date}."),
    (EN, "You promise to pay {amount:money} within two weeks, by {by:date}."),
    (EN, "You promise to pay {amount:money} in a fortnight, by {by:date}."),
    (EN, "You promise to pay {amount:money} by {by:date}, 14 days from now."),
    (EN, "You promise to pay {amount:money} within ten business days, by {by:date}."),
    (EN, "You promise to pay {amount:money} by {by:date}. We will call you in two days."),
    (EN, "You promise to pay {amount:money} by {by:date}, and we write to you within three days."),
    (EN, "You promise to pay {amount:money} by {by:date}. If you do not pay within thirty days, a fee is due."),
    (EN, "You promise to pay {amount:money} by {by:date}. You have 30 days to call us about a mistake."),
    (EN, "You promise to pay {amount:money} by {by:date} for your thirty days of water."),
    (EN, "You promise to pay {amount:money} in a few days, by {by:date}."),
    (EN, "You promise to pay {amount:money} by {by:date}. You have two weeks."),
    (EN, "You promise to pay {amount:money} no later than 14 days from today, {by:date}."),
    (EN, "You promise to pay {amount:money} by {by:date}. Payments take up to five days to arrive."),
    (EN, "You promise to pay {amount:money} by {by:date}, ten days before your next bill."),
    (EN, "You promise to pay {amount:money} by {by:date}. We give you two weeks."),
    (EN, "You promise to pay {amount:money} by {by:date}. Payment is due within 14 days."),
    (EN, "You promise to pay {amount:money} by {by:date}. Your next payment is due in thirty days."),
    (EN, "You promise to pay {amount:money} by {by:date}. The law gives you thirty days to contest the fine."),
    (EN, "You promise to pay {amount:money} by {by:date}. Your insurer has thirty days to answer."),
    (EN, "You promise to pay {amount:money} by {by:date}. We give you thirty days to appeal."),
    (ES, "Usted promete pagar {amount:money} el {by:date}. Tiene un plazo de catorce días."),
    (ES, "Usted promete pagar {amount:money} el {by:date}. Tiene treinta días para impugnar la multa."),
    (ES, "Usted promete pagar {amount:money} el {by:date}. Su próximo pago vence en treinta días."),
    (ES, "Usted promete pagar {amount:money} el {by:date}."),
    (ES, "Usted promete pagar {amount:money} en catorce días, el {by:date}."),
    (ES, "Usted promete pagar {amount:money} en dos semanas, el {by:date}."),
    (ES, "Usted promete pagar {amount:money} en una quincena, el {by:date}."),
    (ES, "Usted promete pagar {amount:money} el {by:date}, y le llamamos en tres días."),
    (ES, "Usted promete pagar {amount:money} el {by:date}. Si no paga en treinta días, hay un recargo."),
]
OTHER_PARTS = [
    (
        EN,
        "You will pay {amount:money} in 6 monthly parts, {instalments:number} of {instalment:money}.",
        "in 6 monthly parts",
    ),
    (EN, "You will pay {amount:money} in six monthly parts of {instalment:money}.", "in six monthly parts"),
    (
        EN,
        "A plan of twenty-four payments: {amount:money} in {instalments:number} parts.",
        "plan of twenty-four payments",
    ),
    (ES, "Pagará {amount:money} en seis pagos mensuales de {instalment:money}.", "en seis pagos"),
    (ES, "Un plan de veinticuatro pagos de {instalment:money}.", "plan de veinticuatro pagos"),
    (EN, "Six monthly payments of {instalment:money}, {amount:money} in all.", "Six monthly payments"),
    (EN, "You pay {instalment:money} each month for six months, {amount:money} in all.", "for six months"),
    (EN, "You will pay {amount:money} over six months, {instalment:money} each month.", "over six months"),
    (ES, "Seis pagos mensuales de {instalment:money}, {amount:money} en total.", "Seis pagos mensuales"),
    (ES, "Pagará {amount:money} durante seis meses, {instalment:money} cada mes.", "durante seis meses"),
]
TRUE_OF_3_PARTS = [
    (EN, "You will pay {amount:money} in {instalments:number} monthly parts of {instalment:money}."),
    (EN, "You will pay {amount:money} in three monthly parts of {instalment:money}."),
    (EN, "You will pay {amount:money} in 3 payments of {instalment:money}."),
    (EN, "A plan of three payments, the last two payments in June and July."),
    (EN, "If you are late in two payments, we call you."),
    (EN, "Three monthly payments of {instalment:money}, {amount:money} in all."),
    (EN, "You pay {instalment:money} each month for three months, {amount:money} in all."),
    (EN, "{amount:money} for twelve months of insurance, in {instalments:number} parts of {instalment:money}."),
    (EN, "Your membership of {amount:money} for six months, in {instalments:number} parts of {instalment:money}."),
    (EN, "You pay {amount:money} over thirteen weeks, {instalment:money} each month."),
    (EN, "This plan replaces your earlier plan of six payments."),
    (EN, "You can make two payments at once."),
    (ES, "Paga {instalment:money} cada mes durante tres meses, {amount:money} en total."),
    (ES, "Su recibo de seis meses de agua, {amount:money}, en {instalments:number} partes de {instalment:money}."),
    (ES, "Pagará {amount:money} en tres pagos mensuales de {instalment:money}."),
    (ES, "Si se atrasa en dos pagos, le llamamos."),
]


@pytest.mark.parametrize(("language", "text", "said"), OTHER_DAYS)
def test_another_time_to_pay_than_fourteen_days_is_found(language: str, text: str, said: str):
    assert other_days(read_template(text), 14, language) == said


@pytest.mark.parametrize(("language", "text"), TRUE_OF_14_DAYS)
def test_fourteen_days_however_they_are_said_are_taken(language: str, text: str):
    assert other_days(read_template(text), 14, language) == ""


@pytest.mark.parametrize("within", [28, 30, 31])
def test_a_month_has_so_many_days_as_months_have(within: int):
    text = "You promise to pay {amount:money} within one month, by {by:date}."
    assert other_days(read_template(text), within, EN) == ""


@pytest.mark.parametrize(("language", "text", "said"), OTHER_PARTS)
def test_another_number_of_parts_than_three_is_found(language: str, text: str, said: str):
    assert other_parts(read_template(text), 3, language, "month") == said


@pytest.mark.parametrize(("language", "text"), TRUE_OF_3_PARTS)
def test_three_parts_however_they_are_said_are_taken(language: str, text: str):
    assert other_parts(read_template(text), 3, language, "month") == ""


def test_a_language_that_is_not_read_says_nothing_else():
    template = read_template("Sie zahlen {amount:money} binnen 30 Tagen in 6 Raten.")
    assert (other_days(template, 14, "de-DE"), other_parts(template, 3, "de-DE")) == ("", "")
