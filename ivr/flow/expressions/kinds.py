"""The types of values in expressions, and those values that a call never keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Type = Literal["money", "number", "percent", "days", "date", "time", "text", "yes_no", "language", "weekday"]
IN_WORDS: Mapping[Type, str] = {
    "money": "an amount of money",
    "number": "a number",
    "percent": "a percentage",
    "days": "a number of days",
    "date": "a date",
    "time": "a time of day",
    "text": "a text",
    "yes_no": "a yes or no",
    "language": "a language",
    "weekday": "a day of the week",
}
# What every call knows of itself.
BUILT_IN: Mapping[str, Type] = {
    "today": "date",
    "now": "time",
    "weekday": "weekday",
    "open": "yes_no",
    "language": "language",
    "caller": "text",
    "called": "text",
    "channel": "text",
    "remembered": "yes_no",
}
TIMED = frozenset({"today", "now", "weekday", "open"})
"""Those that depend on where the clock is: a flow that names one says its time zone."""


@dataclass(frozen=True)
class Percent:
    """In hundredths of a percent: 2.5 % is 250."""

    hundredths: int

    def of(self, minor: int) -> int:
        """The share of an amount in minor units, half a unit rounded away from nothing: 5 % of 10.50 is 0.53."""
        whole, rest = divmod(abs(minor) * self.hundredths, 10_000)
        share = whole + (rest >= 5_000)
        return share if minor >= 0 else -share
