"""`use: <part>`: the steps of a part, which stand in the place of this one before anything of the flow is compiled (`flow.inlining`).

So no call is ever at such a step: what is here is how it is written.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from pydantic import Field

from ivr.core.events import Event
from ivr.flow.parts import Drawn, Explained, Said
from ivr.flow.passing import Passing
from ivr.flow.registry import step_kind
from ivr.flow.talk.turn import Turn
from ivr.reading.scalars import Name, Target


@step_kind
class UseStep(Passing):
    """Go through the steps of a part, which other flows may use too."""

    word = "use"
    place = 90
    explained = Explained(
        "`use: <part>`",
        "Goes through the steps of a part ([Parts](#parts))",
        "those of the part",
        "`with: {<parameter>: <value>}`",
    )
    example = """
sign_in:
  use: authenticate
  with: {length: 8}
  then: {known: amount, not_known: not_charged}
"""
    outcomes = frozenset()

    use: Name
    """The part's name; its file is in flows/parts/."""
    given: dict[Name, Any] = Field(alias="with", default={})
    """What the part takes, by name."""
    then: dict[str, Target]
    """Where each outcome of the part goes."""

    @classmethod
    def part_used(cls, body: Mapping[str, Any]) -> str:
        return body["use"] if isinstance(body.get("use"), str) else ""

    def known_outcomes(self) -> frozenset[str]:
        return frozenset(self.then)

    def says(self) -> Iterator[Said]:
        yield from ()

    def drawn(self) -> Drawn:
        return Drawn("talk", f"use {self.use}")

    def put(self, turn: Turn) -> NoReturn:
        raise AssertionError(f"the steps of part '{self.use}' are not in their place")

    def hear(self, turn: Turn, event: Event) -> NoReturn:
        raise AssertionError(f"the steps of part '{self.use}' are not in their place")
