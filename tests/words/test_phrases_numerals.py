"""Numbers in words and in recorded pieces, against plain rules of each language."""

import pytest

from ivr.words.numerals import all_number_sounds, number_sounds


def said(number: int, language: str, noun: str = "") -> str:
    return " ".join(sound.words for sound in number_sounds(number, language, noun))


@pytest.mark.parametrize(
    ("number", "english", "spanish"),
    [
        (0, "zero", "cero"),
        (16, "sixteen", "dieciséis"),
        (22, "twenty-two", "veintidós"),
        (40, "forty", "cuarenta"),
        (100, "one hundred", "cien"),
        (101, "one hundred one", "ciento uno"),
        (555, "five hundred fifty-five", "quinientos cincuenta y cinco"),
        (1000, "one thousand", "mil"),
        (2026, "two thousand twenty-six", "dos mil veintiséis"),
        (21_121, "twenty-one thousand one hundred twenty-one", "veintiún mil ciento veintiuno"),
        (100_000, "one hundred thousand", "cien mil"),
        (999_999, "nine hundred ninety-nine thousand nine hundred ninety-nine", None),
    ],
)
def test_numbers_in_words(number: int, english: str, spanish: str | None) -> None:
    assert said(number, "en-US") == english
    assert spanish is None or said(number, "es-MX") == spanish


def test_what_is_counted_decides_the_spanish_ending() -> None:
    assert said(31, "es-MX", "dólares") == "treinta y un dólares".removesuffix(" dólares")
    assert said(31, "es-MX", "libras esterlinas") == "treinta y una"
    assert said(500, "es-MX", "libras") == "quinientas"
    assert said(11, "es-MX", "dólares") == "once"


def test_no_two_numbers_sound_the_same() -> None:
    for language in ("en-US", "es-MX"):
        assert len({said(number, language) for number in range(10_000)}) == 10_000


def test_a_full_set_of_recordings_says_every_number() -> None:
    for language in ("en-US", "es-MX"):
        full = {sound.recording: sound.words for sound in all_number_sounds(language, feminine=True)}
        for noun in ("", "pesos", "libras"):
            for number in (*range(2_200), 21_000, 121_121, 701_951, 999_999):
                for sound in number_sounds(number, language, noun):
                    assert full[sound.recording] == sound.words


def test_a_number_beyond_words_is_left_to_the_voice() -> None:
    assert number_sounds(10**12, "en-US")[0].recording is None
    assert said(7, "fr-FR") == "7"


def test_feminine_numbers_are_asked_for_only_where_a_currency_needs_them() -> None:
    plain, both = (all_number_sounds("es-MX", feminine=feminine) for feminine in (False, True))
    assert not any("feminine" in str(sound.recording) for sound in plain)
    assert set(plain) < set(both)
