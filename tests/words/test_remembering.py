"""A consent to be remembered is taken however it is honestly put, and refused where key 1 does something else."""

import pytest

from ivr.words.consent import faults
from ivr.words.remembering_words import names_language
from ivr.words.templates import read_template
from tests.words.remembering_table import REFUSES_EN, REFUSES_ES, REMEMBERS_EN, REMEMBERS_ES


def told(text: str, language: str) -> list[str]:
    return [one.message for one in faults("confirm_remember", read_template(text), language)]


@pytest.mark.parametrize(
    ("text", "language"), [*((text, "en-US") for text in REMEMBERS_EN), *((text, "es-MX") for text in REMEMBERS_ES)]
)
def test_an_honest_consent_to_be_remembered_is_taken(text: str, language: str):
    assert told(text, language) == []


@pytest.mark.parametrize(
    ("text", "language"), [*((text, "en-US") for text in REFUSES_EN), *((text, "es-MX") for text in REFUSES_ES)]
)
def test_what_is_no_consent_to_be_remembered_is_refused(text: str, language: str):
    assert told(text, language)


@pytest.mark.parametrize(
    ("text", "language", "does"),
    [
        ("May we remember your language?", "en-US", True),
        ("May we remember you?", "en-US", False),
        ("¿Podemos recordar su idioma?", "es-MX", True),
        ("¿Podemos recordar su cuenta?", "es-MX", False),
        ("Dürfen wir uns an Sie erinnern?", "de-DE", True),
    ],
)
def test_the_words_name_the_language_where_their_own_is_read(text: str, language: str, does: bool):
    assert names_language(text, language) is does
