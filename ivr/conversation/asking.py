"""Plain questions: digits with a look-up, an amount with implied cents, a menu of keys. Card fields are in `collecting`."""

from ivr.conversation import ending
from ivr.conversation.dropping import drop_card
from ivr.conversation.turn import (
    ACCEPT_KEY,
    REFUSE_KEY,
    Again,
    End,
    Leave,
    Listen,
    OfferCancel,
    Reply,
    Turn,
    no_input,
    no_match,
)
from ivr.core.actions import LookUp, Wait
from ivr.core.call import Payable
from ivr.core.entry import Reading, Span, read_after_timeout
from ivr.core.events import Event, KeysEntered, LookedUp, LookUpFailed, LookUpProblem, NoInput
from ivr.core.money import Money
from ivr.flow.compiler import Flow
from ivr.flow.schema import AskStep, MenuStep
from ivr.reading.scalars import LONGEST_AMOUNT

LOOK_UP_HOLD_S = 1.0  # one pause while the billing system thinks; most answer before the first
LOOK_UP_PATIENCE_S = 12.0  # the runner gives up earlier; this holds where an answer is lost with its process


def ask(turn: Turn, kind: AskStep | MenuStep) -> Turn:
    if isinstance(kind, MenuStep):
        for key, option in kind.menu.items():
            turn = turn.say(option.say, key=key)
        return turn.collect_one_key("menu")
    if turn.call.phase == "confirm":
        return _ask_to_confirm(turn, kind)
    if kind.ask == "money":
        return _ask_for_money(turn, kind)
    shortest, longest = kind.length or (1, 1)
    return turn.say(f"enter_{kind.ask}").collect(kind.ask, turn.rules(shortest, longest, is_plain=True))


def _ask_for_money(turn: Turn, kind: AskStep) -> Turn:
    if is_paid_off(turn):
        return ending.end(turn.say("nothing_due"))
    low, high = _bounds(turn, kind)
    turn = turn.say("enter_money", min=low, max=high)
    return turn.collect("money", turn.rules(1, LONGEST_AMOUNT))


def hear(turn: Turn, kind: AskStep | MenuStep, event: Event) -> Reply:
    if isinstance(kind, AskStep) and turn.call.phase == "lookup":
        return _hear_look_up(turn, kind, event)
    if isinstance(event, NoInput):
        return no_input(turn)
    if not isinstance(event, KeysEntered):
        return turn, Again()
    turn, was_card = drop_card(turn, event)
    if was_card:
        return no_match(turn, "card_asked_later")
    if isinstance(kind, MenuStep):
        return _hear_menu(turn, kind, event)
    if turn.call.phase == "confirm":
        return _hear_confirmation(turn, kind, event)
    if kind.ask == "money":
        return _hear_money(turn, kind, event)
    return _hear_digits(turn, kind, event)


def _hear_digits(turn: Turn, kind: AskStep, event: KeysEntered) -> Reply:
    shortest, longest = kind.length or (1, 1)
    span = _span(turn, event, shortest, longest)
    text = event.keys.text()[span.start : span.end]
    if (reply := edited(turn, span.reading)) is not None:
        return reply
    if span.reading is Reading.OPEN or not shortest <= len(text) <= longest or not text.isdecimal():
        return no_match(turn, f"no_match_{kind.ask}")
    turn = turn.remember(**{kind.ask: text})
    if kind.confirm:
        return _ask_to_confirm(turn, kind), Listen()
    return _accept_digits(turn, kind, text)


def _accept_digits(turn: Turn, kind: AskStep, text: str) -> Reply:
    if kind.lookup is None:
        return turn, Leave("ok")
    turn = turn.change(phase="lookup", since=turn.at, looking_up=(kind.lookup, text)).do(LookUp(kind.lookup, text))
    return turn.say("one_moment").do(Wait(LOOK_UP_HOLD_S, keep_keys=True)), Listen()


def _hear_look_up(turn: Turn, kind: AskStep, event: Event) -> Reply:
    """Whatever else happens while a look-up is under way leads to asking for its answer again."""
    if isinstance(event, LookUpFailed):
        return _hear_failure(turn, kind, event.problem)
    if isinstance(event, LookedUp):
        return _hear_answer(turn, kind, event)
    if turn.at - turn.call.since >= LOOK_UP_PATIENCE_S:
        return _hear_failure(turn, kind, "not_reached")
    again = LookUp(str(kind.lookup), str(turn.call.values[kind.ask]))
    return turn.do(again, Wait(LOOK_UP_HOLD_S, keep_keys=True)), Listen()


def _hear_failure(turn: Turn, kind: AskStep, problem: LookUpProblem) -> Reply:
    """A billing system that does not answer ends the call; what cannot be paid here may have been the wrong number."""
    if problem == "not_payable":
        return _not_found(turn, kind, "bill_not_payable", told=True)
    return turn.forget(kind.ask).change(looking_up=None).say("bill_not_reached"), End()


def _not_found(turn: Turn, kind: AskStep, prompt: str, *, told: bool = False) -> Reply:
    """What is no account may be the beginning of a card number: it is not kept. `told`: say it wherever it leads."""
    turn = turn.change(phase="entry", looking_up=None).forget(kind.ask)
    if turn.flow.follow(turn.call.step, "not_found") == turn.call.step:
        return no_match(turn, prompt)
    return turn.say(prompt) if told else turn, Leave("not_found")


def _hear_answer(turn: Turn, kind: AskStep, event: LookedUp) -> Reply:
    if not event.found:
        return _not_found(turn, kind, f"not_found_{kind.ask}")
    if is_in_another_currency(turn.flow, event):
        return _hear_failure(turn, kind, "not_payable")
    looked_up, turn = turn.call.looking_up, turn.change(phase="entry", looking_up=None)
    due = event.values.get("bill.due")
    if not isinstance(due, Money) or looked_up is None:
        raise TypeError("a bill that was found says what is due")
    # Another bill is another amount.
    turn = turn.forget("amount", "money")
    turn = turn.change(values={**turn.call.values, **event.values}, payable=Payable(*looked_up, due))
    return (turn.say("nothing_due"), End()) if due.minor <= 0 else (turn, Leave("found"))


def is_in_another_currency(flow: Flow, event: LookedUp) -> bool:
    """A bill in euros cannot be paid by a flow whose limit is in dollars."""
    currency = flow.head.limits.max_amount.currency
    return any(isinstance(value, Money) and value.currency != currency for value in event.values.values())


def _hear_money(turn: Turn, kind: AskStep, event: KeysEntered) -> Reply:
    span = _span(turn, event, 1, LONGEST_AMOUNT)
    if (reply := edited(turn, span.reading)) is not None:
        return reply
    low, high = _bounds(turn, kind)
    text = event.keys.text()[span.start : span.end]
    if not text.isdecimal() or not low.minor <= int(text) <= high.minor:
        return no_match(turn, "no_match_money", min=low, max=high)
    return _ask_to_confirm(turn.remember(money=Money(int(text), low.currency)), kind), Listen()


def _ask_to_confirm(turn: Turn, kind: AskStep) -> Turn:
    value = turn.call.values[kind.ask]
    turn = turn.change(phase="confirm").say(f"confirm_{kind.ask}", value=value, amount=value)
    return turn.collect_one_key("confirm", flush=True)


def _hear_confirmation(turn: Turn, kind: AskStep, event: KeysEntered) -> Reply:
    span = _span(turn, event, 1, 1)
    key = event.keys.text()[span.start : span.end]
    if key == ACCEPT_KEY:
        value = turn.call.values[kind.ask]
        turn = turn.change(phase="entry")
        if isinstance(value, Money):
            return _choose(turn, value), Leave("ok")
        return _accept_digits(turn, kind, str(value))
    if key == REFUSE_KEY:
        return turn.change(phase="entry"), Again()
    if span.reading is Reading.CANCEL:
        return turn, OfferCancel()
    return no_match(turn, "no_match")


def _hear_menu(turn: Turn, kind: MenuStep, event: KeysEntered) -> Reply:
    span = _span(turn, event, 1, 1)
    if span.reading is Reading.CANCEL:
        return turn, OfferCancel()
    key = event.keys.text()[span.start : span.end]
    option = kind.menu.get(key)
    if option is None:
        return no_match(turn, "no_match")
    if option.set is not None:
        amount, limit = turn.call.values[option.set], turn.flow.head.limits.max_amount
        if is_paid_off(turn):
            return turn.say("nothing_due"), End()
        if not isinstance(amount, Money) or amount.minor <= 0:
            return no_match(turn, "amount_not_payable")
        if amount.currency != limit.currency or amount.minor > limit.minor:
            return no_match(turn, "limit_max_amount", max=limit)
        turn = _choose(turn, amount)
    return turn, Leave(f"key_{key}")


def _choose(turn: Turn, amount: Money) -> Turn:
    """The amount that is to be paid, and where it was chosen: should less be due by then, it is chosen there again."""
    return turn.remember(amount=amount).change(amount_step=turn.call.step)


def is_paid_off(turn: Turn) -> bool:
    return turn.call.payable is not None and turn.call.payable.owed.minor <= 0


def edited(turn: Turn, reading: Reading) -> Reply | None:
    """The answer to keys that are no entry; None for an entry."""
    match reading:
        case Reading.CANCEL:
            return turn, OfferCancel()
        case Reading.CLEARED:
            return turn.say("cleared"), Again()
        case Reading.EMPTY:
            return no_match(turn, "nothing_entered")
    return None


def _span(turn: Turn, event: KeysEntered, shortest: int, longest: int) -> Span:
    return read_after_timeout(event.keys.buffer, turn.rules(shortest, longest, is_plain=True))


def _bounds(turn: Turn, kind: AskStep) -> tuple[Money, Money]:
    """Never more than is due, nor than the flow's largest amount."""
    limit, payable = turn.flow.head.limits.max_amount, turn.call.payable
    if payable is not None and payable.owed.currency == limit.currency:
        limit = min(limit, payable.owed)
    if kind.between is None:
        return Money(1, limit.currency), limit
    low, high = (turn.call.values[name] for name in kind.between)
    if not isinstance(low, Money) or not isinstance(high, Money):
        raise TypeError("'between' names values that are not money")
    if not low.currency == high.currency == limit.currency:
        raise ValueError("the bill and the flow's max_amount are in different currencies")
    top = min(high.minor, limit.minor)
    return Money(min(max(low.minor, 1), top), low.currency), Money(top, high.currency)
