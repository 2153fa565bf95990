"""What a drawing of a flow says of its parts: words, colours and marks. How they are drawn is in `diagram`."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Protocol

from ivr.flow.drawing.layout import Edge
from ivr.flow.parts import Drawn, Place
from ivr.flow.schema import RETRY


class Box(Protocol):
    """What is drawn as a box: a step, or a phase of a call."""

    def drawn(self) -> Drawn: ...

    def targets(self) -> Iterator[tuple[Place, str, str]]: ...

    def label(self, outcome: str) -> str: ...


class Head(Protocol):
    @property
    def start(self) -> str:
        """The box where everything begins."""
        ...


class Drawable(Protocol):
    """A flow, or something else of boxes with ways between them."""

    @property
    def name(self) -> str: ...

    @property
    def head(self) -> Head: ...

    @property
    def steps(self) -> Mapping[str, Box]: ...


def edges(flow: Drawable) -> list[Edge]:
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

    def detail(self, name: str, step: Box) -> str:
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
