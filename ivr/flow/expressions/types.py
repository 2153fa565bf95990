"""What may be done with values of which types, and the type of an expression; each mistake with both its sides."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivr.flow.expressions.grammar import Expression, Literal, Name, Operation
from ivr.flow.expressions.kinds import IN_WORDS, Type

ORDERED = frozenset({"<", "<=", ">", ">="})
WITH_AN_ORDER: frozenset[Type] = frozenset({"money", "number", "percent", "days", "date", "time"})
SUMS: Mapping[tuple[str, Type, Type], Type] = {
    ("+", "money", "money"): "money",
    ("-", "money", "money"): "money",
    ("+", "money", "percent"): "money",
    ("-", "money", "percent"): "money",
    ("of", "percent", "money"): "money",
    ("+", "number", "number"): "number",
    ("-", "number", "number"): "number",
    ("+", "date", "days"): "date",
    ("-", "date", "days"): "date",
    ("-", "date", "date"): "days",
    ("+", "days", "days"): "days",
    ("-", "days", "days"): "days",
}
_CURES: Mapping[tuple[Type, Type], str] = {
    ("money", "number"): "write the amount with its currency, such as 5.00 USD",
    ("number", "money"): "write the amount with its currency, such as 5.00 USD",
    ("date", "number"): "write the days with their unit, such as 2 days",
    ("days", "number"): "write the days with their unit, such as 2 days",
    ("text", "number"): 'digits that were keyed in are a text: write them in quotes, such as "12"',
    ("language", "text"): "write the language without quotes, such as es-MX",
    ("weekday", "text"): "write the day without quotes, such as monday",
    ("date", "text"): "write the date without quotes, such as 2026-12-31",
    ("time", "text"): "write the time without quotes, such as 17:30",
    ("yes_no", "text"): "write yes or no without quotes",
    ("date", "time"): "'today' is the date, 'now' the time of day",
    ("time", "date"): "'today' is the date, 'now' the time of day",
}


@dataclass(frozen=True)
class Mistyped:
    """`at`: where in the expression, in characters from its beginning."""

    at: int
    message: str
    cure: str


@dataclass(frozen=True)
class Typed:
    """`type` is None where a mistake leaves it open, or a value's type is not known."""

    type: Type | None
    mistakes: tuple[Mistyped, ...] = ()


def type_of(expression: Expression, names: Mapping[str, Type]) -> Typed:
    """A name of unknown type is nobody's mistake here."""
    match expression:
        case Literal(_, kind, _):
            return Typed(kind)
        case Name(_, name):
            return Typed(names.get(name))
        case Operation(at, word, parts):
            typed = [type_of(part, names) for part in parts]
            inner = tuple(mistake for part in typed for mistake in part.mistakes)
            sides = [part.type for part in typed]
            if word in ("and", "or", "not"):
                own = tuple(_no_truths(word, parts, sides))
                return Typed("yes_no", inner + own)
            if None in sides:
                return Typed(_RESULTS.get(word), inner)
            return _of_sides(at, word, [side for side in sides if side is not None], inner)


_RESULTS: Mapping[str, Type] = dict.fromkeys(("=", "!=", "<", "<=", ">", ">=", "in", "not in", "starts with"), "yes_no")


def _no_truths(word: str, parts: tuple[Expression, ...], sides: list[Type | None]) -> Iterator[Mistyped]:
    for part, side in zip(parts, sides, strict=True):
        if side is not None and side != "yes_no":
            message = f"'{word}' joins what is yes or no, and this is {IN_WORDS[side]}"
            yield Mistyped(part.at, message, "compare it with something, such as bill.due > 5.00 USD")


def _of_sides(at: int, word: str, sides: list[Type], inner: tuple[Mistyped, ...]) -> Typed:
    left, others = sides[0], sides[1:]
    if word in _RESULTS:
        return Typed("yes_no", inner + tuple(_not_alike(at, word, left, others)))
    result = SUMS.get((word, left, others[0]))
    if result is not None:
        return Typed(result, inner)
    message = f"'{word}' does not go with {IN_WORDS[left]} and {IN_WORDS[others[0]]}"
    cure = "the share comes first, as in 5 % of bill.due" if word == "of" else _cure(left, others[0])
    return Typed(None, (*inner, Mistyped(at, message, cure)))


def _not_alike(at: int, word: str, left: Type, others: list[Type]) -> Iterator[Mistyped]:
    for other in others:
        if other != left:
            message = f"{IN_WORDS[left]} is compared with {IN_WORDS[other]}"
            yield Mistyped(at, message, _cure(left, other))
            return
    if word in ORDERED and left not in WITH_AN_ORDER:
        yield Mistyped(at, f"{IN_WORDS[left]} is neither more nor less than another", "compare it by '=', '!=' or 'in'")
    elif word == "starts with" and left != "text":
        yield Mistyped(at, f"{IN_WORDS[left]} does not start with anything", "only a text does: compare it by '='")


def _cure(left: Type, right: Type) -> str:
    return _CURES.get((left, right)) or _CURES.get((right, left)) or "both sides have to be of one type"
