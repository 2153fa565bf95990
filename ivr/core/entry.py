"""What the clear and done keys mean in an entry: pure positions, so that a card number is never copied to be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import NamedTuple

from ivr.core.brands import LONGEST_PAN, SHORTEST_PAN, ZERO, Ending
from ivr.core.stray_cards import holds_card_number

KEY_OF_WORD = {"star": "*", "pound": "#"}


@dataclass(frozen=True)
class EntryRules:
    """When an entry is over: `max_length` ends it by itself where `ends_by_length`, as does an `ends_at` prefix rule.

    `is_plain`: no card number's entry. A whole card number is then one entry, however short the question is: none of it
    may be left over as the answer to the next one, or to the same one again.
    """

    min_length: int
    max_length: int
    done: str = "#"
    clear: str = "*"
    ends_by_length: bool = True
    ends_at: tuple[Ending, ...] = ()
    is_plain: bool = False

    @cached_property
    def ends_at_first(self) -> int:
        """The fewest keys at which an `ends_at` prefix rule can end the entry."""
        return min((ending.length for ending in self.ends_at), default=LONGEST_PAN + 1)

    @cached_property
    def editing(self) -> tuple[int, int]:
        """The done and the clear key, in ASCII."""
        return ord(self.done), ord(self.clear)


class Reading(Enum):
    """What the keys so far amount to."""

    COMPLETE = "complete"  # an entry of legal length, or ended by the done key
    OPEN = "open"  # keys are there, more may come; if the timer has run out it is too short
    CLEARED = "cleared"  # the caller cleared the entry and has not yet begun again
    CANCEL = "cancel"  # the clear key on an empty entry
    EMPTY = "empty"  # the done key on an empty entry


class Span(NamedTuple):
    """`keys[start:end]` is the entry; `used` keys have been read, what follows is type-ahead."""

    reading: Reading
    start: int
    end: int
    used: int


def read_entry(keys: bytes | bytearray, rules: EntryRules) -> Span:
    """Reads ASCII keys up to the end of one entry."""
    done, clear = rules.editing
    start = 0
    if rules.is_plain and (card := _card_in(keys, done)) is not None:
        return card
    for position, key in enumerate(keys):
        if key == clear:
            if position == start:
                # A second clear key after a first is an empty entry too: the caller wants out.
                return Span(Reading.CANCEL, start, start, position + 1)
            start = position + 1
        elif key == done:
            reading = Reading.EMPTY if position == start else Reading.COMPLETE
            return Span(reading, start, position, position + 1)
        elif (rules.ends_by_length and position + 1 - start >= rules.max_length) or (
            position + 1 - start >= rules.ends_at_first and _ends_at(keys, start, position + 1, rules)
        ):
            return Span(Reading.COMPLETE, start, position + 1, _behind(keys, position + 1, done))
    reading = Reading.OPEN if len(keys) > start else (Reading.CLEARED if keys else Reading.OPEN)
    return Span(reading, start, len(keys), len(keys))


def read_after_timeout(keys: bytes | bytearray, rules: EntryRules) -> Span:
    """The same once no more keys will come: a long enough entry stands, a shorter one after a clear is a fresh start."""
    span = read_entry(keys, rules)
    if span.reading is not Reading.OPEN:
        return span
    length = span.end - span.start
    if length >= rules.min_length:
        return Span(Reading.COMPLETE, span.start, span.end, span.used)
    return Span(Reading.CLEARED, span.start, span.end, span.used) if span.start else span


def ends_itself(keys: bytes | bytearray, rules: EntryRules) -> bool:
    """Whether these keys, one entry, are over by length or timer: neither the done key nor the clear key came last."""
    return len(keys) > 0 and keys[-1] not in rules.editing


def _card_in(keys: bytes | bytearray, done: int) -> Span | None:
    """The first run of digits that holds a whole card number, with the done key behind it."""
    if len(keys) < SHORTEST_PAN:
        return None
    start = 0
    for position in range(len(keys) + 1):
        if position < len(keys) and ZERO <= keys[position] <= ZERO + 9:
            continue
        if position - start >= SHORTEST_PAN and holds_card_number(memoryview(keys)[start:position]):
            return Span(Reading.COMPLETE, start, position, _behind(keys, position, done))
        start = position + 1
    return None


def _behind(keys: bytes | bytearray, end: int, done: int) -> int:
    """How many keys are used by an entry that is over by itself: a done key typed along with it is its own, out of habit."""
    return end + 1 if end < len(keys) and keys[end] == done else end


def _ends_at(keys: bytes | bytearray, start: int, end: int, rules: EntryRules) -> bool:
    return any(end - start >= ending.length and _begins(keys, start, ending) for ending in rules.ends_at)


def _begins(keys: Sequence[int], start: int, ending: Ending) -> bool:
    size = len(ending.low)
    prefix = bytes(keys[start : start + size])
    return len(prefix) == size and ending.low.encode() <= prefix <= ending.high.encode()
