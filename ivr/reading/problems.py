"""A problem in something a person wrote, with its place and a cure; collected, so that all are told at once."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import SequenceMatcher, get_close_matches
from posixpath import commonprefix

from ivr.reading.rules import Rule

LONGEST_MESSAGE = 300
LEAST_ALIKE, MUCH_ALIKE, VERY_ALIKE = 0.6, 0.75, 0.85  # difflib's ratio: letters in common, in order
LONG = 8  # letters: such names share parts (enter_, no_match_) that say nothing
MOST_COMPARED = 500  # comparing words is slow, and nobody has so many steps


@dataclass(frozen=True, order=True)
class Problem:
    """Lines and columns count from 1, as editors do. `rule` is the kind of problem, with its code."""

    file: str
    line: int
    column: int
    message: str
    suggestion: str = ""
    rule: Rule = field(kw_only=True, compare=False)

    @property
    def is_advice(self) -> bool:
        """The flow is used all the same."""
        return self.rule.is_advice

    def __str__(self) -> str:
        level = "advice: " if self.is_advice else ""
        return line_of(self.file, (self.line, self.column), f"{level}{self.message}", self.suggestion)


def line_of(file: str, place: tuple[int, int], message: str, suggestion: str = "") -> str:
    """One line for a terminal, whatever a key in the file is."""
    cure = f" ({suggestion})" if suggestion else ""
    return f"{file}:{place[0]}:{place[1]}: {one_line(message)}{one_line(cure)}"


def one_line(text: str) -> str:
    """Printable, of bounded length, and without what may be a card number that somebody pasted into the file."""
    shown = text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}..."
    return "".join(character if character.isprintable() else "?" for character in without_card_numbers(shown))


def without_card_numbers(text: str) -> str:
    """The same text, as long as before, with dots for digits that may be a card number (13 or more in a row)."""
    return _LONG_NUMBER.sub(lambda found: _DIGIT.sub("•", found[0]), text)


# Digits as a number is written: together, or in groups. Which of them are card numbers is not asked: none is needed here.
_LONG_NUMBER = re.compile(r"\d(?:[ .,_-]?\d){12,}")
_DIGIT = re.compile(r"\d")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a slip of the finger would make of this one; none that merely shares letters with it."""
    word = _plain(word[:60])
    words = {_plain(one): one for one in sorted(known, reverse=True)[-MOST_COMPARED:]}
    near = get_close_matches(word, sorted(words), n=3, cutoff=LEAST_ALIKE)
    return next((words[one] for one in near if _is_a_slip(word, one)), None)


def _plain(word: str) -> str:
    """As every name of a flow is written: a wrong case or a hyphen is the smallest of slips."""
    return re.sub(r"[\s-]", "_", word).lower()


def _is_a_slip(word: str, other: str) -> bool:
    """`payed` for `paid`, `sya` for `say`; not `token` for `then`, nor `enter_policy` for `enter_money`."""
    same = len(commonprefix([word, other]))
    tail = len(commonprefix([word[same:][::-1], other[same:][::-1]]))
    if sorted(word) == sorted(other) or _alike(word, other) >= VERY_ALIKE:
        return True
    if len(word) >= LONG:
        return _alike(word[same : len(word) - tail], other[same : len(other) - tail]) >= LEAST_ALIKE
    return same >= 2 or _alike(word, other) >= MUCH_ALIKE


def _alike(word: str, other: str) -> float:
    return SequenceMatcher(a=word, b=other).ratio()


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word as a question, or all of them when none is near."""
    known = sorted(known)
    near = nearest(word, known)
    if near is not None:
        return f"did you mean '{near}'?"
    return f"known: {', '.join(known)}" if known else ""
