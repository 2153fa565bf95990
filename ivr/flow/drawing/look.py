"""What a drawing of a flow says of its parts: words, colours and marks. How they are drawn is in `diagram`."""

from collections.abc import Sequence
from itertools import pairwise

from ivr.flow.compiler import Flow
from ivr.flow.drawing.layout import Edge
from ivr.flow.schema import (
    RETRY,
    AskStep,
    Closing,
    CollectStep,
    EndStep,
    MenuStep,
    PayStep,
    ResolveStep,
    SayStep,
    SmsStep,
    Step,
)

MOST_SHOWN = 3  # fields of a card step before the rest becomes dots


def colour(step: Step) -> str:
    """An ending's colour is its outcome."""
    if isinstance(step, Closing) and step.end is not None:
        return step.end
    if isinstance(step, CollectStep):
        return "card"
    return "bank" if isinstance(step, PayStep | ResolveStep) else "talk"


def detail(step: Step) -> str:
    """What the step does, in a few words."""
    match step:
        case AskStep():
            return f"ask {words_of(step.ask)}"
        case MenuStep():
            return f"menu: {', '.join(step.menu)}"
        case CollectStep():
            more = " ..." if len(step.collect) > MOST_SHOWN else ""
            return f"collect {', '.join(map(words_of, step.collect[:MOST_SHOWN]))}{more}"
        case PayStep():
            return f"pay: {words_of(step.pay)}"
        case ResolveStep():
            return "inquire, then reverse"
        case SayStep():
            return f"say {words_of(step.say)}"
        case SmsStep():
            return f"text {words_of(step.sms)}"
        case EndStep():
            return f"end {step.end}"
    raise AssertionError(f"a step of an unknown kind: {step!r}")


def words_of(name: str) -> str:
    return name.replace("_", " ")


def edges(flow: Flow) -> list[Edge]:
    """One for each pair of steps; several outcomes between the same two share it."""
    labels: dict[tuple[str, str], list[str]] = {}
    for name, step in flow.steps.items():
        for _, outcome, target in step.targets():
            pair = (name, name if target == RETRY else target)
            labels.setdefault(pair, []).append(_label(outcome, step))
    return [Edge(source, target, ", ".join(filter(None, ways))) for (source, target), ways in labels.items()]


def _label(outcome: str, step: Step) -> str:
    if isinstance(step, Closing):
        return ""
    return f"key {outcome.removeprefix('key_')}" if outcome.startswith("key_") else words_of(outcome)


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
        return detail(step)

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
