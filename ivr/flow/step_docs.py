"""The part of docs/flows.md that explains the kinds of steps, made from what they say of themselves."""

from collections.abc import Iterator

from ivr.flow.parts import Explained
from ivr.flow.steps import kinds
from ivr.places import COMMAND

# Everything between these two lines is made here.
BEGIN, END = f"<!-- steps: {COMMAND} schema --docs docs/flows.md -->", "<!-- end of steps -->"
HEAD = Explained("word", "what it does", "outcomes", "its other keys")


def steps_in_markdown() -> str:
    """The table of kinds, and an example of each."""
    rows = [_row(HEAD), "| --- | --- | --- | --- |", *(_row(kind.explained) for kind in kinds())]
    return "\n".join([*rows, "", "One of each:", "", "```yaml", *_examples(), "```"])


def _row(of: Explained) -> str:
    return "| " + " | ".join((of.written, of.does, of.outcomes, of.keys)).rstrip() + " |"


def _examples() -> Iterator[str]:
    for kind in kinds():
        yield from kind.example.strip().splitlines()


def with_steps(text: str) -> str:
    """The document with this part renewed; a ValueError where its two lines are not there."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"it has no lines {BEGIN} and {END}")
    return f"{before}{begin}\n{steps_in_markdown()}\n{end}{after}"
