"""What becomes of a charge in the call: the bank's answer noted, pauses of a hold counted, a charge that is not begun."""

from collections.abc import Mapping, Sequence

from ivr.core.events import BankAnswered, ChargeRefused
from ivr.core.moves import ERROR
from ivr.flow.talk.amounts import OF_ONE_CHARGE, forget_computed, owes, step_to_choose_again, sum_owes
from ivr.flow.talk.open_bills import left, without
from ivr.flow.talk.turn import End, GoTo, Reply, Turn, with_charges

HOLD_S = 2.0  # the longest that a channel holds the line without looking whether the bank has answered
REASSURE_EVERY_S = 10.0
LONGEST_PAUSE_S = 120.0  # no channel lets a hold pause last so long: a longer one is a clock that was set
_ON_HOLD = frozenset({"amount", "brand", "last4"})
# What a step says that holds the line for the bank, or hears that a charge is not begun.
PROMPTS: Mapping[str, frozenset[str]] = {
    "still_working": _ON_HOLD,
    "nothing_due": frozenset({"due", "min"}),
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
    answer = {"status": status, "confirmation_number": event.confirmation_number or "", "told": status != "unknown"}
    return with_charges(turn, lambda charge: answer if charge.attempt == turn.call.attempt else {})


# ---- a charge that is not begun


def drop_charge(turn: Turn) -> Turn:
    """The present attempt was refused before anything of it was kept."""
    attempt = turn.call.attempt
    kept = (one for one in turn.call.charges if one.attempt != attempt or one.status != "accepted")
    return turn.change(charges=tuple(kept))


def _leave_out(turn: Turn, paying: Sequence[str]) -> Reply:
    """Of several bills those that are being paid are left out, and the others are offered. Of a sum they are named."""
    present = [turn.call.payable.key] if turn.call.payable else []
    turn = without(turn, paying or present)
    list_step = next((name for name, step in turn.flow.steps.items() if step.offers_bills), "")
    if not list_step or not left(turn.call):
        return turn, End()
    return forget_computed(turn.forget_card().forget(*OF_ONE_CHARGE)), GoTo(list_step)


def hear_refusal(turn: Turn, event: ChargeRefused) -> Reply:
    turn = drop_charge(turn)
    if event.reason == "being_paid":
        return _leave_out(turn.say("payment_in_progress"), event.paying)
    if event.reason in ("not_reached", "not_payable"):
        return turn.went(ERROR).say(f"bill_{event.reason}"), End()
    if event.due is None or event.due.minor <= 0:
        return turn.say("nothing_due"), End()
    turn = turn.forget_card().forget(*OF_ONE_CHARGE)
    turn = sum_owes(turn, dict(event.dues)) if event.dues else owes(turn, event.due)
    turn = turn.say("due_changed", due=event.due)
    again = step_to_choose_again(turn)
    return (forget_computed(turn), GoTo(again)) if again else (turn, End())
