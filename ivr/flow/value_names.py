"""Which value or word was meant by a name that a flow does not have. That it does not have it is found in `expression_check`."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from babel import Locale
from babel.core import get_global

from ivr.flow.expressions import Expression, Name, Operation
from ivr.flow.parts import Formula
from ivr.flow.value_types import Types
from ivr.reading.hours import WEEKDAYS
from ivr.reading.problems import did_you_mean, nearest
from ivr.reading.scalars import read_language

_YES_NO = {"true": "yes", "false": "no"}


@dataclass(frozen=True)
class Unknown:
    """`at`: where it stands in its expression; `beside`: the value that it is compared with, or ""."""

    at: int
    name: str
    beside: str


def unknown_names(expression: Expression, text: str, types: Types) -> Iterator[Unknown]:
    """Each name that is no value's; `en-us` is read as a difference of two, and is told once."""
    tag_ends = 0
    for one, beside in _beside(expression, ""):
        if one.name in types or one.at < tag_ends:
            continue
        tag = _SMALL_TAG.match(text, one.at) if beside == "language" else None
        tag_ends = tag.end() if tag else 0
        yield Unknown(one.at, tag[0] if tag else one.name, beside)


def meant_by(unknown: Unknown, formula: Formula, types: Types, spoken: Iterable[str]) -> str:
    """A cure. `spoken`: the flow's languages."""
    name, beside = unknown.name, unknown.beside
    if beside == "language" and (tag := _language(name, tuple(spoken))):
        return tag
    day = next((day for day in WEEKDAYS if day.startswith(name)), "") if len(name) > 2 else ""
    if beside == "weekday" and day:
        return f"write '{day}'"
    if name in _YES_NO:
        return f"write '{_YES_NO[name]}'"
    if beside == "channel" and nearest(name, types) is None:
        return f'a text has quotes: write "{name}"'
    if f"bill.{name}" in types:
        return f"write 'bill.{name}'"
    offered = [one for one, kind in types.items() if _is_offered(kind, formula)]
    cure = did_you_mean(name, offered)
    is_given = "." in name and nearest(name, offered) is None
    return f"{cure}; or say above the steps that a look-up gives it: docs/billing.md" if is_given else cure


def _is_offered(kind: str, formula: Formula) -> bool:
    """Where an amount is wanted, only amounts are of help; a condition alone may ask for what is yes or no."""
    if formula.gives == "money":
        return kind == "money"
    return not formula.gives or kind != "yes_no"


_SMALL_TAG = re.compile(r"[a-z]{2,3}-[a-z]{2}\b")


def _language(name: str, spoken: tuple[str, ...]) -> str:
    """`en` is en-US where the flow speaks that, or else where most who speak English do; "" for what is no language."""
    language, _, region = name.partition("-")
    if language not in Locale("en").languages:
        return ""
    if name in spoken:
        return f"a condition names a language with its region: write {_usual(language)} here and in 'languages'"
    likely = f"{language}-{region.upper()}" if region else _usual(language)
    of_the_flow = next((tag for tag in spoken if not region and tag.startswith(f"{language}-")), likely)
    try:
        return f"did you mean {read_language(of_the_flow)}?"
    except ValueError:
        return ""


def _usual(language: str) -> str:
    """By CLDR's likely subtags: `zh_Hans_CN` for zh."""
    region: str = get_global("likely_subtags").get(language, "").rpartition("_")[2]
    return f"{language}-{region}"


# ---- what stands on the other side


def _beside(expression: Expression, other: str) -> Iterator[tuple[Name, str]]:
    """Every name from left to right, with the value that it is compared with."""
    if isinstance(expression, Name):
        yield expression, other
    elif isinstance(expression, Operation):
        if expression.word in _COMPARING:
            names = {part.name for part in expression.parts if isinstance(part, Name)}
            other = next((name for name in ("language", "weekday", "channel") if name in names), "")
        for part in expression.parts:
            yield from _beside(part, other)


_COMPARING = frozenset({"=", "!=", "in", "not in", "<", "<=", ">", ">="})
