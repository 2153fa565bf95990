"""`inquire_then_reverse: <bank>`: what became of a charge without an answer; the forwarder asks, and this waits for it."""

from collections.abc import Iterator
from typing import ClassVar

from ivr.core.actions import Resolve, Wait
from ivr.core.events import BankAnswered, Event, Waited
from ivr.flow import splitting
from ivr.flow.parts import (
    Drawn,
    Explained,
    Facts,
    Finding,
    Keyed,
    Known,
    Leads,
    Need,
    Phases,
    Place,
    Said,
    Values,
    without_set,
)
from ivr.flow.registry import step_kind
from ivr.flow.step import Step
from ivr.flow.talk import charging
from ivr.flow.talk.charging import HOLD_S, count_pause, enter_answer, reassure
from ivr.flow.talk.turn import Leave, Listen, Reply, Turn
from ivr.reading.rules import charges
from ivr.reading.scalars import BankName, Target

RESOLVE_PATIENCE_S = 45.0  # after this the caller is told that a text will follow
RECEIPT = frozenset({"amount", "number", "confirmation_number"})


@step_kind
class ResolveStep(Step):
    """A charge without an answer: ask the bank what became of it, and take it back."""

    word = "inquire_then_reverse"
    place = 50
    explained = Explained(
        "`inquire_then_reverse: <bank>`",
        "After `unknown`: asks the bank what became of the charge, and takes it back",
        "`approved`, `reversed`, `pending`; with `split` `approved_in_part`",
    )
    example = """
find_out:
  inquire_then_reverse: acme_bank
  then: {approved: receipt, reversed: not_charged, pending: we_will_tell}
"""
    outcomes = frozenset({"approved", "reversed", "pending"})
    optional_outcomes = frozenset({"approved_in_part"})
    phases: ClassVar[Phases] = {"entry": "passes", "waiting": "waits"}
    leads: ClassVar[Leads] = {"entry": ("waiting",), "waiting": ()}
    speaks: ClassVar[Values] = {
        **charging.PROMPTS,
        "bank_did_not_answer": frozenset(),
        "card_declined": frozenset({"amount", "brand", "last4"}),
    }

    inquire_then_reverse: BankName
    """The bank."""
    then: dict[str, Target]
    """Where each outcome goes."""

    def says(self) -> Iterator[Said]:
        yield from splitting.says(self.then)

    # ---- what the checks want to know

    def needs(self, name: str) -> Iterator[Need]:
        message = f"there is a way to '{name}' on which no charge waits for an answer"
        yield Need("unsure", charges.NOTHING_TO_INQUIRE, message, "only a 'pay' step's 'unknown' leads here")

    def makes(self, path: Place, outcome: str, facts: Facts) -> Facts:
        doubt = facts - {"unsure", "unsure_reserve"}
        if outcome in splitting.APPROVALS:
            return splitting.facts_after(outcome, doubt, "reserved" if "unsure_reserve" in facts else "paid")
        return doubt if outcome == "reversed" else facts

    def tells(self, path: Place, outcome: str, known: frozenset[str]) -> frozenset[str]:
        return without_set(known) | RECEIPT if outcome in splitting.APPROVALS else known

    @property
    def splits(self) -> Iterator[Place]:
        yield from splitting.places(self.then)

    def findings(self, name: str, known: Known) -> Iterator[Finding]:
        yield from ()

    @property
    def bank(self) -> tuple[str, str]:
        return "inquire_then_reverse", self.inquire_then_reverse

    def drawn(self) -> Drawn:
        return Drawn("bank", "inquire, then reverse")

    # ---- in a call

    def keyed(self, phase: str) -> Keyed:
        return "key"

    def put(self, turn: Turn) -> Reply:
        turn = charging.hold(turn).do(Resolve(self.inquire_then_reverse, turn.call.intent))
        return turn.say("still_working").do(Wait(HOLD_S)), Listen()

    def hear(self, turn: Turn, event: Event) -> Reply:
        if isinstance(event, BankAnswered) and self.ends_wait(event):
            return _hear_bank(turn, event)
        if not isinstance(event, (Waited, BankAnswered)):
            return turn.do(Wait(HOLD_S)), Listen()
        turn = count_pause(turn)
        if turn.call.waited >= RESOLVE_PATIENCE_S:
            return turn, Leave("pending")
        return reassure(turn).do(Wait(HOLD_S)), Listen()

    def ends_wait(self, event: BankAnswered) -> bool:
        """An inquiry goes on where the bank still does not know."""
        return event.outcome != "unknown"


def _hear_bank(turn: Turn, event: BankAnswered) -> Reply:
    turn = enter_answer(turn.change(phase="entry"), event)
    match event.outcome:
        case "approved":
            return charging.approved(turn, event)
        case "not_sent":
            # A charge that never left is as good as one that was taken back.
            return charging.say_refused(turn, "bank_not_reached"), Leave("reversed")
        case "unknown" | "pending":
            return turn, Leave("pending")
    # An inquiry that finds a refusal has found that nothing was charged.
    if event.outcome == "declined":
        return charging.say_refused(turn, "card_declined"), Leave("reversed")
    return turn.say("bank_did_not_answer"), Leave("reversed")
