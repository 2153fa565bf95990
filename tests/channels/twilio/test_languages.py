"""Languages that Twilio has no voice for are spoken by the nearest that it has."""

import pytest

from ivr.channels.twilio.languages import twilio_language
from ivr.channels.twilio.twiml import Writer
from ivr.core.actions import Phrase, Speak


@pytest.mark.parametrize(
    ("tag", "spoken"),
    [("es-419", "es-MX"), ("es-HN", "es-MX"), ("es-ES", "es-ES"), ("en-JM", "en-US"), ("en-GB", "en-GB"), ("fr-CA", "fr-CA")],
)  # fmt: skip
def test_a_language_is_spoken_by_a_voice_that_there_is(tag: str, spoken: str):
    assert twilio_language(tag) == spoken
    said = Writer(lambda _phrase: "hola").answer([Speak((Phrase("welcome", tag),))], "/x")
    assert f'<Say language="{spoken}">hola</Say>' in said


def test_words_that_begin_with_a_slash_are_said():
    said = Writer(lambda _phrase: "/24 hours").answer([Speak((Phrase("welcome", "en-US"),))], "/x")
    assert ">/24 hours</Say>" in said
    assert "<Play>" not in said
