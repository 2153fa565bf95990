"""How a phrase is cut into what is said in one breath."""

import pytest

from ivr.core.actions import Phrase
from ivr.core.events import Value
from ivr.core.money import Money
from ivr.voice.script import COMMA_MS, DIGIT_MS, GROUP_MS, JOIN_MS, STOP_MS, ScriptLine, lines_of
from ivr.words.phrases import Prompts


def lines(prompts: Prompts, name: str, language: str = "en-US", **values: Value) -> list[ScriptLine]:
    return lines_of(prompts.pieces(Phrase(name, language, tuple(values.items()))))


def test_a_sentence_keeps_its_melody_around_a_value(prompts: Prompts) -> None:
    said = lines(prompts, "pay_full_balance", due=Money(4250), key="1")
    assert [(line.words, line.pause_ms) for line in said] == [
        ("You owe,", JOIN_MS),
        ("forty-two dollars,", 0),
        ("and fifty cents,", COMMA_MS),
        ("to pay it, press,", JOIN_MS),
        ("one.", STOP_MS),
    ]


def test_digits_are_single_clips_so_no_clip_holds_an_account_number(prompts: Prompts) -> None:
    said = lines(prompts, "confirm_account_number", value="12345678")
    digits = [line for line in said if line.kind == "digits"]
    assert [line.words for line in digits] == ["one,", "two,", "three,", "four,", "five,", "six,", "seven,", "eight."]
    assert [line.pause_ms for line in digits] == [DIGIT_MS] * 3 + [GROUP_MS] + [DIGIT_MS] * 3 + [STOP_MS]


def test_each_line_names_the_recordings_that_say_the_same(prompts: Prompts) -> None:
    said = lines(prompts, "you_were_charged", "es-MX", amount=Money(12101))
    assert [line.recordings for line in said] == [
        ("you_were_charged.1",),
        ("numbers/100-and", "numbers/21-masculine", "units/currency-usd-other"),
        ("units/and", "numbers/1-masculine", "units/minor-usd-one"),
        ("you_were_charged.2",),
    ]


def test_a_comma_after_a_value_is_a_short_pause() -> None:
    prompts = Prompts({"en-US": {"p": "{count:number}, thank you"}})
    first = lines(prompts, "p", count=42)[0]
    assert (first.words, first.pause_ms) == ("forty-two,", COMMA_MS)


@pytest.mark.parametrize("language", ["en-US", "es-MX"])
def test_nothing_but_punctuation_is_never_spoken(prompts: Prompts, language: str) -> None:
    for name in prompts.names(language):
        for line in lines_of(prompts.fixed_pieces(language, name)):
            assert any(map(str.isalnum, line.words))
