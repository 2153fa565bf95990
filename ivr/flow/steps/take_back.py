"""`take_back: <bank>`: every approved part of a bill that is not paid in full is undone, and what came of that is waited for."""

from collections.abc import Iterator
from typing import ClassVar

from ivr.core.actions import TakeBack, Wait
from ivr.core.events import Event, PartsTakenBack, Waited
from ivr.core.money import Money
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
from ivr.flow.talk import charging
from ivr.flow.talk.amounts import OF_ONE_CHARGE, forget_computed, owes
from ivr.flow.talk.charging import HOLD_S, count_pause, reassure
from ivr.flow.talk.ending import PART_PROMPTS
from ivr.flow.talk.turn import Leave, Listen, Reply, Turn, with_charges
from ivr.reading.rules import charges
from ivr.reading.scalars import Name, Target

PATIENCE_S = 20.0  # after this the caller is told that it is being undone


@step_kind
class TakeBackStep(Step):
    """Parts of a bill that is not paid in full: undo them."""

    word = "take_back"
    place = 51
    explained = Explained(
        "`take_back: <bank>`",
        "Undoes every approved part of a bill that is not paid in full ([Several cards](#several-cards)); with none it goes on",
        "`taken_back`, `pending`: it is being undone",
    )
    example = """
undo:
  take_back: acme_bank
  then: {taken_back: not_charged, pending: we_will_tell}
"""
    outcomes = frozenset({"taken_back", "pending"})
    phases: ClassVar[Phases] = {"entry": "passes", "waiting": "waits"}
    hears: ClassVar[Hears] = {"waiting": (PartsTakenBack,)}
    leads: ClassVar[Leads] = {"entry": ("waiting",), "waiting": ()}
    speaks: ClassVar[Values] = {
        **charging.PROMPTS,
        **PART_PROMPTS,
        "parts_taken_back": frozenset({"amount"}),
        "no_more_cards": frozenset(),
    }

    take_back: Name
    """The bank."""
    then: dict[str, Target]
    """Where each outcome goes."""

    @property
    def goes_on_by_itself(self) -> bool:
        """With nothing to take back it waits for nobody."""
        return True

    def says(self) -> Iterator[Said]:
        yield from ()

    # ---- what the checks want to know

    def needs(self, name: str) -> Iterator[Need]:
        message = f"there is a way to '{name}' while a charge has no answer"
        cure = "lead 'unknown' to an 'inquire_then_reverse' step, and its 'pending' to the end"
        yield Need("unsure", charges.UNANSWERED_CHARGE, message, cure, is_absent=True)

    def makes(self, path: Place, outcome: str, facts: Facts) -> Facts:
        """What is paid on the way is what is taken back: of a bill paid before, the ending says so by the ledger."""
        facts -= {"part", "amount", "confirmed", "card", "paid"}
        return facts | {"undoing"} if outcome == "pending" else facts

    def tells(self, path: Place, outcome: str, known: frozenset[str]) -> frozenset[str]:
        return known - {"amount", "money", "brand", "last4"}

    def findings(self, name: str, known: Known) -> Iterator[Finding]:
        yield from ()

    @property
    def bank(self) -> tuple[str, str]:
        return "take_back", self.take_back

    @property
    def splits(self) -> Iterator[Place]:
        yield ("take_back",)

    @property
    def takes_parts_back(self) -> bool:
        return True

    def drawn(self) -> Drawn:
        return Drawn("bank", "take back the parts")

    # ---- in a call

    def keyed(self, phase: str) -> Keyed:
        return "key"

    def put(self, turn: Turn) -> Reply:
        turn = forget_computed(turn.forget_card().forget(*OF_ONE_CHARGE))
        parts = turn.call.parts
        if not parts:
            return turn, Leave("taken_back")
        amount = Money(sum(one.amount.minor for one in parts), parts[0].amount.currency)
        undone = {one.attempt for one in parts}
        turn = with_charges(turn, lambda one: {"part": "undoing", "told": False} if one.attempt in undone else {})
        if turn.call.payable is not None:
            turn = owes(turn, Money(turn.call.payable.owed.minor + amount.minor, amount.currency))
        turn = charging.hold(turn).do(TakeBack(self.take_back))
        return turn.say("parts_taken_back", amount=amount).do(Wait(HOLD_S)), Listen()

    def hear(self, turn: Turn, event: Event) -> Reply:
        if isinstance(event, PartsTakenBack):
            ended = dict(event.parts)
            turn = with_charges(turn, lambda one: {"part": ended[one.attempt]} if one.attempt in ended else {})
            return turn.change(phase="entry"), Leave("pending" if turn.call.undoing else "taken_back")
        if not isinstance(event, Waited):
            return turn.do(Wait(HOLD_S)), Listen()
        turn = count_pause(turn)
        if turn.call.waited >= PATIENCE_S:
            return turn, Leave("pending")
        return reassure(turn).do(Wait(HOLD_S)), Listen()
