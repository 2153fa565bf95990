"""Typed values in the words of a language: money, digits, numbers, dates, keys, brands; not the prompts they stand in.

Names of currencies and months come from CLDR through Babel, unless the language's prompt file has words of its own
(`currency_usd_other: dollars` is shorter than CLDR's `US dollars`).
"""

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_day_names, get_month_names
from babel.numbers import format_currency, format_decimal, get_currency_name

from ivr.core.entry import KEY_OF_WORD
from ivr.core.events import Value
from ivr.core.money import Money, decimals
from ivr.words.numerals import Sound, before_noun, english_below_100, has_number_words, minus_word, number_sounds
from ivr.words.templates import TemplateText, read_template

_WORD_OF_KEY = {key: word for word, key in KEY_OF_WORD.items()}


@dataclass(frozen=True)
class Speech:
    """A value said: `text` as a transcript shows it, `sounds` as it is pronounced piece by piece."""

    text: str
    sounds: tuple[Sound, ...]


@dataclass(frozen=True)
class Speaker:
    """`words` are the language's prompts, some of which name keys, brands and currencies."""

    language: str
    words: Mapping[str, str]

    def say(self, kind: str, value: Value) -> Speech:
        """ValueError if the value is not of that kind."""
        match kind:
            case "money":
                return self.money(_as_money(value))
            case "digits":
                return self.digits(str(value))
            case "spelled":
                return self.spelled(str(value))
            case "number":
                return self.number(int(str(value)))
            case "date":
                return self.date(_as_date(value))
            case "weekday":
                return self.weekday(_as_date(value))
            case "time":
                return self.time(_as_time(value))
            case "key":
                return self.key(str(value))
            case "brand":
                return self.named(f"brand_{value}", str(value))
            case "written":
                return _one_sound(self.written(value))
            case "text":
                return _one_sound(str(value))
        raise ValueError(f"unknown kind '{kind}'")

    def money(self, money: Money) -> Speech:
        """42 dollars and 50 cents; where the language has no name for the cents, 42.50 Swiss francs. Below nought with a minus."""
        if money.minor < 0:
            return self._below_nought(money)
        whole, part = money.parts
        if not part:
            return self._counted(whole, "currency", money.currency)
        if self._own_name("minor", money.currency, part) is None:
            return _one_sound(self._in_decimals(money))
        minor = self._counted(part, "minor", money.currency)
        return self._joined(self._counted(whole, "currency", money.currency), minor) if whole else minor

    def _below_nought(self, money: Money) -> Speech:
        minus, amount = minus_word(self.language), self.money(Money(-money.minor, money.currency))
        if not minus:
            return _one_sound(self._in_decimals(money))
        return Speech(f"{minus} {amount.text}", (Sound(minus), *amount.sounds))

    def digits(self, text: str) -> Speech:
        """One by one; letters by name. Long ones in groups, so that a caller can write along."""
        size = _group_of(len(text))
        groups = [text[start : start + size] for start in range(0, len(text), size)] or [text]
        spelled = "; ".join(", ".join(group) for group in groups)
        return Speech(spelled, tuple(self._character(character) for character in text))

    def spelled(self, text: str) -> Speech:
        """One by one, each letter with its word where the language has one: B as in Bravo. D and T are one on the telephone."""
        names = [f"letter_{character.lower()}" for character in text]
        words = [self.words.get(name, character) for name, character in zip(names, text, strict=True)]
        sounds = (
            Sound(self.words[name], f"units/{name}") if name in self.words else self._character(character)
            for name, character in zip(names, text, strict=True)
        )
        return Speech(", ".join(words), tuple(sounds))

    def number(self, number: int) -> Speech:
        return Speech(self._figures(number), number_sounds(number, self.language))

    def date(self, day: datetime.date) -> Speech:
        text = format_date(day, "long", locale=self.locale)
        return Speech(text, tuple(self._date_sounds(day)) or (Sound(text),))

    def weekday(self, day: datetime.date) -> Speech:
        return _one_sound(get_day_names("wide", locale=self.locale)[day.weekday()])

    def time(self, time: datetime.time) -> Speech:
        """9:30 AM; without the no-break space of CLDR's, at which a voice may stumble."""
        return _one_sound(_with_plain_spaces(format_time(time, "short", locale=self.locale)))

    def key(self, key: str) -> Speech:
        if key.isdecimal():
            return Speech(key, tuple(self._character(digit) for digit in key))
        return self.named(f"key_{_WORD_OF_KEY.get(key, key)}", key)

    def named(self, prompt: str, otherwise: str) -> Speech:
        words = self.words.get(prompt, otherwise)
        return Speech(words, (Sound(words, f"units/{prompt}"),))

    def written(self, value: Value) -> str:
        """For a text message: figures and signs. Without the no-break space that would double an SMS's price."""
        if isinstance(value, Money):
            return _in_figures(value, self.locale)
        if isinstance(value, datetime.date):
            return _with_plain_spaces(format_date(value, "medium", locale=self.locale))
        if isinstance(value, datetime.time):
            return _with_plain_spaces(format_time(value, "short", locale=self.locale))
        return str(value)

    @cached_property
    def locale(self) -> Locale:
        try:
            return Locale.parse(self.language, sep="-")
        except (UnknownLocaleError, ValueError):
            return Locale.parse("en")

    @cached_property
    def _plural(self) -> Callable[[int], str]:
        return self.locale.plural_form

    def _character(self, character: str) -> Sound:
        if character.isdecimal():
            return number_sounds(int(character), self.language)[0]
        return Sound(character, f"letters/{character.lower()}" if character.isascii() and character.isalpha() else None)

    def _counted(self, count: int, part: str, currency: str) -> Speech:
        own = self._own_name(part, currency, count)
        name = own or get_currency_name(currency, count=count, locale=self.locale)
        form = "one" if count == 1 else "other"
        unit = Sound(name, f"units/{part}-{currency.lower()}-{form}")
        between = before_noun(count, self.language, name)
        of = f"{between.words} ".replace("' ", "'") if between else ""  # an apostrophe joins
        text = f"{self._figures(count)} {of}{name}"
        sounds = number_sounds(count, self.language, noun=name)
        return Speech(text, (*sounds, *([between] if between else []), unit))

    def _figures(self, number: int) -> str:
        # Babel's formatting costs 20 us, and no language groups three digits.
        return str(number) if 0 <= number < 1000 else format_decimal(number, locale=self.locale)

    def _own_name(self, part: str, currency: str, count: int) -> str | None:
        """By CLDR's plural category; a file need only have `one` and `other`."""
        prefix = f"{part}_{currency.lower()}"
        plural = self._plural(count)
        return self.words.get(f"{prefix}_{plural}") or self.words.get(f"{prefix}_other")

    def _joined(self, major: Speech, minor: Speech) -> Speech:
        parts = {"major": major, "minor": minor}
        text, sounds = "", []
        for part in read_template(self.words.get("money_with_minor", "{major:text} {minor:text}")).parts:
            if isinstance(part, TemplateText):
                text += part.text
                sounds += [Sound(part.text.strip(), "units/and")] if part.text.strip() else []
            else:
                text += parts[part.name].text
                sounds += parts[part.name].sounds
        return Speech(text, tuple(sounds))

    def _in_decimals(self, money: Money) -> str:
        name = get_currency_name(money.currency, count=Decimal(_decimal_text(money)), locale=self.locale)
        pattern = f"#,##0.{'0' * decimals(money.currency)}".removesuffix(".")
        return f"{format_decimal(_decimal_text(money), format=pattern, locale=self.locale)} {name}"

    def _date_sounds(self, day: datetime.date) -> Iterator[Sound]:
        month = Sound(get_month_names("wide", locale=self.locale)[day.month], f"dates/month-{day.month}")
        if not has_number_words(self.language):
            return
        if self.language.startswith("en"):
            yield from (month, Sound(_english_ordinal(day.day), f"dates/day-{day.day}"))
            yield from _english_year(day.year)
            return
        of = Sound("de", "dates/of")
        first = (Sound("primero", "dates/day-1"),)
        yield from first if day.day == 1 else number_sounds(day.day, self.language)
        yield from (of, month, of, *number_sounds(day.year, self.language))


@lru_cache(maxsize=256)
def forms_besides_other(prefix: str, language: str) -> tuple[str, ...]:
    """CLDR's names of the forms that a language has for this currency (`currency_usd`) or its hundredths (`minor_usd`):
    `one` for the dollar in English, none for the yen.

    By the numbers up to 100: what takes a form of its own only beyond (a million, in Spanish) is said with `other`.
    """
    try:
        locale = Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return ()
    part, _, code = prefix.partition("_")
    counts: dict[str, int] = {}
    for count in range(100, 0, -1):
        counts[locale.plural_form(count)] = count
    other = get_currency_name(code.upper(), count=counts.get("other", 0.5), locale=locale)
    names = {form: get_currency_name(code.upper(), count=count, locale=locale) for form, count in counts.items()}
    own = (form for form in counts if form != "other" and (part == "minor" or names[form] != other))
    return tuple(sorted(own))


def _group_of(length: int) -> int:
    """A voice pauses between groups: threes where they come out even, as in most confirmation numbers, else fours.
    What is remembered at once is one group."""
    if length <= 5:
        return 5
    return 3 if length % 3 == 0 else 4


def _as_money(value: Value) -> Money:
    if not isinstance(value, Money):
        raise ValueError("not an amount of money")
    return value


def _as_date(value: Value) -> datetime.date:
    return value if isinstance(value, datetime.date) else datetime.date.fromisoformat(str(value))


def _as_time(value: Value) -> datetime.time:
    return value if isinstance(value, datetime.time) else datetime.time.fromisoformat(str(value))


def _with_plain_spaces(text: object) -> str:
    return str(text).replace("\xa0", " ").replace("\u202f", " ")


@lru_cache(1024)
def _in_figures(money: Money, locale: Locale) -> str:
    """The same amounts are written in many texts; one costs 100 us."""
    return _with_plain_spaces(format_currency(_decimal_text(money), money.currency, locale=locale))


def _decimal_text(money: Money) -> str:
    return str(money).partition(" ")[0]


def _one_sound(text: str) -> Speech:
    return Speech(text, (Sound(text),))


_ORDINALS = {1: "first", 2: "second", 3: "third", 5: "fifth", 8: "eighth", 9: "ninth", 12: "twelfth"}


def _english_ordinal(number: int) -> str:
    tens, ones = divmod(number, 10)
    if number in _ORDINALS:
        return _ORDINALS[number]
    if number > 20 and ones:
        return f"{english_below_100(tens * 10)}-{_english_ordinal(ones)}"
    return f"{english_below_100(number).removesuffix('y')}{'ieth' if not ones and number > 10 else 'th'}"


def _english_year(year: int) -> Iterable[Sound]:
    century, rest = divmod(year, 100)
    if century % 10 == 0 and rest < 10:
        return number_sounds(year, "en")
    return (*number_sounds(century, "en"), *number_sounds(rest, "en"))
