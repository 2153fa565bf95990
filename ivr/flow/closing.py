"""What the kinds have in common that say or send something and go on by themselves, to one other step or to the end."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import model_validator

from ivr.flow.passing import Passing
from ivr.flow.schema import AS_RECORDED, EndName
from ivr.flow.step import Way
from ivr.flow.talk.turn import End, Leave, Reply, Turn
from ivr.reading.scalars import Target


class Closing(Passing):
    """A step that goes on to one other, or ends the call."""

    outcomes = frozenset()
    optional_outcomes = frozenset({"ok"})
    then: Target | None = None
    """The next step."""
    end: EndName | None = None
    """How the call ended: charged, only reserved, not charged, or not known yet; as_recorded where ways meet that differ in it."""

    @model_validator(mode="after")
    def goes_somewhere(self) -> "Closing":
        if (self.then is None) == (self.end is None):
            raise ValueError("say where it goes: either 'then: <step>' or 'end: paid | unpaid | pending | as_recorded'")
        return self

    @classmethod
    def ways_written(cls, body: Mapping[str, Any]) -> Iterator[Way]:
        then = body.get("then")
        if isinstance(then, str):
            yield ("then", "ok"), "ok", then
        else:
            yield from super().ways_written(body)

    def ends_by(self) -> frozenset[str]:
        return frozenset({"end"} if self.end else ())

    @property
    def ending(self) -> EndName | None:
        return self.end

    @property
    def colour(self) -> str:
        """Of its box: an ending's, where it has one that is the same on every way."""
        return "talk" if self.end in (None, AS_RECORDED) else str(self.end)

    def label(self, outcome: str) -> str:
        return ""

    def go_on(self, turn: Turn, *, told: bool = False) -> Reply:
        """`told`: what became of the money was the last thing said."""
        return turn, Leave("ok") if self.end is None else End(told)
