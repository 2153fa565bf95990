"""`transfer: <number>`: connects the caller to a person, where the line can, and leaves the call. The card stays behind.

What became of the money is said first, as at any ending, and a card that was keyed in and not charged is forgotten before
anybody else is on the line. There is no way to it while a charge has no answer. Where nobody is reached, or the line cannot
connect callers, the call goes on by `not_available`. A line that ends before anybody was reached, or before the network
has said so, is on record with both: that a person was being rung, and that the line ended.
"""

from collections.abc import Iterator
from typing import ClassVar

from ivr.core.actions import Transfer
from ivr.core.events import Event, TransferEnded
from ivr.core.moves import CONNECTING
from ivr.flow.parts import (
    Drawn,
    Explained,
    Facts,
    Finding,
    Hears,
    Keyed,
    Known,
    Leads,
    Need,
    Phases,
    Place,
    Said,
    Values,
)
from ivr.flow.registry import step_kind
from ivr.flow.step import Step
from ivr.flow.talk import ending
from ivr.flow.talk.turn import Leave, Listen, Reply, Turn
from ivr.reading.rules import charges
from ivr.reading.scalars import PhoneNumber, Target

# The others cannot hand a call on: their callers go the way of `not_available`.
LINES_THAT_TRANSFER = frozenset({"twilio", "sip", "browser", "simulator"})


@step_kind
class TransferStep(Step):
    """Connect the caller to a person, and leave the call."""

    word = "transfer"
    place = 76
    explained = Explained(
        "`transfer: <number>`",
        "Connects the caller to a person and leaves the call ([A person](#a-person))",
        "`not_available`: nobody was reached, or this line cannot; otherwise the call ends",
    )
    example = """
person: {transfer: "+15550123456", then: {not_available: not_charged}}
"""
    outcomes = frozenset({"not_available"})
    phases: ClassVar[Phases] = {"entry": "passes", "connecting": "waits"}
    hears: ClassVar[Hears] = {"connecting": (TransferEnded,)}
    leads: ClassVar[Leads] = {"entry": ("connecting",), "connecting": ()}
    speaks: ClassVar[Values] = {"transferring": frozenset(), "nobody_reached": frozenset()}

    transfer: PhoneNumber
    """The number in full, with + and the country, in quotes."""
    then: dict[str, Target]
    """Where it goes when nobody was reached, and on a line that cannot connect callers to anybody."""

    def ends_by(self) -> frozenset[str]:
        return frozenset({"end"})

    @property
    def goes_on_by_itself(self) -> bool:
        return True

    @property
    def relies_on(self) -> Iterator[tuple[Place, str]]:
        yield ("transfer",), "transfers"

    def says(self) -> Iterator[Said]:
        yield from ()

    def needs(self, name: str) -> Iterator[Need]:
        message = f"there is a way to '{name}' while a charge has no answer"
        cure = "lead 'unknown' to an 'inquire_then_reverse' step, and 'pending' to an ending"
        yield Need("unsure", charges.TRANSFER_WHILE_OPEN, message, cure, is_absent=True)
        message = f"there is a way to '{name}' on which a part of a bill is paid and the rest is not"
        cure = "lead to a 'take_back' step first: nobody pays the rest of it any more"
        yield Need("part", charges.TRANSFER_WHILE_OPEN, message, cure, is_absent=True)

    def makes(self, path: Place, outcome: str, facts: Facts) -> Facts:
        return facts - {"confirmed", "card"}  # forgotten before anybody was rung

    def tells(self, path: Place, outcome: str, known: frozenset[str]) -> frozenset[str]:
        return known

    def findings(self, name: str, known: Known) -> Iterator[Finding]:
        yield from ()

    def drawn(self) -> Drawn:
        return Drawn("unpaid", "transfer to a person")

    def keyed(self, phase: str) -> Keyed:
        return "key"

    def put(self, turn: Turn) -> Reply:
        if turn.call.channel not in LINES_THAT_TRANSFER or turn.call.unsettled:
            return turn, Leave("not_available")
        turn = ending.tell(turn).forget_card().say("transferring").went(CONNECTING)
        return self._connect(turn.change(phase="connecting"))

    def hear(self, turn: Turn, event: Event) -> Reply:
        """Anything but the answer changes nothing: the person is rung, or rung once more."""
        if not isinstance(event, TransferEnded):
            return self._connect(turn)
        if event.is_connected:
            return ending.with_person(turn, self.transfer), Listen()
        return turn.say("nobody_reached"), Leave("not_available")

    def _connect(self, turn: Turn) -> Reply:
        return turn.do(Transfer(self.transfer)), Listen()
