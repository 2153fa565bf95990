"""What callers hear in each language: the shipped prompt files, and values said properly in them."""

import re
import unicodedata
from datetime import date, time
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ivr.core.actions import Phrase
from ivr.core.events import Value
from ivr.core.money import Money
from ivr.errors import FlowError
from ivr.flow.files import terms_of
from ivr.flow.prompts import ENGINE_PROMPTS
from ivr.words.phrases import Prompts
from ivr.words.prompt_check import read_prompts
from ivr.words.spoken import Speaker

FOLDER = Path(__file__).parents[2] / "flows" / "prompts"


@pytest.fixture(scope="module")
def prompts() -> Prompts:
    files = [(str(path), path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml"))]
    read, problems = read_prompts(files, terms_of())
    assert problems == []
    assert read is not None
    return read


def words(prompts: Prompts, name: str, language: str, **values: Value) -> str:
    return prompts.words(Phrase(name, language, tuple(values.items())))


def money(prompts: Prompts, language: str, minor: int, currency: str = "USD") -> str:
    return prompts.speaker(language).say("money", Money(minor, currency)).text


def pronounced(prompts: Prompts, language: str, kind: str, value: Value) -> str:
    return " ".join(sound.words for sound in prompts.speaker(language).say(kind, value).sounds)


def test_the_balance_is_told_in_both_languages(prompts: Prompts) -> None:
    said = {
        language: words(prompts, "pay_full_balance", language, due=Money(4250), key="1")
        for language in prompts.languages()
    }
    assert said == {
        "en-US": "You owe 42 dollars and 50 cents; to pay it, press 1.",
        "es-MX": "Debe 42 dólares con 50 centavos; para pagarlo, oprima 1.",
    }


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (Money(31, "XAF"), "treinta y un francos CFA de África Central"),
        (Money(21, "VND"), "veintiún dongs vietnamitas"),
        (Money(210000, "CLF"), "veintiuna unidades de fomento chilenas"),
    ],
    ids=str,
)
def test_currencies_with_odd_names_are_counted_in_their_gender(prompts: Prompts, amount: Money, said: str) -> None:
    assert pronounced(prompts, "es-MX", "money", amount) == said


def test_every_prompt_the_engine_speaks_is_there_in_every_language(prompts: Prompts) -> None:
    for language in prompts.languages():
        assert set(ENGINE_PROMPTS) <= prompts.names(language)
    assert prompts.missing() == {"en-US": [], "es-MX": []}


def test_the_done_and_clear_keys_are_named_in_the_callers_language(prompts: Prompts) -> None:
    english = words(prompts, "welcome", "en-US", done="pound", clear="star")
    spanish = words(prompts, "welcome", "es-MX", done="pound", clear="star")
    assert "Numbers end with pound; star clears" in english
    assert "gato termina, asterisco borra" in spanish


def test_keys_may_be_given_as_signs_too(prompts: Prompts) -> None:
    assert words(prompts, "welcome", "en-US", done="#", clear="*") == words(
        prompts, "welcome", "en-US", done="pound", clear="star"
    )


@pytest.mark.parametrize(
    ("minor", "currency", "english", "spanish"),
    [
        (100, "USD", "1 dollar", "1 dólar"),
        (101, "USD", "1 dollar and 1 cent", "1 dólar con 1 centavo"),
        (99, "USD", "99 cents", "99 centavos"),
        (0, "USD", "0 dollars", "0 dólares"),
        (123456, "USD", "1,234 dollars and 56 cents", "1,234 dólares con 56 centavos"),
        (2150, "MXN", "21 pesos and 50 centavos", "21 pesos con 50 centavos"),
        (200, "EUR", "2 euros", "2 euros"),
        (101, "GBP", "1 pound and 1 penny", "1 libra con 1 penique"),
        (500, "JPY", "500 Japanese yen", "500 yenes japoneses"),
        (250, "CHF", "2.50 Swiss francs", "2.50 francos suizos"),
        (2500, "KWD", "2.500 Kuwaiti dinars", "2.500 dinares kuwaitíes"),
    ],
)
def test_money_has_the_right_plural_and_the_right_cents(
    prompts: Prompts, minor: int, currency: str, english: str, spanish: str
) -> None:
    assert money(prompts, "en-US", minor, currency) == english
    assert money(prompts, "es-MX", minor, currency) == spanish


def test_spanish_shortens_one_before_what_is_counted(prompts: Prompts) -> None:
    assert pronounced(prompts, "es-MX", "money", Money(2101)) == "veintiún dólares con un centavo"
    assert pronounced(prompts, "es-MX", "money", Money(20100, "GBP")) == "doscientas una libras"
    assert pronounced(prompts, "es-MX", "number", 21) == "veintiuno"


def test_digits_are_said_one_by_one_and_long_ones_in_groups(prompts: Prompts) -> None:
    speaker = prompts.speaker("en-US")
    assert speaker.say("digits", "1111").text == "1, 1, 1, 1"
    assert speaker.say("digits", "12345678").text == "1, 2, 3, 4; 5, 6, 7, 8"
    assert speaker.say("digits", "414995").text == "4, 1, 4; 9, 9, 5"
    assert speaker.say("digits", "123456789").text == "1, 2, 3; 4, 5, 6; 7, 8, 9"
    assert speaker.say("digits", "1234567890").text == "1, 2, 3, 4; 5, 6, 7, 8; 9, 0"
    assert speaker.say("digits", "90210").text == "9, 0, 2, 1, 0"
    assert speaker.say("digits", "").text == ""
    assert speaker.say("digits", "A7").text == "A, 7"
    assert pronounced(prompts, "es-MX", "digits", "107") == "uno cero siete"


def test_dates_are_said_as_each_language_does(prompts: Prompts) -> None:
    assert prompts.speaker("en-US").say("date", "2026-03-31").text == "March 31, 2026"
    assert prompts.speaker("en-US").say("date", date(2026, 3, 31)).text == "March 31, 2026"
    assert prompts.speaker("es-MX").say("date", "2026-03-31").text == "31 de marzo de 2026"
    assert prompts.speaker("es-MX").say("weekday", date(2026, 3, 31)).text == "martes"
    assert prompts.speaker("es-MX").say("written", date(2026, 3, 31)).text == "31 mar 2026"
    assert pronounced(prompts, "en-US", "date", "2026-03-31") == "March thirty-first twenty twenty-six"
    assert pronounced(prompts, "es-MX", "date", "2026-12-01") == "primero de diciembre de dos mil veintiséis"


def test_times_are_said_as_each_language_does(prompts: Prompts) -> None:
    assert prompts.speaker("en-US").say("time", time(17, 30)).text == "5:30 PM"
    assert prompts.speaker("es-MX").say("time", time(17, 30)).text == "5:30 p.m."
    assert prompts.speaker("en-US").say("written", time(9)).text == "9:00 AM"


RECEIPT: dict[str, Any] = {
    **{"amount": Money(4250), "number": "A12345", "merchant": "Example Water", "paid_on": date(2026, 3, 31)},
    **{"brand": "visa", "last4": "1111", "paid_for": "12345678"},
}


@pytest.mark.parametrize("language", ["es-MX", "es-419", "es-US", "en-US", "en-CA", "en-AU", "pt-BR", "fr-CA", "de-DE"])
def test_a_sentence_that_ends_with_a_value_has_one_full_stop(language: str) -> None:
    texts = {"open": "{opens_at:time}. {merchant:text}. {opens_on:date}.", "more": "{opens_at:time}, {opens_at:time}"}
    prompts = Prompts({language: texts})
    values: dict[str, Value] = {"opens_at": "17:30", "merchant": "Acme Inc.", "opens_on": "2026-03-31"}
    said = words(prompts, "open", language, **values)
    assert ".." not in said
    assert said.endswith(".")
    assert "Acme Inc. " in said
    assert words(prompts, "more", language, **values).count("p.m.") in (0, 2)


def test_a_text_message_is_written_in_figures(prompts: Prompts) -> None:
    sent = words(prompts, "receipt_sms", "en-US", **RECEIPT)
    assert sent == (
        "Paid: $42.50 to Example Water for 12345678, Mar 31, 2026, Visa 1111. Confirmation number: A12345. Thank you."
    )


def test_a_text_message_has_no_letter_that_would_double_its_price(prompts: Prompts) -> None:
    # 3GPP TS 23.038: outside the GSM alphabet a message has 70 characters in place of 160.
    gsm_accents = set("éùìòÉÇÑñÜüàÄÖäö¿¡")
    for language in prompts.languages():
        sent = words(prompts, "receipt_sms", language, **RECEIPT)
        assert len(sent) <= 160
        assert {c for c in sent if not c.isascii()} <= gsm_accents | {"ó"}
        assert "\xa0" not in sent


def test_a_refused_card_is_never_told_which_field_was_wrong(prompts: Prompts) -> None:
    for language, fields in {"en-US": ("code", "number", "expir"), "es-MX": ("código", "número", "venc")}.items():
        assert not any(word in words(prompts, "card_declined", language) for word in fields)


def test_only_brand_last_four_and_amount_of_a_card_are_read_back(prompts: Prompts) -> None:
    for language in prompts.languages():
        assert {slot.name for slot in prompts.slots(language, "confirm_card")} == {"brand", "last4", "amount"}


def test_the_pieces_of_a_phrase_are_its_words(prompts: Prompts) -> None:
    phrase = Phrase("pay_full_balance", "en-US", (("due", Money(4200)), ("key", "1")))
    pieces = prompts.pieces(phrase)
    assert [(piece.kind, piece.text) for piece in pieces] == [
        ("literal", "You owe "),
        ("money", "42 dollars"),
        ("literal", "; to pay it, press "),
        ("key", "1"),
        ("literal", "."),
    ]
    assert [sound.recording for piece in pieces[:2] for sound in piece.sounds] == [
        "pay_full_balance.1",
        "numbers/42",
        "units/currency-usd-other",
    ]


def test_a_value_the_call_does_not_have_names_the_prompt(prompts: Prompts) -> None:
    with pytest.raises(FlowError, match="prompt 'pay_full_balance' \\(en-US\\) needs 'due'"):
        words(prompts, "pay_full_balance", "en-US", key="1")


def test_a_value_of_the_wrong_kind_is_not_quoted_in_the_error(prompts: Prompts) -> None:
    with pytest.raises(FlowError, match="'due' cannot be said as money") as raised:
        words(prompts, "pay_full_balance", "en-US", key="1", due="4111111111111111")
    assert "4111" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_an_unknown_prompt_or_language_is_an_error_with_a_cure(prompts: Prompts) -> None:
    with pytest.raises(FlowError, match="prompt 'no_such' is missing in en-US"):
        words(prompts, "no_such", "en-US")
    with pytest.raises(FlowError, match=r"add flows/prompts/fr-FR\.yaml"):
        words(prompts, "welcome", "fr-FR")


def test_a_language_without_words_for_numbers_still_says_money() -> None:
    french = Prompts({"fr-FR": {"due": "Vous devez {due:money}."}})
    phrase = Phrase("due", "fr-FR", (("due", Money(4200, "EUR")),))
    assert french.words(phrase) == "Vous devez 42 euros."
    assert [sound.recording for sound in french.pieces(phrase)[1].sounds] == [None, "units/currency-eur-other"]


@given(
    st.integers(1, 10**11),
    st.sampled_from(["USD", "JPY", "KWD", "CHF", "CLF"]),
    st.sampled_from([("en-US", "minus"), ("es-MX", "menos")]),
)
def test_a_credit_is_said_as_the_amount_with_a_minus(minor: int, currency: str, in_words: tuple[str, str]):
    language, minus = in_words
    speaker = Speaker(language, {})
    owed, credit = (speaker.say("money", Money(sign * minor, currency)) for sign in (1, -1))
    assert credit.text == f"{minus} {owed.text}"
    assert [sound.words for sound in credit.sounds] == [minus, *(sound.words for sound in owed.sounds)]


@given(
    st.integers(1, 10**11), st.sampled_from(["USD", "JPY", "KWD", "CHF"]), st.sampled_from(["en-US", "de-DE", "fr-CA"])
)
def test_a_credit_in_a_text_has_the_figures_of_the_amount(minor: int, currency: str, language: str):
    speaker = Speaker(language, {})
    owed, credit = (re.sub(r"[^0-9-]", "", speaker.written(Money(sign * minor, currency))) for sign in (1, -1))
    assert credit == f"-{owed}"


def test_a_credit_of_a_cent_is_a_cent(prompts: Prompts):
    assert money(prompts, "en-US", -1) == "minus 1 cent"
    assert money(prompts, "en-US", -250) == "minus 2 dollars and 50 cents"
    assert money(prompts, "es-MX", -250) == "menos 2 dólares con 50 centavos"
    assert Speaker("fr-CA", {}).say("money", Money(-250, "CAD")).text.startswith("-2,50 ")
    assert Speaker("ja-JP", {}).say("money", Money(-250, "JPY")).text.startswith("-250 ")
    assert pronounced(prompts, "en-US", "number", -5) == "minus five"


@pytest.mark.parametrize(
    ("language", "minor", "currency", "said"),
    [
        ("fr-FR", 100_000_000, "EUR", "1 000 000 d'euros"),
        ("fr-FR", 200_000_000, "USD", "2 000 000 de dollars des États-Unis"),
        ("fr-FR", 100_000_100, "EUR", "1 000 001 euros"),
        ("fr-FR", 50, "EUR", "0,50 euro"),
        ("fr-FR", 199, "EUR", "1,99 euro"),
        ("fr-FR", 250, "EUR", "2,50 euros"),
        ("fr-FR", 0, "EUR", "0 euro"),
        ("de-DE", 50, "EUR", "0,50 Euro"),
        ("it-IT", 100_000_000, "EUR", "1.000.000 di euro"),
        ("pt-BR", 100_000_000, "BRL", "1.000.000 de Reais brasileiros"),
        ("nl-NL", 150, "EUR", "1,50 euro"),
    ],
)
def test_other_languages_count_money_as_they_do(language: str, minor: int, currency: str, said: str):
    spoken = Speaker(language, {}).money(Money(minor, currency))
    assert unicodedata.normalize("NFKC", spoken.text) == said
