"""Whole numbers in words, cut into the pieces a person would record once; currencies and dates are in `spoken`.

English and Spanish are known. A number in another language is one piece written in figures, left to the voice to read.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

LARGEST_IN_WORDS = 999_999_999_999
_MILLION = 1_000_000


@dataclass(frozen=True)
class Sound:
    """Some words, and the recording below the language's audio folder that says them (None: never recorded)."""

    words: str
    recording: str | None = None


def number_sounds(number: int, language: str, noun: str = "") -> tuple[Sound, ...]:
    """`noun` is what is counted, by its own name: Spanish says `veintiún dólares` but `veintiuna libras`."""
    speak = _LANGUAGES.get(language.partition("-")[0])
    if speak is None or abs(number) > LARGEST_IN_WORDS:
        return (Sound(str(number)),)
    if number < 0:
        return (Sound(minus_word(language)), *speak(-number, noun))
    return tuple(speak(number, noun))


def all_number_sounds(language: str, *, feminine: bool = False) -> tuple[Sound, ...]:
    """Every piece of a full set of recorded numbers, in the order one would read them; with what `libras` needs too."""
    speak = _LANGUAGES.get(language.partition("-")[0])
    if speak is None:
        return ()
    numbers = (*range(100), *range(100, 1000, 100), 101, 1000, _MILLION, 2 * _MILLION, 1000 * _MILLION)
    nouns = ("", "peso", *(("libra",) if feminine else ()))
    return tuple(dict.fromkeys(sound for noun in nouns for number in numbers for sound in speak(number, noun)))


_OF_MILLIONS = {"es": "de", "fr": "de", "pt": "de", "it": "di"}


def before_noun(number: int, language: str, noun: str = "") -> Sound | None:
    """What stands between a number and what it counts: `un millón de pesos`, `un million d'euros`."""
    own = language.partition("-")[0]
    if own not in _OF_MILLIONS or not number or number % _MILLION:
        return None
    if own == "fr" and noun[:1].lower() in "aeiouéèêh":
        return Sound("d'", None)
    return Sound(_OF_MILLIONS[own], "dates/of" if own == "es" else None)


def minus_word(language: str) -> str:
    """ "" where a number below nought is left to the voice."""
    return _MINUS.get(language.partition("-")[0], "")


def has_number_words(language: str) -> bool:
    return language.partition("-")[0] in _LANGUAGES


# ---- English

_EN_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_EN_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


_EN_GROUPS = ((1000 * _MILLION, "billion"), (_MILLION, "million"), (1000, "thousand"))


def _english(number: int, _noun: str) -> Iterator[Sound]:
    rest = number
    for size, name in _EN_GROUPS:
        count, rest = divmod(rest, size)
        if count:
            yield from _english_below_1000(count)
            yield Sound(name, f"numbers/{name}")
    if rest or not number:
        yield from _english_below_1000(rest)


def _english_below_1000(number: int) -> Iterator[Sound]:
    hundreds, rest = divmod(number, 100)
    if hundreds:
        yield Sound(f"{_EN_SMALL[hundreds]} hundred", f"numbers/{hundreds}00")
    if rest or not hundreds:
        yield Sound(english_below_100(rest), f"numbers/{rest}")


def english_below_100(number: int) -> str:
    if number < 20:
        return _EN_SMALL[number]
    tens, ones = divmod(number, 10)
    return _EN_TENS[tens] + (f"-{_EN_SMALL[ones]}" if ones else "")


# ---- Spanish

_ES_SMALL = (
    *("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"),
    *("trece", "catorce", "quince", "dieciséis", "diecisiete", "dieciocho", "diecinueve", "veinte", "veintiuno"),
    *("veintidós", "veintitrés", "veinticuatro", "veinticinco", "veintiséis", "veintisiete", "veintiocho"),
    "veintinueve",
)
_ES_TENS = ("", "", "", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa")
_ES_HUNDREDS = (
    *("", "ciento", "doscientos", "trescientos", "cuatrocientos", "quinientos", "seiscientos", "setecientos"),
    *("ochocientos", "novecientos"),
)


def _spanish(number: int, noun: str) -> Iterator[Sound]:
    millions, rest = divmod(number, _MILLION)
    if millions:
        # `millón` is masculine, whatever it is a million of.
        yield from _spanish_below_million(millions, "masculine")
        yield Sound("millón", "numbers/million") if millions == 1 else Sound("millones", "numbers/millions")
    if rest or not millions:
        yield from _spanish_below_million(rest, _spanish_gender(noun))


def _spanish_below_million(number: int, gender: str) -> Iterator[Sound]:
    thousands, rest = divmod(number, 1000)
    if thousands:
        if thousands > 1:
            # `mil` is masculine: veintiún mil, doscientos mil; only what is counted in the end can be feminine.
            yield from _spanish_below_1000(thousands, "feminine" if gender == "feminine" else "masculine")
        yield Sound("mil", "numbers/thousand")
    if rest or not thousands:
        yield from _spanish_below_1000(rest, gender)


def _spanish_below_1000(number: int, gender: str) -> Iterator[Sound]:
    hundreds, rest = divmod(number, 100)
    if number == 100:
        yield Sound("cien", "numbers/100")
        return
    if hundreds == 1:
        yield Sound("ciento", "numbers/100-and")
    elif hundreds and gender == "feminine":
        yield Sound(
            _ES_HUNDREDS[hundreds].replace("cientos", "cientas").replace("nientos", "nientas"),
            f"numbers/{hundreds}00-feminine",
        )
    elif hundreds:
        yield Sound(_ES_HUNDREDS[hundreds], f"numbers/{hundreds}00")
    if rest or not hundreds:
        form = f"-{gender}" if gender and rest % 10 == 1 and rest != 11 else ""
        yield Sound(_spanish_below_100(rest, gender), f"numbers/{rest}{form}")


def _spanish_below_100(number: int, gender: str) -> str:
    if number % 10 == 1 and number != 11 and gender:
        # Before what is counted `uno` is shortened, or feminine.
        if number == 21:
            return "veintiún" if gender == "masculine" else "veintiuna"
        one = "un" if gender == "masculine" else "una"
        return one if number == 1 else f"{_ES_TENS[number // 10]} y {one}"
    if number < 30:
        return _ES_SMALL[number]
    tens, ones = divmod(number, 10)
    return _ES_TENS[tens] + (f" y {_ES_SMALL[ones]}" if ones else "")


# Currencies whose name ends in `a` and is masculine all the same.
_ES_MASCULINE = frozenset(
    {"balboa", "córdoba", "kuacha", "kuanza", "kwacha", "kwanza", "lempira", "naira", "nakfa", "paanga", "pula", "taka"}
    | {"tala", "uguiya"}
)


def _spanish_gender(noun: str) -> str:
    """Of a currency's name: by what follows it (`lempiras hondureños`), otherwise by its own ending."""
    first, _, described = noun.lower().partition(" ")
    if not first:
        return ""
    second = described.partition(" ")[0].removesuffix("s")
    if first.startswith("unidad"):
        return "feminine"
    # Second words that say nothing of the gender: the córdoba's `oro`, the francs' `CFA`, `vietnamitas` for both.
    if second.endswith(("o", "a")) and second not in ("oro", "cfa") and not second.endswith("ita"):
        return "feminine" if second.endswith("a") else "masculine"
    own = first.removesuffix("s")
    return "feminine" if own.endswith("a") and own not in _ES_MASCULINE else "masculine"


_MINUS = {"en": "minus", "es": "menos"}
_LANGUAGES: dict[str, Callable[[int, str], Iterator[Sound]]] = {"en": _english, "es": _spanish}
