"""`end`: the end of a call, which says what is true of its charges by itself."""

from collections.abc import Iterator

from ivr.flow.closing import Closing
from ivr.flow.parts import Drawn, Explained, Said, in_words
from ivr.flow.registry import step_kind
from ivr.flow.schema import EndName
from ivr.flow.talk.turn import Reply, Turn


@step_kind
class EndStep(Closing):
    """End the call."""

    word = "end"
    place = 80
    explained = Explained(
        "`end`",
        "Ends the call: `paid`, `reserved`, `unpaid` or `pending`; `as_recorded` where ways meet that differ in it",
    )
    example = """
not_charged: {end: unpaid}
"""

    end: EndName
    """How the call ended: charged, only reserved, not charged, or not known yet; as_recorded where ways meet that differ in it."""

    def says(self) -> Iterator[Said]:
        yield from ()

    def drawn(self) -> Drawn:
        return Drawn(self.colour, f"end {in_words(self.end)}")

    def put(self, turn: Turn) -> Reply:
        return self.go_on(turn)
