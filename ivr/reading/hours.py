"""Hours and holidays as a merchant writes them: `monday..friday: 8:00-17:30`, `2026-12-24`, `4th thursday of november`."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from ivr.core.hours import A_DAY, Holiday, OpenSpan, zone_of
from ivr.reading.problems import did_you_mean, nearest
from ivr.reading.rules import Rule, expressions
from ivr.reading.scalars import WrongValue

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_NTH = {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "last": -1}
_SPAN = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_YEARLY = re.compile(r"(\d{2})-(\d{2})", re.ASCII)
_RULE = re.compile(r"(\S+) (\S+) of (\S+)")
OVERLAP = "hours of one day overlap, or are not in their order"
A_LEAP_YEAR = 2024
LONGEST_SHOWN = 30  # characters of what cannot be read


def read_zone(name: Any) -> str:
    if isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9_+/-]{1,60}", name):
        try:
            zone_of(name)
        except (KeyError, ValueError, OSError):  # a folder of zones is none
            pass
        else:
            return name
    raise _wrong(expressions.NO_SUCH_ZONE, "no such time zone", "", _near_zone(name))


def _wrong(rule: Rule, message: str, key: str | int = "", cure: str = "") -> WrongValue:
    return WrongValue(rule, f"{message} ({cure})" if cure else message, key)


def _near_zone(name: Any) -> str:
    near = nearest(name, available_timezones()) if isinstance(name, str) else None
    return f"did you mean '{near}'?" if near else "write it like America/New_York or Europe/Madrid"


def abbreviated_zone(name: str) -> tuple[str, str] | None:
    """What is wrong with a zone that can be read and belongs to no place, and the cure; None for every other one."""
    offset = _OFFSET.fullmatch(name)
    if offset is not None:
        # POSIX counts from the place to Greenwich: Etc/GMT+5 is UTC-5.
        hours = -int(offset[1] or 0)
        ahead = f"{abs(hours)} hours {'ahead of' if hours > 0 else 'behind'} UTC" if hours else "UTC"
        message = f"'{name}' is {ahead} all year: its clock is not changed in spring and autumn"
        return message, _place(_PLACE_OF_OFFSET.get(hours))
    if name not in _PLACES:
        return None
    message = f"'{name}' is an abbreviation, and no place whose clock is known"
    if zone_of(name).utcoffset(_WINTER) == zone_of(name).utcoffset(_SUMMER):
        message = f"'{name}' has the same time all year: its clock is not changed in spring and autumn"
    return message, _place(_PLACES[name])


def _place(likely: str | None) -> str:
    return f"write the place that is meant, such as {likely or 'America/New_York or Europe/Madrid'}"


_WINTER, _SUMMER = datetime(2024, 1, 15), datetime(2024, 7, 15)
_OFFSET = re.compile(r"(?:Etc/)?(?:GMT|Greenwich)([+-]?\d{1,2})?", re.ASCII)
_PLACES = {
    **{"EST": "America/New_York", "EST5EDT": "America/New_York", "CST6CDT": "America/Chicago"},
    **{"MST": "America/Denver", "MST7MDT": "America/Denver", "PST8PDT": "America/Los_Angeles"},
    **{"HST": "Pacific/Honolulu", "WET": "Europe/Lisbon", "CET": "Europe/Madrid", "MET": "Europe/Madrid"},
    "EET": "Europe/Athens",
}
_PLACE_OF_OFFSET = {
    **{-10: "Pacific/Honolulu", -9: "America/Anchorage", -8: "America/Los_Angeles", -7: "America/Denver"},
    **{-6: "America/Chicago", -5: "America/New_York", -4: "America/Halifax", -3: "America/Sao_Paulo"},
    **{0: "Europe/London", 1: "Europe/Madrid", 2: "Europe/Athens", 10: "Australia/Sydney", 12: "Pacific/Auckland"},
}


def read_days(written: Any) -> Mapping[int, tuple[OpenSpan, ...]]:
    """By weekday, from Monday as 0."""
    if not isinstance(written, dict) or not written:
        raise _wrong(expressions.NOT_HOURS, "expected days with their hours", "", "such as monday..friday: 8:00-17:30")
    days: dict[int, tuple[OpenSpan, ...]] = {}
    for key, spans in written.items():
        for day in _weekdays(key):
            if day in days:
                cure = f"write its hours once, as in {WEEKDAYS[day]}: [8:00-12:00, 13:00-17:00]"
                raise _wrong(expressions.NOT_HOURS, f"{WEEKDAYS[day]} is there twice", key, cure)
            days[day] = _spans(key, spans)
    return days


def _weekdays(key: str) -> range:
    first, dots, last = key.partition("..")
    for name in (first, last) if dots else (first,):
        if name not in WEEKDAYS:
            raise _wrong(expressions.NOT_HOURS, f"'{name}' is no day of the week", key, did_you_mean(name, WEEKDAYS))
    begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last if dots else first)
    if begin > end:
        raise _wrong(expressions.NOT_HOURS, f"'{key}' ends before it begins", key, "weeks begin on Monday")
    return range(begin, end + 1)


def _spans(key: str, written: Any) -> tuple[OpenSpan, ...]:
    spans = [_span(key, one) for one in (written if isinstance(written, list) else [written])]
    for before, after in pairwise(spans):
        if after.opens < before.closes:
            raise _wrong(expressions.NOT_HOURS, OVERLAP, key, "each begins when the one before has ended")
    return tuple(spans)


def _span(key: str, text: Any) -> OpenSpan:
    match = _SPAN.fullmatch(text) if isinstance(text, str) else None
    numbers = [int(number) for number in match.groups()] if match else [24, 60, 24, 60]
    opens, closes = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
    if not match or max(numbers[1], numbers[3]) > 59 or opens >= A_DAY or closes > A_DAY:
        raise _wrong(expressions.NOT_HOURS, "expected hours such as 8:00-17:30", key, "the last one of a day is 24:00")
    if opens == closes:
        cure = "for all of a day write 0:00-24:00, and leave out a day that is closed"
        raise _wrong(expressions.NOT_HOURS, "these hours end as they begin", key, cure)
    return OpenSpan(opens, closes if closes > opens else closes + A_DAY)


def a_list(written: Any) -> Any:
    if not isinstance(written, list):
        raise _wrong(expressions.NOT_A_HOLIDAY, "expected a list of dates", "", "write it as [2026-12-24, 12-25]")
    return written


def read_holiday(text: Any) -> Holiday:
    found = _dated(text) or _ruled(text) if isinstance(text, str) else None
    if found is None:
        cure = "write 2026-12-24, 12-25 for every year, or '4th thursday of november'"
        named = f"'{text[:LONGEST_SHOWN]}'" if isinstance(text, str) and text else "this"
        raise _wrong(expressions.NOT_A_HOLIDAY, f"{named} is no holiday", "", cure)
    return found


def _dated(text: str) -> Holiday | None:
    yearly = _YEARLY.fullmatch(text)
    try:
        if yearly:
            day = date(A_LEAP_YEAR, int(yearly[1]), int(yearly[2]))
            return Holiday(None, day.month, day.day)
        day = date.fromisoformat(text if _DATE.fullmatch(text) else "")
        return Holiday(day.year, day.month, day.day)
    except ValueError:
        return None


def _ruled(text: str) -> Holiday | None:
    match = _RULE.fullmatch(text)
    if match is None or match[1] not in _NTH or match[2] not in WEEKDAYS or match[3] not in MONTHS:
        return None
    return Holiday(None, MONTHS.index(match[3]) + 1, nth=_NTH[match[1]], weekday=WEEKDAYS.index(match[2]))


_SPAN_SCHEMA = {"type": "string", "pattern": r"^\d{1,2}:\d{2}-\d{1,2}:\d{2}$", "examples": ["8:00-17:30"]}
_DAY = f"({'|'.join(WEEKDAYS)})"
ZoneName = Annotated[
    str,
    BeforeValidator(read_zone),
    WithJsonSchema({"type": "string", "examples": ["America/New_York", "Europe/Madrid"]}),
]
Days = Annotated[
    Mapping[int, tuple[OpenSpan, ...]],
    PlainValidator(read_days),
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": rf"^{_DAY}(\.\.{_DAY})?$"},
            "additionalProperties": {"anyOf": [_SPAN_SCHEMA, {"type": "array", "items": _SPAN_SCHEMA}]},
        }
    ),
]
Holidays = Annotated[
    tuple[Annotated[Holiday, PlainValidator(read_holiday)], ...],
    BeforeValidator(a_list),
    WithJsonSchema(
        {"type": "array", "items": {"type": "string", "examples": ["2026-12-24", "12-25", "4th thursday of november"]}}
    ),
]
