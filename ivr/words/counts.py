"""Counts from two to ninety-nine that are written in words, in English and Spanish: as patterns for the lists of what is not so, and as
numbers. How a number is spoken is in `numerals`."""

from collections.abc import Iterator, Mapping

from ivr.words.choice_words import own_language

_ONES_EN = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS_EN = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS_EN = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ONES_ES = ("uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve")
_TEENS_ES = (
    *("diez", "once", "doce", "trece", "catorce", "quince", "dieciseis", "diecisiete", "dieciocho", "diecinueve"),
    *("veinte", "veintiuno", "veintidos", "veintitres", "veinticuatro", "veinticinco", "veintiseis", "veintisiete"),
    *("veintiocho", "veintinueve"),
)
_TENS_ES = ("treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa")
# Before a noun it is "un día" and "una semana"; many leave the accents out.
_UN = r"un(?:[oa])?"
COUNT_EN = rf"(?:(?:{'|'.join(_TENS_EN)})(?:[- ](?:{'|'.join(_ONES_EN)}))?|{'|'.join((*_ONES_EN[1:], *_TEENS_EN))})"
COUNT_ES = (
    rf"(?:(?:{'|'.join(_TENS_ES)})(?: y (?:{_UN}|{'|'.join(_ONES_ES[1:])}))?|veinti[úu]n(?:[oa])?|dieci(?:s[ée]is|siete|ocho|nueve)"
    rf"|veinti(?:d[óo]s|tr[ée]s|cuatro|cinco|s[ée]is|siete|ocho|nueve)|{'|'.join((*_ONES_ES[1:], *_TEENS_ES[:6], 'veinte'))})"
)
_PLAIN = str.maketrans({"é": "e", "ó": "o", "ú": "u", "-": " "})


def count_of(said: str, language: str) -> int | None:
    """The number that digits, a count in words or "a" stand for; None for other words ("a few") and other languages."""
    if said.isdecimal():
        return int(said)
    return _NUMBERS.get(own_language(language), {}).get(said.lower().translate(_PLAIN))


def _in_english() -> Iterator[tuple[str, int]]:
    yield from (("a", 1), ("an", 1))
    yield from ((word, number) for number, word in enumerate((*_ONES_EN, *_TEENS_EN), 1))
    for tens, word in enumerate(_TENS_EN, 2):
        yield word, 10 * tens
        yield from ((f"{word} {one}", 10 * tens + number) for number, one in enumerate(_ONES_EN, 1))


def _in_spanish() -> Iterator[tuple[str, int]]:
    yield from (("un", 1), ("una", 1), ("veintiun", 21), ("veintiuna", 21))
    yield from ((word, number) for number, word in enumerate((*_ONES_ES, *_TEENS_ES), 1))
    for tens, word in enumerate(_TENS_ES, 3):
        yield word, 10 * tens
        yield from ((f"{word} y {one}", 10 * tens + 1) for one in ("un", "una"))
        yield from ((f"{word} y {one}", 10 * tens + number) for number, one in enumerate(_ONES_ES, 1))


_NUMBERS: Mapping[str, Mapping[str, int]] = {"en": dict(_in_english()), "es": dict(_in_spanish())}
