"""A rehearsal for people: the call file with what was heard beside it, and what differs marked where it differs."""

import re
from collections.abc import Iterator
from textwrap import wrap

from ivr.core.stray_cards import card_within
from ivr.testing.cards import is_published
from ivr.testing.rehearsal import PlayedLine, Rehearsal

FILE_WIDTH = 44
HEARD_WIDTH = 72


def explain(name: str, rehearsal: Rehearsal) -> str:
    """The first difference in one line, then the whole call."""
    return "\n".join([_headline(name, rehearsal), "", *_columns(rehearsal)])


def _headline(name: str, rehearsal: Rehearsal) -> str:
    found = rehearsal.first_difference
    if found is None:
        return f"{name}: {rehearsal.money}"
    return f"{name}:{found.instruction.line}: {found.instead}"


def _columns(rehearsal: Rehearsal) -> Iterator[str]:
    by_line = {played.instruction.line: played for played in rehearsal.played}
    yield _row("", "the call file", "what was heard")
    for number, line in enumerate(rehearsal.text.splitlines(), 1):
        written = f"{number:4}  {without_cards(line.rstrip())}"
        played = by_line.get(number)
        yield from _rows(written, played) if played else [_row("", written, "")]
    if rehearsal.money:
        yield _row("E", "", rehearsal.money)


def _rows(written: str, played: PlayedLine) -> Iterator[str]:
    """What was heard stands below the line that made it be said; what is not true is marked with an E."""
    if not played.instead:
        yield _row("", written, "")
    else:
        expected = f"{played.instruction.verb} {played.instruction.rest}".strip()
        yield _row("E", written, f"expected: {expected}")
        for number, part in enumerate(wrap(played.instead, HEARD_WIDTH - 10)):
            yield _row("E", "", f"{'instead:  ' if number == 0 else ' ' * 10}{part}")
    for heard in played.heard:
        said = f"{heard.name}: {heard.words}" if heard.name else heard.words
        for number, part in enumerate(wrap(said, HEARD_WIDTH)):
            yield _row("", "", f"{'  ' if number else ''}{part}")


def _row(mark: str, left: str, right: str) -> str:
    return f"{mark:1} {left:{FILE_WIDTH}} | {right}".rstrip(" |")


def without_cards(line: str) -> str:
    """A card number that is not a published test number is not shown, though somebody wrote it into the file."""
    return re.sub(r"\d{12,}", lambda found: found[0] if is_shown(found[0]) else "•" * len(found[0]), line)


def is_shown(digits: str) -> bool:
    found = card_within(digits.encode())
    return found is None or is_published(digits[found])
