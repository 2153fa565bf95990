"""A problem in something a person wrote, with its place and a cure; collected, so that all are told at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

LONGEST_MESSAGE = 300
MOST_COMPARED = 500  # comparing words is slow, and nobody has so many steps


@dataclass(frozen=True, order=True)
class Problem:
    """Lines and columns count from 1, as editors do."""

    file: str
    line: int
    column: int
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        """One line for a terminal, whatever a key in the file is."""
        cure = f" ({self.suggestion})" if self.suggestion else ""
        return f"{self.file}:{self.line}:{self.column}: {one_line(self.message)}{one_line(cure)}"


def one_line(text: str) -> str:
    shown = text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}..."
    return "".join(character if character.isprintable() else "?" for character in shown)


def nearest(word: str, known: Iterable[str]) -> str | None:
    near = get_close_matches(word[:60], sorted(known)[:MOST_COMPARED], n=1, cutoff=0.6)
    return near[0] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word as a question, or all of them when none is near."""
    known = sorted(known)
    near = nearest(word, known)
    if near is not None:
        return f"did you mean '{near}'?"
    return f"known: {', '.join(known)}" if known else ""
