"""How people write what an expression writes otherwise: what is wrong, and the right spelling. What can be read is in `grammar`.

Asked only of an expression that cannot be read, with the place where reading stopped, so that a slip elsewhere is not told of it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from babel.numbers import list_currencies


@dataclass(frozen=True)
class Slip:
    """`at`: where it stands, in characters from the beginning of the expression."""

    at: int
    message: str
    cure: str


def slip_near(text: str, at: int) -> Slip | None:
    """The slip that stands where reading stopped, or that ends just before it (`2 AND open` is read as far as `open`)."""
    if (quote := _open_quote(text)) is not None:
        return quote
    plain = _without_quoted(text)
    for pattern, told in _SHAPES:
        for found in pattern.finditer(plain):
            # `5 AND open`: " AND" is read as a currency, and reading stops at the word after it.
            if found.start() <= at and not plain[found.end() : at].strip() and (slip := told(found)) is not None:
                return slip
    return None


def misread(text: str) -> Slip | None:
    """What could be read, as something that nobody means: 2026-1-5 and 12-25 as differences of numbers."""
    plain = _without_quoted(text)
    found = _SHORT_DATE.search(plain)
    if found is not None and len(found[0]) != len("2026-01-05"):
        year, month, day = found.groups()
        return Slip(found.start(), f"'{found[0]}' is no date", f"write {year}-{month:0>2}-{day:0>2}")
    return next((slip for other in _OTHER_DATE.finditer(plain) if (slip := _other_date(other)) is not None), None)


def _other_date(found: re.Match[str]) -> Slip | None:
    """`12-25`, `25-12-2026`, where a day is spoken of: elsewhere they are numbers."""
    first, second, year = found.groups()
    if (
        not _OF_DAYS.search(found.string)
        or not 1 <= min(int(first), int(second)) <= 12
        or not 1 <= max(int(first), int(second)) <= 31
    ):
        return None
    each = "" if year else "; a day that comes every year is written with each of its years, in [ ]"
    return Slip(found.start(), f"'{found[0]}' is no date", f"write year, month and day: 2026-12-31{each}")


# ---- quotes


def _open_quote(text: str) -> Slip | None:
    if (curly := re.search("[“”‘’„«»]([^“”‘’«»\"']*)[“”‘’«»\"']?", text)) is not None:
        return Slip(curly.start(), f"'{curly[0][:20]}' has typographic quotes", f'write "{curly[1]}"')
    rest = _without_quoted(text)
    for quote in ('"', "'"):
        if (at := rest.find(quote)) >= 0:
            word = re.match(r"[^\s\])]*", rest[at + 1 :])
            written = word[0][:20] if word else ""
            return Slip(at, f"a text begins at {quote}{written} and has no closing quote", f'write "{written}"')
    return None


def _without_quoted(text: str) -> str:
    """As long as before, so that places stay."""
    return re.sub(r"\"[^\"]*\"|'[^']*'", lambda found: "_" * len(found[0]), text)


# ---- shapes


def _joined_amount(found: re.Match[str]) -> Slip | None:
    """`5.00USD`, `5.00 usd`, `.50 USD`, `5. USD`."""
    whole, part, code = found[1] or "0", found[2] or found[3] or "", found[4]
    right = f"{whole}{'.' if part else ''}{part} {code.upper()}"
    is_amount = code.upper() in list_currencies() and right != found[0]
    return Slip(found.start(), f"'{found[0]}' is not how an amount is written", f"write {right}") if is_amount else None


def _code_first(found: re.Match[str]) -> Slip | None:
    if found[1] not in list_currencies():
        return None
    return Slip(found.start(), f"'{found[0]}' has its currency in front", f"write {found[2]} {found[1].upper()}")


def _named_currency(found: re.Match[str]) -> Slip:
    code = _CURRENCIES[found[2].lower().rstrip("s")]
    return Slip(
        found.start(), f"'{found[0]}' names its currency in words", f"write the currency's code: {found[1]} {code}"
    )


def _big_word(found: re.Match[str]) -> Slip:
    word = found[1]
    return Slip(found.start(1), f"'{word}' cannot stand here", f"write '{word.lower()}'")


def _bare_decimal(found: re.Match[str]) -> Slip:
    whole, part = found.groups()
    cure = f"an amount has its currency, as in {whole}.{part:0<2} USD, and a share its sign, as in {found[0]} %"
    if re.match(r" of\b", found.string[found.end() :]):
        cure = f"a share is of a hundred: write {_hundredfold(whole, part)} %"
    if len(part) == 2 and int(whole) < 24 and int(part) < 60 and re.search(r"\bnow\b", found.string):
        cure = f"write a time of day {whole}:{part}"
    return Slip(found.start(), f"'{found[0]}' has decimals, and a number has none", cure)


def _hundredfold(whole: str, part: str) -> str:
    """`0.5` as 50, `0.125` as 12.5."""
    digits = part.ljust(3, "0")
    rest = digits[2:].rstrip("0")
    return f"{int(whole + digits[:2])}{'.' if rest else ''}{rest}"


def _below_nought(found: re.Match[str]) -> Slip:
    cure = f"nothing is due or paid below nought: write {found[0][1:]}"
    return Slip(found.start(), f"'{found[0]}' has a sign", cure)


def _chained(found: re.Match[str]) -> Slip:
    left, first, middle, second = found.groups()
    cure = f"write two comparisons: {left} {first} {middle} and {middle} {second} ..."
    return Slip(found.start(4), f"'{second}' compares what is compared already", cure)


def _without_of(found: re.Match[str]) -> Slip:
    return Slip(found.start(2), f"'{found[2]}' cannot stand here", f"write '{found[1]} % of {found[2]}'")


def _signed_name(found: re.Match[str]) -> Slip:
    return Slip(found.start(), f"'{found[0]}' cannot stand here", f"a value is its name alone: write '{found[1]}'")


def _function(found: re.Match[str]) -> Slip:
    message = f"'{found[0]}' cannot stand here"
    return Slip(found.start(), message, "there are no functions: amounts are joined by + and -, shares by %")


def _left_out(found: re.Match[str]) -> Slip:
    return Slip(found.start(1), f"'{found[1]}' cannot stand here", "leave it out: the condition stands alone")


def _twelve_hours(found: re.Match[str]) -> Slip | None:
    hour, minute, half = int(found[1]), found[2] or "00", found[3].lower()
    if not 1 <= hour <= 12:
        return None
    hour = hour % 12 + (12 if half == "p" else 0)
    return Slip(found.start(), f"'{found[0]}' is not on the clock of 24 hours", f"write {hour}:{minute}")


def _date_otherwise(found: re.Match[str]) -> Slip:
    return Slip(found.start(), f"'{found[0]}' is not how a date is written", "write year, month and day: 2026-12-31")


def _bare_number_of_a_telephone(found: re.Match[str]) -> Slip | None:
    if not re.search(r"\b(?:caller|called)\b", found.string):
        return None
    return Slip(found.start(), f"'{found[0]}' is a text, and has no quotes", f'write "{found[0]}"')


def _big_day(found: re.Match[str]) -> Slip:
    day = next(one for one in _DAYS if one.startswith(found[0][:3].lower()))
    return Slip(found.start(), f"'{found[0]}' cannot stand here", f"write '{day}'")


def _language(found: re.Match[str]) -> Slip | None:
    right = f"{found[1].lower()}-{found[2].upper()}"
    if right == found[0]:
        return None
    return Slip(found.start(), f"'{found[0]}' is not how a language is written", f"write {right}")


def _yes_or_no(found: re.Match[str]) -> Slip:
    right = "yes" if found[0].lower() in ("yes", "true") else "no"
    return Slip(found.start(), f"'{found[0]}' cannot stand here", f"write '{right}'")


def _percent_in_words(found: re.Match[str]) -> Slip:
    return Slip(found.start(), f"'{found[0]}' is not how a share is written", f"write {found[1]} %")


def _other_spans(found: re.Match[str]) -> Slip:
    unit = found[2].lower()
    right = f"{found[1]} {unit}" if unit.startswith(("day", "week")) else ""
    cure = f"write {right}" if right else "write it in days or weeks, such as 30 days"
    return Slip(found.start(), f"'{found[0]}' cannot be read", cure)


def _instead(right: str) -> Callable[[re.Match[str]], Slip]:
    return lambda found: Slip(found.start(), f"'{found[0]}' cannot stand here", f"write '{right}'")


def _words_for_more_or_less(equal: str) -> Callable[[re.Match[str]], Slip]:
    more = ("greater", "more", "larger", "higher", "bigger", "over", "above")

    def told(found: re.Match[str]) -> Slip:
        sign = ">" if found[1].lower() in more else "<"
        return Slip(found.start(), f"'{found[0]}' cannot stand here", f"write '{sign}{equal}'")

    return told


def _big_name(found: re.Match[str]) -> Slip | None:
    if re.search(r"\d *$", found.string[: found.start()]):
        return None  # a currency
    return Slip(found.start(), f"'{found[0]}' has capital letters", f"values have none: write '{found[0].lower()}'")


_CURRENCIES = {"dollar": "USD", "buck": "USD", "euro": "EUR", "pound": "GBP", "peso": "MXN"}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT_DATE = re.compile(r"(?<![\w.-])(\d{4})-(\d{1,2})-(\d{1,2})(?![\w-])")
_OF_DAYS = re.compile(r"\btoday\b|(?<![\w-])\d{4}-\d\d-\d\d(?![\w-])|\.\w*(?:date|until|day|from)\b")
_OTHER_DATE = re.compile(r"(?<![\w.:-])(\d{1,2})-(\d{1,2})(?:-(\d{2}|\d{4}))?(?![\w.-])(?! ?%)")
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_ANY_CASE = re.IGNORECASE
_SIDE = r"[a-z][\w.]*|\d{1,9}(?:\.\d{1,4})? [A-Z]{3}|\d{1,9}"
_COMPARES_TO_NUMBERS = (
    r"(?<=[\w)\"] )(?:is )?(greater|more|larger|higher|bigger|over|above|less|lower|smaller|under|below|fewer)"
)
# The first that fits where reading stopped is told.
_SHAPES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Slip | None]], ...] = (
    (re.compile(r"(?<!\w)(AND|OR|NOT|IN|OF|And|Or|Not|In|Of)(?!\w)"), _big_word),
    (
        re.compile(r"(?<![\w.])(\d{1,9}(?:\.\d{1,4})?) ?(dollars?|bucks?|euros?|pounds?|pesos?)\b", _ANY_CASE),
        _named_currency,
    ),
    (re.compile(r"(?<![\w.])(\d{1,2})(?:[:.](\d{2}))? ?([ap])\.?m\b\.?", _ANY_CASE), _twelve_hours),
    (re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,2})?) ?(?:percent|per cent|pct)\b", _ANY_CASE), _percent_in_words),
    (re.compile(r"(?<![\w.])(?:(\d{1,9})(?:\.(\d{0,4}))?|\.(\d{1,4})) ?([A-Za-z]{3})\b"), _joined_amount),
    (re.compile(r"(?<!\w)(?<!\d )([A-Z]{3}) ?(\d{1,9}(?:\.\d{1,4})?)\b"), _code_first),
    (re.compile(r"(?<![\w/.])\d{1,4}[/.]\d{1,2}[/.]\d{1,4}\b"), _date_otherwise),
    (
        re.compile(rf"\b{_MONTH} ?\d{{1,2}}\b(?:,? ?\d{{4}}\b)?|(?<![\w:-])\d{{1,2}}\.? ?{_MONTH}(?: ?\d{{4}}\b)?"),
        _date_otherwise,
    ),
    (re.compile(r"(?<=[ (\[,=])\+\d{1,15}\b"), _bare_number_of_a_telephone),
    (re.compile(r"(?<![\w.])(\d{1,4}) ?(days?|weeks?|months?|years?|hours?|minutes?)\b", _ANY_CASE), _other_spans),
    (re.compile(r"(?<![\w.])(\d{1,9})\.(\d{1,9})\b(?! ?[%A-Z])"), _bare_decimal),
    (re.compile(r"\b(?:[MTWFS][a-z]+day|MON|TUE|WED|THU|FRI|SAT|SUN)\b"), _big_day),
    (re.compile(r"\b(?=[a-z_-]*[A-Z])([A-Za-z]{2,3})[-_]([A-Za-z]{2})\b"), _language),
    (re.compile(r"\b(?:yes|no|true|false)\b", _ANY_CASE), _yes_or_no),
    (re.compile(r"^\s*(if)\b"), _left_out),
    (re.compile(r"(?<=[\w)\"] )(then)\b"), _left_out),
    (re.compile(r"(?<![\w.])(?:max|min|round|abs|sum|int|floor|ceil|len|length|lower|upper)\("), _function),
    (
        re.compile(rf"{_COMPARES_TO_NUMBERS}(?: than)? or (?:equal(?: to)?|the same as)\b", _ANY_CASE),
        _words_for_more_or_less("="),
    ),
    (re.compile(rf"{_COMPARES_TO_NUMBERS}(?: than)?\b", _ANY_CASE), _words_for_more_or_less("")),
    (re.compile(r"(?<=[\w)\"] )(?:is )?(?:at least|no less than|not less than)\b"), _instead(">=")),
    (re.compile(r"(?<=[\w)\"] )(?:is )?(?:at most|no more than|not more than|up to)\b"), _instead("<=")),
    (re.compile(r"(?<=[\w)\"] )exceeds\b"), _instead(">")),
    (re.compile(rf"({_SIDE}) ?([<>]=?) ?({_SIDE}) ?([<>]=?)"), _chained),
    (re.compile(r"(?<![\w.)\]%])(?<![\w)\]%] )-\d{1,9}(?:\.\d{1,4})? [A-Z]{3}\b"), _below_nought),
    (re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,2})?) ?% ?((?!and\b|or\b|not\b|in\b|of\b)[a-z][\w.]*)"), _without_of),
    (re.compile(r"[$@]([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)\b"), _signed_name),
    (re.compile(r"=>|≥"), _instead(">=")),
    (re.compile(r"=<|≤"), _instead("<=")),
    (re.compile("≠"), _instead("!=")),
    (re.compile(r"(?<=[\w)\"] )is not\b"), _instead("!=")),
    (re.compile(r"(?<=[\w)\"] )(?:is|equals)\b"), _instead("=")),
    (re.compile(r"\bstarts\b(?! +with\b)|\bbegins with\b"), _instead("starts with")),
    (re.compile(r"\bbill[ -](?:due|min)\b"), lambda found: _instead(f"bill.{found[0][5:]}")(found)),
    (re.compile(r"\b[A-Z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)?\b"), _big_name),
)
