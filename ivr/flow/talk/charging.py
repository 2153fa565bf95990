"""What becomes of a charge in the call: the bank's answer noted, pauses of a hold counted, a charge that is not begun."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ivr.core.actions import SplitPart
from ivr.core.call import OPEN_PARTS, Charge
from ivr.core.events import AgreementRefused, BankAnswered, ChargeRefused
from ivr.core.money import Money
from ivr.core.moves import ERROR
from ivr.flow.talk import look_ups
from ivr.flow.talk.amounts import (
    OF_ONE_CHARGE,
    forget_computed,
    lower_what_is_owed,
    owes,
    step_to_choose_again,
    sum_owes,
)
from ivr.flow.talk.open_bills import left, owing, without
from ivr.flow.talk.turn import End, GoTo, Leave, Reply, Turn, with_charges

DUE_HOLD_S = 1.0  # one pause while the billing system is asked again; no channel looks earlier
DUE_PATIENCE_S = 12.0  # the runner gives up earlier; this holds where an answer is lost with its process
HOLD_S = 2.0  # the longest that a channel holds the line without looking whether the bank has answered
REASSURE_EVERY_S = 10.0
LONGEST_PAUSE_S = 120.0  # no channel lets a hold pause last so long: a longer one is a clock that was set
PART_APPROVED = "part_approved"  # what was, and what is still due: said each time
# Of an amount that was to be reserved only: nobody was to pay it.
_OF_RESERVATION = {"card_declined": "reservation_declined", "bank_not_reached": "reservation_not_reached"}
_ON_HOLD = frozenset({"amount", "brand", "last4"})
# What a step says that holds the line for the bank, or hears that a charge is not begun.
PROMPTS: Mapping[str, frozenset[str]] = {
    "still_working": _ON_HOLD,
    "nothing_due": frozenset({"due", "min"}),
}
# What a caller hears who agrees to what is not due any more, or to what nobody can say whether it is.
WHY_NOT: Mapping[str, frozenset[str]] = {
    **look_ups.PROMPTS,
    "nothing_due": frozenset({"due", "min"}),
    "due_changed": frozenset({"due"}),
    "payment_in_progress": frozenset(),
}


def hold(turn: Turn) -> Turn:
    """A wait for the bank begins."""
    return turn.change(phase="waiting", since=turn.at, waited=0.0)


def reassure(turn: Turn) -> Turn:
    reassured = int(turn.call.waited // REASSURE_EVERY_S)
    return turn.change(repeats=reassured).say("still_working") if reassured > turn.call.repeats else turn


def count_pause(turn: Turn) -> Turn:
    return turn.change(since=turn.at, waited=turn.call.waited + _pause(turn))


def _pause(turn: Turn) -> float:
    """Since the last look. A clock that was set meanwhile, forward or back, must not end the wait, nor make it endless."""
    pause = turn.at - turn.call.since
    return pause if 0 <= pause <= LONGEST_PAUSE_S else HOLD_S


def enter_answer(turn: Turn, event: BankAnswered) -> Turn:
    """The bank's answer to the present attempt."""
    status = "unknown" if event.outcome == "pending" else event.outcome
    answer: dict[str, Any] = {
        "status": status,
        "confirmation_number": event.confirmation_number or "",
        "told": status != "unknown",
    }
    answer |= {"amount": event.amount} if event.amount else {}
    answer |= {"part": ""} if status not in ("unknown", "approved") else {}
    return with_charges(turn, lambda charge: answer if charge.attempt == turn.call.attempt else {})


def say_refused(turn: Turn, prompt: str) -> Turn:
    """That the present attempt came to nothing, in the words of what it was."""
    reserved = any(one.attempt == turn.call.attempt and one.reserves for one in turn.call.charges)
    return turn.say(_OF_RESERVATION.get(prompt, prompt) if reserved else prompt)


def approved(turn: Turn, event: BankAnswered) -> Reply:
    """The present attempt is: by which outcome the step is left."""
    turn = lower_what_is_owed(turn, dict(event.left))
    charge = next(one for one in turn.call.charges if one.attempt == turn.call.attempt)
    if not charge.part:
        return turn, Leave("approved")
    if turn.call.payable is None or turn.call.payable.owed.minor <= 0:
        return turn.change(charges=in_full(turn, charge.payable)), Leave("approved")
    return turn.say(PART_APPROVED, amount=charge.amount, due=turn.call.payable.owed), Leave("approved_in_part")


def in_full(turn: Turn, payable: str) -> tuple[Charge, ...]:
    """The call's charges once a bill is paid in full: its parts count for good."""
    is_part = (one.payable == payable and one.part in OPEN_PARTS for one in turn.call.charges)
    return tuple(replace(one, part="") if part else one for one, part in zip(turn.call.charges, is_part, strict=True))


def part_of(turn: Turn, amount: Money, *, takes_part: bool) -> SplitPart | None:
    """What makes a charge of this amount a part, where the flow lets several cards pay a bill."""
    split, payable, call = turn.flow.head.split, turn.call.payable, turn.call
    if split is None or payable is None:
        return None
    parts = [one for one in call.parts if one.payable == payable.key]
    first = call.intent_of(min((one.attempt for one in parts), default=call.attempt))
    total = Money(payable.owed.minor + sum(one.amount.minor for one in parts), amount.currency)
    return SplitPart(first, total, split.rest_unpaid, takes_part and len(parts) + 1 < split.cards)


def is_split_full(turn: Turn) -> bool:
    """Whether as many cards as may pay the present bill have paid a part of it."""
    split, payable = turn.flow.head.split, turn.call.payable
    if split is None or payable is None:
        return False
    return sum(one.payable == payable.key for one in turn.call.parts) >= split.cards


# ---- a charge that is not begun


def drop_charge(turn: Turn) -> Turn:
    """The present attempt was refused before anything of it was kept."""
    attempt = turn.call.attempt
    kept = (one for one in turn.call.charges if one.attempt != attempt or one.status != "accepted")
    return turn.change(charges=tuple(kept))


def _leave_out(turn: Turn, paying: Sequence[str]) -> Reply:
    """Of several bills those that are being paid, or have been, are left out, and the others are offered. Of a sum they are named."""
    present = [turn.call.payable.key] if turn.call.payable else []
    turn = without(turn, paying or present)
    list_step = next((name for name, step in turn.flow.steps.items() if step.offers_bills), "")
    if not list_step or not left(turn.call):
        return turn, End()
    return forget_computed(turn.forget_card().forget(*OF_ONE_CHARGE)), GoTo(list_step)


def _parts_are_all(turn: Turn) -> Reply:
    """Less is due than was, and the approved parts come to it: they count for good by now."""
    payable = turn.call.payable
    assert payable is not None
    turn = forget_computed(turn.forget_card().forget(*OF_ONE_CHARGE))
    turn = owes(turn, Money(0, payable.owed.currency)).change(charges=in_full(turn, payable.key))
    return turn.say("paid_in_full"), Leave("approved")


def _parts_are_too_much(turn: Turn, due: Money) -> Reply:
    """Less is due than the approved parts come to: no more than is due is taken, and a part cannot be made smaller."""
    payable = turn.call.payable
    assert payable is not None
    turn = turn.say("due_changed", due=due) if due.minor > 0 else turn.say("nothing_due")
    held = sum(one.amount.minor for one in turn.call.parts if one.payable == payable.key)
    # Below nothing until they are taken back, which owes their amounts again.
    turn = turn.change(payable=replace(payable, owed=replace(due, minor=due.minor - held)))
    return turn, GoTo(next(name for name, step in turn.flow.steps.items() if step.takes_parts_back))


def hear_refusal(turn: Turn, event: ChargeRefused) -> Reply:
    return _hear_why_not(drop_charge(turn), event)


def hear_no_agreement(turn: Turn, event: AgreementRefused) -> Reply:
    """The same where nothing was to be charged: the call's charges stay as they are."""
    return _hear_why_not(turn, ChargeRefused(event.at, event.reason, event.due, left=event.left))


def _hear_why_not(turn: Turn, event: ChargeRefused) -> Reply:
    if event.left:
        turn = turn.change(bills=owing(turn.call, dict(event.left)), owed_at=turn.at)
    if event.reason == "being_paid":
        return _leave_out(turn.say("payment_in_progress"), event.paying)
    if event.reason in ("bank_closed", "stopped"):
        return turn.went(ERROR).say("cards_not_taken_now"), End()
    if event.reason in ("not_reached", "not_payable"):
        return turn.went(ERROR).say(f"bill_{event.reason}"), End()
    if event.reason == "paid_in_full":
        return _parts_are_all(turn)
    if event.reason == "overpaid" and event.due is not None:
        return _parts_are_too_much(turn, event.due)
    if event.due is None or event.due.minor <= 0:
        return _leave_out(turn.say("nothing_due"), [key for key, _ in event.dues])
    turn = turn.forget_card().forget(*OF_ONE_CHARGE)
    turn = sum_owes(turn, dict(event.dues)) if event.dues else owes(turn, event.due)
    turn = turn.change(owed_at=turn.at).say("due_changed", due=event.due)
    again = step_to_choose_again(turn)
    return (forget_computed(turn), GoTo(again)) if again else (turn, End())
