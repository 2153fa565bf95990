"""A name that no value has is told with the value, or the word, that was probably meant."""

import pytest

from ivr.flow.expressions import read_expression
from ivr.flow.parts import Formula
from ivr.flow.value_names import meant_by, unknown_names
from ivr.flow.value_types import GIVEN

MEANT = {
    "language = en": "did you mean en-US?",
    "language = de": "did you mean de-DE?",
    "language = fr": "did you mean fr-FR?",
    "language != ja": "did you mean ja-JP?",
    "es = language": "did you mean es-MX?",  # the flow speaks it
    "language in [es, en-US]": "did you mean es-MX?",
    "language = en-us": "did you mean en-US?",
    "language = pt": "a condition names a language with its region: write pt-BR here and in 'languages'",
    "weekday = mon": "write 'monday'",
    "open = true": "write 'yes'",
    "todya > 2026-12-31": "did you mean 'today'?",
}


@pytest.mark.parametrize("text", MEANT)
def test_what_was_meant_is_told_once(text: str):
    formula = Formula((), text, "yes_no")
    (unknown,) = unknown_names(read_expression(text), text, GIVEN)
    assert meant_by(unknown, formula, GIVEN, ("es-MX", "pt")) == MEANT[text]


def test_a_word_that_is_also_a_languages_code_is_none_where_no_language_is_compared():
    text = "bill.due > de"
    (unknown,) = unknown_names(read_expression(text), text, GIVEN)
    assert "de-DE" not in meant_by(unknown, Formula((), text, "yes_no"), GIVEN, ())
