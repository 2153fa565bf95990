"""The phases of a call as something that `flow.drawing` can draw: a box for each, a line where one may follow another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivr.conversation.phases import COLUMNS, OF_A_KIND, TABLE, Column
from ivr.flow.parts import Drawn, Place, in_words
from ivr.flow.step import Step
from ivr.flow.steps import kinds

NEXT_STEP = "next_step"
_MOMENTS = {
    "asks": Drawn("talk", "a question has been put"),
    "offers": Drawn("talk", "more is offered"),
    "looks_up": Drawn("pending", "on hold for a look-up"),
    "waits": Drawn("bank", "on hold for an answer"),
    "passes": Drawn("paid", "no call rests here"),
    "over": Drawn("unpaid", "nothing but a hang-up"),
}
_RESTS = ("asks", "offers", "looks_up", "waits")


@dataclass(frozen=True)
class PhaseBox:
    look: Drawn
    ways: tuple[tuple[str, str], ...]
    """(words, the phase that follows)."""

    def drawn(self) -> Drawn:
        return self.look

    def targets(self) -> Iterator[tuple[Place, str, str]]:
        for words, target in self.ways:
            yield (), words, target

    def label(self, outcome: str) -> str:
        return outcome


@dataclass(frozen=True)
class Start:
    start: str = "language"


@dataclass(frozen=True)
class PhasePicture:
    steps: Mapping[str, PhaseBox]
    head: Start = Start()
    name: str = "phases"


def phase_picture() -> PhasePicture:
    """Of every kind that is registered. From each phase a fault, a limit and a hang-up lead to `over`: drawn once."""
    boxes = {
        "language": PhaseBox(_MOMENTS["asks"], (("chosen", NEXT_STEP),)),
        NEXT_STEP: PhaseBox(Drawn("talk", "where the outcome leads"), tuple(_ways_in())),
        "cancel": PhaseBox(_MOMENTS["asks"], (("yes, and the flow leads on", NEXT_STEP), ("yes", "over"))),
        "over": PhaseBox(_MOMENTS["over"], ()),
    }
    for kind in kinds():
        boxes |= {_box_name(kind, phase): _box(kind, phase) for phase in kind.phases}
    return PhasePicture(boxes)


def _ways_in() -> Iterator[tuple[str, str]]:
    yield "an ending, a limit, a fault, a hang-up", "over"
    for kind in kinds():
        yield "entered", _box_name(kind, "entry")


def _box(kind: type[Step], phase: str) -> PhaseBox:
    moment = kind.phases[phase]
    events = ", ".join(in_events(heard(kind, phase))) if moment in _RESTS else "at once"
    ways = [(events, _box_name(kind, other)) for other in leads(kind, phase)]
    if not (moment == "passes" and ways):
        ways.append((events, NEXT_STEP))
    if moment == "asks":
        ways.append(("clear key on nothing", "cancel"))
    return PhaseBox(_MOMENTS[moment], tuple(ways))


def _box_name(kind: type[Step], phase: str) -> str:
    name = kind.__name__.removesuffix("Step")
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).strip("_")
    return f"{words}/{phase}"


def leads(kind: type[Step], phase: str) -> tuple[str, ...]:
    """The other phases of the same step that may follow this one."""
    return kind.leads.get(phase, tuple(other for other in kind.phases if other != phase))


def heard(kind: type[Step], phase: str) -> tuple[type[object], ...]:
    """The events that the kind takes in this phase."""
    moment: Column = kind.phases[phase]
    of_the_moment = tuple(event for event, row in TABLE.items() if row[moment] == "hears")
    return (*of_the_moment, *kind.hears.get(phase, ()))


def in_events(events: tuple[type[object], ...]) -> tuple[str, ...]:
    """`KeysEntered` as "keys entered"."""
    words = ("".join(f"_{c.lower()}" if c.isupper() else c for c in event.__name__).strip("_") for event in events)
    return tuple(in_words(each) for each in words)


def in_markdown() -> str:
    """The table of `phases` for a document, its events in words."""
    lines = [f"| event | {' | '.join(map(in_words, COLUMNS))} |", f"|---{'|---' * len(COLUMNS)}|"]
    for event, row in TABLE.items():
        lines.append(f"| {in_events((event,))[0]} | {' | '.join(row[column] for column in COLUMNS)} |")
    lines.append(f"| a kind's own | {' | '.join(OF_A_KIND[column] for column in COLUMNS)} |")
    return "\n".join(lines) + "\n"
