"""What the kinds have in common at which no call rests: they say, send or compute something and go on within the same turn."""

from collections.abc import Iterator
from typing import ClassVar

from ivr.core.events import Event
from ivr.flow.parts import Facts, Finding, Keyed, Known, Need, Phases, Place
from ivr.flow.step import Step
from ivr.flow.talk.turn import Again, Reply, Turn


class Passing(Step):
    """A step that goes on by itself. It needs nothing and makes nothing where a kind does not say otherwise."""

    phases: ClassVar[Phases] = {"entry": "passes"}

    @property
    def goes_on_by_itself(self) -> bool:
        return True

    def needs(self, name: str) -> Iterator[Need]:
        yield from ()

    def makes(self, path: Place, outcome: str, facts: Facts) -> Facts:
        return facts

    def tells(self, path: Place, outcome: str, known: frozenset[str]) -> frozenset[str]:
        return known

    def findings(self, name: str, known: Known) -> Iterator[Finding]:
        yield from ()

    def keyed(self, phase: str) -> Keyed:
        return "key"

    def hear(self, turn: Turn, event: Event) -> Reply:
        """Nothing is waited for: whatever comes, it is done once more."""
        return turn, Again()
