"""Counts that are written in words are read as those in digits are, in English and Spanish."""

import re

import pytest

from ivr.words.consent import faults
from ivr.words.counts import COUNT_EN, COUNT_ES, count_of
from ivr.words.numerals import number_sounds
from ivr.words.rhythm_words import other_rhythm
from ivr.words.templates import read_template

KEYS = {
    "en-US": "To agree, press 1. To choose again, press 2.",
    "es-MX": "Para aceptar, oprima 1. Para elegir, oprima 2.",
}
PAY = {"en-US": "press 1 to pay, 2 for another card.", "es-MX": "oprima 1 para pagar, 2 para otra tarjeta."}
CARD = {
    "en-US": "{amount:money} with {brand:brand} {last4:digits}",
    "es-MX": "{amount:money} con {brand:brand} {last4:digits}",
}


@pytest.mark.parametrize(("language", "pattern"), [("en-US", COUNT_EN), ("es-MX", COUNT_ES)])
@pytest.mark.parametrize("noun", ["", "peso", "libra"])
def test_every_count_is_read_as_it_is_spoken(language: str, pattern: str, noun: str):
    spoken = {n: " ".join(sound.words for sound in number_sounds(n, language, noun)) for n in range(2, 100)}
    assert {n: count_of(words, language) for n, words in spoken.items()} == {n: n for n in spoken}
    assert [words for words in spoken.values() if not re.fullmatch(pattern, words)] == []


@pytest.mark.parametrize(
    ("said", "language", "number"),
    [
        ("Twenty-One", "en-US", 21),
        ("ninety nine", "en-US", 99),
        ("30", "en-US", 30),
        ("a", "en-US", 1),
        ("a few", "en-US", None),
        ("dieciseis", "es-MX", 16),
        ("treinta y un", "es-MX", 31),
        ("trente", "fr-FR", None),
    ],
)
def test_a_count_is_read_however_it_is_written(said: str, language: str, number: int | None):
    assert count_of(said, language) == number


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", "You allow us to collect {amount:money} each month for fourteen months."),
        ("en-US", "You allow us to collect {amount:money} each month for forty-eight months."),
        ("en-US", "You allow us to collect {amount:money} each month, sixty payments in all."),
        ("es-MX", "Usted permite cobrar {amount:money} cada mes durante catorce meses."),
        ("es-MX", "Usted permite cobrar {amount:money} cada mes durante treinta y seis meses."),
    ],
)
def test_an_end_of_a_mandate_is_found_by_its_count_in_words(language: str, text: str):
    found = faults("confirm_mandate", read_template(f"{text} {KEYS[language]}"), language)
    assert [one.rule.code for one in found] == ["T477"]


@pytest.mark.parametrize(
    ("language", "beside"),
    [
        ("en-US", "in forty-five days"),
        ("en-US", "in fifteen payments"),
        ("en-US", "in twenty-one days"),
        ("en-US", "within fourteen days"),
        ("es-MX", "en catorce pagos"),
        ("es-MX", "en cuarenta y cinco días"),
    ],
)
def test_another_charge_is_found_by_its_count_in_words(language: str, beside: str):
    found = faults("confirm_card", read_template(f"{CARD[language]} {beside}: {PAY[language]}"), language)
    assert [one.rule.code for one in found] == ["T471"]


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("en-US", "You pay every five weeks.", "every five weeks"),
        ("en-US", "You pay four times a month.", "four times a month"),
        ("es-MX", "Usted paga cada cinco semanas.", "cada cinco semanas"),
        ("es-MX", "Usted paga cuatro veces al mes.", "cuatro veces al mes"),
        ("en-US", "You pay once a month.", ""),
        ("es-MX", "Usted paga cada mes.", ""),
    ],
)
def test_another_rhythm_is_found_by_its_count_in_words(language: str, text: str, said: str):
    assert other_rhythm(read_template(text), "month", language) == said


@pytest.mark.parametrize(
    ("prompt", "language", "text"),
    [
        (
            "confirm_mandate",
            "en-US",
            "You allow us to collect {amount:money} each month for your thirty months of cover.",
        ),
        ("confirm_plan", "en-US", "You will pay {amount:money} in {instalments:number} parts of {instalment:money}."),
        ("confirm_mandate", "es-MX", "Usted permite cobrar {amount:money} cada mes, hasta que lo cancele."),
    ],
)
def test_a_count_of_something_else_is_taken(prompt: str, language: str, text: str):
    assert faults(prompt, read_template(f"{text} {KEYS[language]}"), language) == ()
