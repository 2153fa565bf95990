"""Calendars: holidays that several flows share, in a file of its own beside the parts (`calendar: <name>`, `days: [...]`).

    holidays: [us_federal, 12-24]

has the days of `parts/us_federal.yaml` in the place of its name before anything else looks at the flow. The file is a piece of the
version of each flow that names it, like a part.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from ivr.flow.schema import Written
from ivr.flow.schema_problems import schema_problems
from ivr.reading.hours import Holidays
from ivr.reading.problems import Problem, nearest
from ivr.reading.rules import expressions
from ivr.reading.scalars import NAME_PATTERN, Name
from ivr.reading.yaml_source import Path, Source

KEY = "calendar"
LIST = ("hours", "holidays")


class CalendarFile(Written):
    """Days on which merchants are closed, under a name."""

    calendar: Name
    """The calendar's name, by which flows name it among their holidays."""
    days: Holidays
    """The days: 2026-12-24, 12-25 of every year, 4th thursday of november."""


@dataclass(frozen=True)
class Calendar:
    """A calendar without problems. `text` is what it was read from."""

    name: str
    source: Source
    text: str

    @property
    def days(self) -> list[str]:
        days: list[str] = self.source.tree["days"]
        return days


@dataclass
class Listed:
    """A flow's tree with the days of its calendars. `origins`: where each of its holidays was written."""

    tree: Any
    origins: dict[Path, tuple[Source, Path]] = field(default_factory=dict)
    used: dict[str, Calendar] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def is_calendar(source: Source) -> bool:
    return isinstance(source.tree, dict) and KEY in source.tree


def read_calendar(source: Source, text: str) -> tuple[Calendar | None, list[Problem]]:
    try:
        read = CalendarFile.model_validate(source.tree)
    except ValidationError as error:
        return None, [*source.problems, *schema_problems(source, (), CalendarFile, error)]
    return (None if source.problems else Calendar(read.calendar, source, text)), list(source.problems)


def with_days(source: Source, known: Mapping[str, Calendar], broken: frozenset[str]) -> Listed:
    """`broken`: names of files that have problems, which are reported there."""
    hours = source.tree.get(LIST[0]) if isinstance(source.tree, dict) else None
    written = hours.get(LIST[1]) if isinstance(hours, dict) else None
    listed = Listed(source.tree)
    if not isinstance(written, list) or not any(map(_is_name, written)):
        return listed
    days: list[Any] = []
    for index, entry in enumerate(written):
        place = (source, (*LIST, index))
        if not _is_name(entry):
            listed.origins[(*LIST, len(days))] = place
            days.append(entry)
        elif entry in known:
            listed.used[entry] = known[entry]
            for below, day in enumerate(known[entry].days):
                listed.origins[(*LIST, len(days))] = (known[entry].source, ("days", below))
                days.append(day)
        else:
            listed.problems += _not_known(source, index, entry, known, broken)
    listed.tree = source.tree | {LIST[0]: hours | {LIST[1]: days}} if isinstance(hours, dict) else source.tree
    return listed


def _is_name(entry: Any) -> bool:
    return isinstance(entry, str) and re.fullmatch(NAME_PATTERN, entry) is not None


def _not_known(
    source: Source, index: int, name: str, known: Mapping[str, Calendar], broken: frozenset[str]
) -> Iterator[Problem]:
    near = nearest(name, known)
    cure = f"did you mean '{near}'?" if near else f"make parts/{name}.yaml, which begins with '{KEY}: {name}'"
    message = f"no calendar is called '{name}'"
    if name in broken:
        message, cure = f"calendar '{name}' has problems", f"mend parts/{name}.yaml"
    yield source.problem(expressions.NO_SUCH_CALENDAR, (*LIST, index), message, cure)
