"""From an expression's text to its tree. What its types are is in `types`, what it is worth in `evaluating`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Tree, UnexpectedInput, UnexpectedToken

from ivr.core.money import parse_money
from ivr.flow.expressions.kinds import Percent, Type
from ivr.flow.expressions.slips import misread, slip_near
from ivr.reading.scalars import known_currency, read_language

LONGEST = 200  # characters; what is longer is no condition that somebody else understands

# From the loosest to the tightest. A share is tighter than a sum: `1.00 USD + 5 % of bill.due` is 1.00 and a twentieth.
GRAMMAR = r"""
    ?start: either
    ?either: both | either "or" both
    ?both: denied | both "and" denied
    ?denied: compared | "not" denied -> denied
    ?compared: sum | sum COMPARES sum | sum "in" list -> within | sum "not" "in" list -> without
             | sum "starts" "with" sum -> starts
    list: "[" sum ("," sum)* "]"
    ?sum: share | sum SIGN share
    ?share: value | value "of" value -> of
    ?value: MONEY | PERCENT | DAYS | DATE | TIME | NUMBER | TEXT | LANGUAGE | WEEKDAY | YES_NO | NAME | "(" either ")"

    COMPARES: "<=" | ">=" | "!=" | "=" | "<" | ">"
    SIGN: "+" | "-"
    MONEY.3: /\d{1,9}(\.\d{1,4})? [A-Z]{3}\b/
    PERCENT.3: /\d{1,3}(\.\d{1,2})? ?%/
    DAYS.3: /\d{1,4} (days?|weeks?)\b/
    DATE.3: /\d{4}-\d{2}-\d{2}/
    TIME.3: /\d{1,2}:\d{2}/
    NUMBER.1: /\d{1,9}\b/
    TEXT: /"[^"]*"|'[^']*'/
    LANGUAGE.3: /[a-z]{2,3}(-[A-Z][a-z]{3})?-([A-Z]{2}|\d{3})\b/
    WEEKDAY.3: /(mon|tues|wednes|thurs|fri|satur|sun)day\b/
    YES_NO.3: /(yes|no)\b/
    NAME: /[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?/
    %ignore / +/
"""
_SLIPS = (
    ("==", "one '=' is enough"),
    ("<>", "write '!='"),
    ("&", "write 'and'"),
    ("|", "write 'or'"),
    ("!", "write 'not'"),
    ("$", "write an amount like 5.00 USD"),
    ("€", "write an amount like 5.00 EUR"),
    ("£", "write an amount like 5.00 GBP"),
    ("*", "nothing is multiplied; a share is written '5 % of bill.due'"),
    ("/", "nothing is divided; a share is written '5 % of bill.due'"),
    (";", "leave it out"),
    (",", "write an amount with a point, like 1200.50 USD"),
    ("between", "write both ends: bill.due >= 10.00 USD and bill.due <= 50.00 USD"),
)


@dataclass(frozen=True)
class Literal:
    """`at`: where it stands, in characters from the beginning of the expression."""

    at: int
    type: Type
    value: Any


@dataclass(frozen=True)
class Name:
    at: int
    name: str


@dataclass(frozen=True)
class Operation:
    """`word` is one of + - = != < <= > >= of, in, not in, starts with, and, or, not."""

    at: int
    word: str
    parts: "tuple[Expression, ...]"


Expression = Literal | Name | Operation


class UnreadableFormula(ValueError):
    """An expression that is none: `at` as above, and a cure."""

    def __init__(self, at: int, message: str, cure: str) -> None:
        super().__init__(message)
        self.at, self.cure = at, cure


@lru_cache(1024)
def read_expression(text: str) -> Expression:
    """The same tree for the same text, however often a call comes by."""
    if len(text) > LONGEST:
        raise UnreadableFormula(0, f"an expression has at most {LONGEST} characters", "split it by 'set'")
    if (slip := misread(text)) is not None:
        raise UnreadableFormula(slip.at, slip.message, slip.cure)
    try:
        return _node(_parser().parse(text))
    except UnexpectedInput as error:
        raise _unreadable(text, error) from None


def leaves_of(expression: Expression) -> Iterator[Literal | Name]:
    """What it is made of, from left to right."""
    if not isinstance(expression, Operation):
        yield expression
        return
    for part in expression.parts:
        yield from leaves_of(part)


def names_in(expression: Expression) -> Iterator[Name]:
    return (leaf for leaf in leaves_of(expression) if isinstance(leaf, Name))


@lru_cache(1)
def _parser() -> Lark:
    """Made when the first expression is read: 30 ms that a flow without one does not pay."""
    return Lark(GRAMMAR, parser="lalr", propagate_positions=True)


def _unreadable(text: str, error: UnexpectedInput) -> UnreadableFormula:
    at = error.pos_in_stream if isinstance(error.pos_in_stream, int) and error.pos_in_stream >= 0 else len(text)
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        is_open = text.count("(") > text.count(")")
        cure = "a bracket is open: write ')' where it ends" if is_open else _missing(error)
        return UnreadableFormula(len(text), "the expression is not finished", cure)
    if (grouped := next((one for one in _GROUPED.finditer(text) if one.start() <= at <= one.end()), None)) is not None:
        plain = f"leave the separator out: {_without_groups(grouped)}"
        return UnreadableFormula(grouped.start(), f"'{grouped[0][:20]}' has a thousands separator", plain)
    if (slip := slip_near(text, at)) is not None:
        return UnreadableFormula(slip.at, slip.message, slip.cure)
    rest = text[at:]
    cure = next((cure for slip, cure in _SLIPS if rest.startswith(slip) or text[max(at - 1, 0) :].startswith(slip)), "")
    word = re.match(r"\S+", rest)
    shown = word[0][:20] if word else ""
    return UnreadableFormula(at, f"'{shown}' cannot stand here", cure or _missing(error))


# "1,000.00 USD", and as it is written elsewhere: 1.000,00, 1'000.00, 1 000.00, 1,00,000.00.
_GROUPED = re.compile(
    r"(?<!\w)(?!0[.,])(\d{1,3}(?:[,.'_\u2019 \u00a0\u202f]\d{2,3})*[,.'_\u2019 \u00a0\u202f]\d{3})(?:[.,](\d{1,4}))?(?!\d)( [A-Z]{3})?"
)


def _without_groups(found: re.Match[str]) -> str:
    part = f".{found[2]}" if found[2] else ""
    return re.sub(r"\D", "", found[1]) + part + (found[3] or "")


def _missing(error: UnexpectedInput) -> str:
    expected = getattr(error, "accepts", None) or getattr(error, "expected", None) or getattr(error, "allowed", None)
    if "NAME" in (expected or ()):
        return "a value is expected, such as bill.due, 5.00 USD or today"
    return "a list in brackets is expected, such as [es-MX, es-419]" if {"LSQB"} == set(expected or ()) else _JOINING


_JOINING = "values are joined by and, or, =, !=, <, <=, >, >=, +, -, of, in, starts with"


# ---- the tree


def _node(tree: Any) -> Expression:
    if isinstance(tree, Token):
        return _leaf(tree)
    assert isinstance(tree, Tree)
    children: list[Any] = tree.children
    match tree.data:
        case "compared" | "sum":
            left, sign, right = children
            return Operation(sign.start_pos, str(sign), (_node(left), _node(right)))
        case "within" | "without":
            left, items = children
            parts = (_node(left), *map(_node, items.children))
            return Operation(parts[0].at, _WORDS[tree.data], parts)
    parts = tuple(map(_node, children))
    return Operation(parts[0].at, _WORDS[str(tree.data)], parts)


_WORDS = {
    "either": "or",
    "both": "and",
    "denied": "not",
    "within": "in",
    "without": "not in",
    "starts": "starts with",
    "of": "of",
}


def _leaf(token: Token) -> Expression:
    at = token.start_pos or 0
    if token.type == "NAME":
        return Name(at, str(token))
    kind, read = _LEAVES[token.type]
    try:
        return Literal(at, kind, read(str(token)))
    except ValueError as error:
        raise UnreadableFormula(at, f"'{token}': {error}", _EXAMPLES.get(kind, "")) from None


def _money(text: str) -> Any:
    money = parse_money(text)
    known_currency(money.currency)
    return money


def _percent(text: str) -> Percent:
    whole, _, part = text.removesuffix("%").strip().partition(".")
    return Percent(int(whole) * 100 + int(part.ljust(2, "0")))


def _days(text: str) -> timedelta:
    count, unit = text.split(" ")
    return timedelta(days=int(count) * (7 if unit.startswith("week") else 1))


def _time(text: str) -> time:
    hour, minute = text.split(":")
    return time(int(hour), int(minute))


_EXAMPLES: dict[str, str] = {
    "money": "an amount has a decimal point and no other separator, such as 1000.00 USD",
    "date": "a day that exists, such as 2026-12-31",
    "time": "such as 17:30",
}
_LEAVES: dict[str, tuple[Type, Any]] = {
    "MONEY": ("money", _money),
    "PERCENT": ("percent", _percent),
    "DAYS": ("days", _days),
    "DATE": ("date", date.fromisoformat),
    "TIME": ("time", _time),
    "NUMBER": ("number", int),
    "TEXT": ("text", lambda text: text[1:-1]),
    "LANGUAGE": ("language", read_language),
    "WEEKDAY": ("weekday", str),
    "YES_NO": ("yes_no", lambda text: text == "yes"),
}
