"""What a drawing of a flow says of its parts: words, colours and marks. How they are drawn is in `diagram`."""

from collections.abc import Sequence
from itertools import pairwise

from ivr.flow.compiled import Flow
from ivr.flow.drawing.layout import Edge
from ivr.flow.schema import RETRY
from ivr.flow.step import Step


def edges(flow: Flow) -> list[Edge]:
    """One for each pair of steps; several outcomes between the same two share it."""
    labels: dict[tuple[str, str], list[str]] = {}
    for name, step in flow.steps.items():
        for _, outcome, target in step.targets():
            pair = (name, name if target == RETRY else target)
            labels.setdefault(pair, []).append(step.label(outcome))
    return [Edge(source, target, ", ".join(filter(None, ways))) for (source, target), ways in labels.items()]


class Look:
    """What is drawn of a flow's parts beside their places: this one shows the flow alone."""

    style = ""  # CSS
    about = ""  # added to the drawing's title

    def of_step(self, name: str) -> str:
        """Further classes of the step's group, each behind a space."""
        return ""

    def of_way(self, source: str, target: str) -> str:
        """The same of a line."""
        return ""

    def detail(self, name: str, step: Step) -> str:
        """The smaller words in the step's box."""
        return step.drawn().words

    def label(self, edge: Edge) -> str:
        return edge.label

    def share(self, name: str) -> float:
        """How much of the box's lower edge is marked, 0 to 1."""
        return 0.0


PLAIN = Look()


class OneCall(Look):
    """The way that one call has taken, to its last step."""

    def __init__(self, way: Sequence[str]) -> None:
        self.way, self.taken = way, set(pairwise(way))

    def of_step(self, name: str) -> str:
        return "" if name not in self.way else " took now" if name == self.way[-1] else " took"

    def of_way(self, source: str, target: str) -> str:
        return " took" if (source, target) in self.taken else ""
