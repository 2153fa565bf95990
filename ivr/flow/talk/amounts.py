"""The amount that is to be paid, and what is owed: in all places of the call where a prompt, a bound or a charge reads it."""

from collections.abc import Mapping
from dataclasses import replace

from ivr.core.call import Charge, Payable
from ivr.core.card_fees import FeeSchedule
from ivr.core.events import LookedUp, Value
from ivr.core.money import Money
from ivr.flow.talk.card_fees import CARD_FEE
from ivr.flow.talk.open_bills import left_after, owing
from ivr.flow.talk.turn import AGREED_AMOUNT, FlowInTurn, Turn

# What the card's attempt has used up, whatever became of it there.
OF_ONE_CHARGE = ("amount", "money", "brand", "last4", CARD_FEE)


def choose(turn: Turn, amount: Money) -> Turn:
    """The amount that is to be paid, and where it was chosen: should less be due by then, it is chosen there again."""
    return turn.forget(CARD_FEE).remember(amount=amount).change(amount_step=turn.call.step)


def fix_fee(turn: Turn, schedule: FeeSchedule | None) -> Turn:
    """What the present card costs on top of the present amount, from now until another of them is chosen."""
    amount, brand = turn.call.values.get("amount"), turn.call.values.get("brand")
    fee = schedule.fee(str(brand), amount) if schedule is not None and isinstance(amount, Money) else None
    return turn.remember(**{CARD_FEE: fee}) if fee and fee.minor else turn.forget(CARD_FEE)


def computed(turn: Turn, **values: Value) -> Turn:
    """Values that hold for what is due now: should it change, they are computed again, from the first of them on."""
    return turn.remember(**values).change(set_step=turn.call.set_step or turn.call.step)


def forget_computed(turn: Turn) -> Turn:
    return turn.change(set_step="") if turn.call.set_step else turn


def step_to_choose_again(turn: Turn) -> str:
    """ "" where no amount was chosen."""
    return turn.call.amount_step and (turn.call.set_step or turn.call.amount_step)


def is_own_amount(turn: Turn) -> bool:
    """Whether the caller keyed in the amount; any other was made of what is due."""
    chosen_at = turn.flow.steps.get(turn.call.amount_step)
    return chosen_at is not None and chosen_at.answer == "money"


def is_paid_off(turn: Turn) -> bool:
    return turn.call.payable is not None and turn.call.payable.owed.minor <= 0


def is_more_than_owed(turn: Turn, amount: Money) -> bool:
    """A value of the merchant's choosing may be any amount; nobody is charged more than is due. Where nothing was looked up,
    the caller alone says how much."""
    payable = turn.call.payable
    return payable is not None and payable.owed.currency == amount.currency and amount.minor > payable.owed.minor


def at_most_owed(turn: Turn, amount: Money) -> Money:
    """What is computed may be any amount; nobody is charged more than is due."""
    return turn.call.payable.owed if turn.call.payable and is_more_than_owed(turn, amount) else amount


def sum_owes(turn: Turn, dues: Mapping[str, Money]) -> Turn:
    """What is owed now on each bill of the sum that is paid for."""
    payable = turn.call.payable
    assert payable is not None
    parts = tuple(replace(part, owed=dues.get(part.key, part.owed)) for part in payable.parts)
    owed = Money(sum(part.owed.minor for part in parts), payable.owed.currency)
    values = {**turn.call.values, "bill.due": owed, "bill.min": owed}
    bills = owing(turn.call, dues)
    return turn.change(values=values, payable=replace(payable, owed=owed, parts=parts), bills=bills)


def owes(turn: Turn, due: Money) -> Turn:
    """What is owed on the payable now."""
    due = replace(due, minor=max(due.minor, 0))
    values = {**turn.call.values, "bill.due": due}
    least = values.get("bill.min")
    if isinstance(least, Money):
        values["bill.min"] = replace(least, minor=min(least.minor, due.minor))
    payable = turn.call.payable and Payable(turn.call.payable.source, turn.call.payable.key, due)
    if turn.call.bills and payable is not None:
        turn = turn.change(bills=owing(turn.call, {payable.key: due}))
    return turn.change(values=values, payable=payable)


def lower_what_is_owed(turn: Turn, left: Mapping[str, Money]) -> Turn:
    """After a charge, what is due is another amount, and the next charge needs an amount and a card of its own. `left`: what is
    due by now, by key, where others may have paid too."""
    charge = next(one for one in turn.call.charges if one.attempt == turn.call.attempt)
    dues = {**left_after(turn.call, charge)}
    dues |= {key: due for key, due in left.items() if key in dues and _counts(charge, due)}
    turn, payable = forget_computed(turn.forget(*OF_ONE_CHARGE, AGREED_AMOUNT)), turn.call.payable
    if payable is None:
        return turn
    turn = sum_owes(turn, dues) if payable.parts else owes(turn, dues[payable.key])
    return turn.change(bills=owing(turn.call, dues), owed_at=turn.at)


def _counts(charge: Charge, due: Money) -> bool:
    """That a part pays its bill in full is for the parts' own sum to say, as the ledger has it."""
    return not charge.part or due.minor > 0


def is_in_another_currency(flow: FlowInTurn, event: LookedUp) -> bool:
    """A bill in euros cannot be paid by a flow whose limit is in dollars."""
    currency = flow.head.limits.max_amount.currency
    every = (event.values, *(bill.values for bill in event.bills))
    return any(isinstance(value, Money) and value.currency != currency for said in every for value in said.values())
