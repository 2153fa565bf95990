"""How a call ends, made from its charges alone: what was charged, what has no answer yet, or that nothing was charged.

No other module says these words, and a flow's `end:` never overrules them: it says where the call ends, not how.
"""

from collections.abc import Iterable

from ivr.core.actions import HangUp
from ivr.core.call import Charge, Ending
from ivr.core.events import Value
from ivr.core.money import Money
from ivr.core.moves import END, TRANSFERRED
from ivr.flow.talk.turn import Turn, of_last_agreement, with_charges

ENDING_PROMPTS: dict[Ending, str] = {
    "paid": "you_were_charged",
    "reserved": "amount_reserved",
    "unpaid": "you_were_not_charged",
    "pending": "we_will_text_the_result",
}
IN_TOTAL = "you_were_charged_in_total"  # by several charges, perhaps with several cards
CANNOT_TEXT = "call_again_for_the_result"
TRUE_PROMPTS = frozenset({*ENDING_PROMPTS.values(), IN_TOTAL, CANNOT_TEXT})
# Parts of a bill that is not paid in full: approved, and taken back unless the rest is paid; the same, and the bank has not
# answered for the rest; being taken back.
PART_HELD, PART_IN_DOUBT, BEING_UNDONE = "part_held", "part_in_doubt", "part_being_undone"
ONCE_UNDONE = ("we_will_text_once_undone", "call_again_once_undone")
PART_PROMPTS = {
    **dict.fromkeys((PART_HELD, PART_IN_DOUBT, BEING_UNDONE), frozenset({"amount"})),
    **dict.fromkeys(ONCE_UNDONE, frozenset[str]()),
}
RECEIPT = "confirmation_number"  # said once for each approved charge
RESERVATION = "reservation_number"  # in place of it where the amount is only reserved
RESERVATION_EMAIL = ("reservation_email_subject", "reservation_email")


def end(turn: Turn, *, told: bool = False) -> Turn:
    """The ending, the goodbye and the hang-up. `told`: what is true was the last thing said."""
    if turn.call.held:
        closed = turn.call.closed
        # Of a part that is taken back from now on, what was heard before is not so any more; one in doubt stays so.
        told = told and closed.undoing == turn.call.undoing
        turn = turn.change(charges=closed.charges)
    turn = turn.went(END) if told else tell(turn.went(END))
    return turn.forget_card().say("goodbye").do(HangUp()).change(phase="over", outcome=turn.call.known_ending)


def with_person(turn: Turn, number: str) -> Turn:
    """The caller has a person on the line: what is true was said before, and nothing of ours follows."""
    turn = turn.change(charges=turn.call.closed.charges) if turn.call.held else turn
    turn = turn.went(TRANSFERRED).do(HangUp())
    return turn.change(phase="over", outcome=turn.call.known_ending, transferred_to=number)


def tell(turn: Turn) -> Turn:
    taken = [charge for charge in turn.call.approved if not charge.reserves]
    charged, pending = totals(taken), totals(turn.call.unsettled)
    undoing, held = totals(turn.call.undoing), totals(turn.call.held)
    for amount in charged:
        turn = turn.say(ENDING_PROMPTS["paid"] if len(taken) == 1 else IN_TOTAL, amount=amount)
    for charge in turn.call.approved:
        if charge.reserves:
            turn = turn.say(ENDING_PROMPTS["reserved"], **receipt_values(charge))
    if turn.call.approved:
        for amount in pending:
            turn = turn.say("another_payment_pending", amount=amount)
    for amount in held:
        turn = turn.say(PART_IN_DOUBT if pending else PART_HELD, amount=amount)
    for amount in undoing:
        turn = turn.say(BEING_UNDONE, amount=amount)
    if undoing and not pending:
        return _told(turn.say(ONCE_UNDONE[0]))
    if pending:
        return _told(turn.say(ENDING_PROMPTS["pending"] if turn.call.can_text else CANNOT_TEXT))
    return _told(turn if turn.call.approved or held else turn.say(ENDING_PROMPTS["unpaid"]))


def say(turn: Turn, prompt: str, *, is_last: bool) -> Turn:
    """A step's prompt. Those that say what became of the money say what did, whichever of them the flow names.

    `is_last`: the call ends there, and an amount that was chosen and neither paid nor agreed to is nothing to speak of.
    """
    if prompt in TRUE_PROMPTS:
        return tell(turn)
    if prompt != RECEIPT:
        last = turn.call.approved[-1:] if is_last else ()
        return turn.say(prompt, **(_last_done(turn, last[0]) if last else {}))
    for charge in turn.call.approved:
        turn = turn.say(RESERVATION if charge.reserves else prompt, **receipt_values(charge))
    return turn


def tells_all(turn: Turn, prompt: str) -> bool:
    """Has a step that says this prompt said all that there is to tell? A receipt has, where it is for the call's only charge."""
    if prompt == RECEIPT:
        call = turn.call
        return len(call.approved) == 1 and not (call.unsettled or call.undoing or call.held)
    return prompt in TRUE_PROMPTS


def receipt_values(charge: Charge) -> dict[str, Money | str]:
    return {
        "amount": charge.amount,
        "card_fee": charge.fee or Money(0, charge.amount.currency),
        "before_fee": charge.credited,
        "number": charge.confirmation_number,
        "confirmation_number": charge.confirmation_number,
    }


def _last_done(turn: Turn, charge: Charge) -> dict[str, Value]:
    """The receipt of the last charge; the amount of what was agreed to after it, which costs no fee."""
    agreed = of_last_agreement(turn.call)
    return {**receipt_values(charge), **agreed, **({"card_fee": Money(0, charge.amount.currency)} if agreed else {})}


def totals(charges: Iterable[Charge]) -> list[Money]:
    """One sum for each currency."""
    sums: dict[str, int] = {}
    for charge in charges:
        sums[charge.amount.currency] = sums.get(charge.amount.currency, 0) + charge.amount.minor
    return [Money(minor, currency) for currency, minor in sums.items()]


def _told(turn: Turn) -> Turn:
    """An open charge is promised, not told; so is a part that is not decided."""
    waits = {charge.attempt for charge in (*turn.call.unsettled, *turn.call.undoing, *turn.call.held)}
    return with_charges(turn, lambda charge: {} if charge.attempt in waits else {"told": True})
