"""From the charge to the receipt: waiting for what is due and for the bank, an answer that stays out, a charge not begun."""

from collections.abc import Iterator
from dataclasses import replace

from ivr.conversation import ending
from ivr.conversation.turn import End, GoTo, Leave, Listen, Reply, Turn, one_key, with_charges
from ivr.core.actions import Authorize, Resolve, SendSms, Wait
from ivr.core.call import Charge, Payable
from ivr.core.events import BankAnswered, ChargeRefused, DueAwaited, Event, KeysEntered, NoInput, Waited
from ivr.core.fixed_keys import AGAIN_KEY, TEXT_KEY
from ivr.core.money import Money
from ivr.core.moves import ERROR
from ivr.flow.schema import Closing, PayStep, ResolveStep, SayStep, SmsStep

HOLD_S = 2.0  # the longest that a channel holds the line without looking whether the bank has answered
DUE_HOLD_S = 1.0  # one pause while the billing system is asked again; no channel looks earlier
DUE_PATIENCE_S = 12.0  # the runner gives up earlier; this holds where an answer is lost with its process
PAY_PATIENCE_S = 30.0  # after this without an answer the charge is `unknown` to the caller
RESOLVE_PATIENCE_S = 45.0  # after this the caller is told that a text will follow
REASSURE_EVERY_S = 10.0
LONGEST_PAUSE_S = 120.0  # no channel lets a hold pause last so long: a longer one is a clock that was set
# What the card's attempt has used up, whatever became of it there.
OF_ONE_CHARGE = ("amount", "money", "brand", "last4")


def begin(turn: Turn, kind: PayStep | ResolveStep) -> Turn:
    turn = turn.change(phase="waiting", since=turn.at, waited=0.0)
    if isinstance(kind, ResolveStep):
        return turn.do(Resolve(kind.inquire_then_reverse, turn.call.intent)).say("still_working").do(Wait(HOLD_S))
    return _authorize(turn, kind)


def _authorize(turn: Turn, kind: PayStep, *, is_last: bool = False) -> Turn:
    call = turn.call
    amount = call.values.get("amount")
    if not isinstance(amount, Money) or amount.minor <= 0 or not call.has_unsent_card:
        raise ValueError("a charge needs an amount above nought and a card of its own")
    account = call.payable.key if call.payable else str(call.values.get("account_number", ""))
    charge = Charge(call.attempt, amount, payable=call.payable.key if call.payable else "")
    turn = turn.change(phase="waiting", charges=(*call.charges, charge))
    turn = turn.do(Authorize(kind.pay, call.intent, amount, account, call.payable, is_last))
    return turn.say("hold_while_charging").do(Wait(HOLD_S))


def hear(turn: Turn, kind: PayStep | ResolveStep, event: Event) -> Reply:
    """A key pressed while the bank works changes nothing: the charge is out."""
    if isinstance(kind, PayStep) and turn.call.phase == "lookup":
        return _hear_while_due_is_awaited(turn, kind, event)
    if isinstance(kind, PayStep) and isinstance(event, DueAwaited):
        return _await_due(drop_charge(turn)), Listen()
    if isinstance(event, BankAnswered) and ends_wait(kind, event):
        return _hear_bank(turn, kind, event)
    if not isinstance(event, (Waited, BankAnswered)):
        return turn.do(Wait(HOLD_S)), Listen()
    turn = _count_pause(turn)
    waited = turn.call.waited
    if isinstance(kind, PayStep) and waited >= PAY_PATIENCE_S:
        return turn, Leave("unknown")
    if isinstance(kind, ResolveStep) and waited >= RESOLVE_PATIENCE_S:
        return turn, Leave("pending")
    return _reassure(turn).do(Wait(HOLD_S)), Listen()


def _await_due(turn: Turn) -> Turn:
    """Nothing is said of the bank yet: it has not been asked."""
    turn = _reassure(turn) if turn.call.waited else turn.say("one_moment")
    return turn.change(phase="lookup").do(Wait(DUE_HOLD_S))


def _hear_while_due_is_awaited(turn: Turn, kind: PayStep, event: Event) -> Reply:
    """Nothing is begun: each pause leads to asking again. The bank's patience is counted from the consent too."""
    if not isinstance(event, Waited):
        return turn.do(Wait(DUE_HOLD_S)), Listen()
    turn = _count_pause(turn)
    return _authorize(turn, kind, is_last=turn.call.waited >= DUE_PATIENCE_S), Listen()


def _reassure(turn: Turn) -> Turn:
    reassured = int(turn.call.waited // REASSURE_EVERY_S)
    return turn.change(repeats=reassured).say("still_working") if reassured > turn.call.repeats else turn


def _count_pause(turn: Turn) -> Turn:
    return turn.change(since=turn.at, waited=turn.call.waited + _pause(turn))


def _pause(turn: Turn) -> float:
    """Since the last look. A clock that was set meanwhile, forward or back, must not end the wait, nor make it endless."""
    pause = turn.at - turn.call.since
    return pause if 0 <= pause <= LONGEST_PAUSE_S else HOLD_S


def ends_wait(kind: PayStep | ResolveStep, event: BankAnswered) -> bool:
    """An inquiry goes on where the bank still does not know."""
    return isinstance(kind, PayStep) or event.outcome != "unknown"


def _hear_bank(turn: Turn, kind: PayStep | ResolveStep, event: BankAnswered) -> Reply:
    turn = _enter_answer(turn.change(phase="entry"), event)
    if event.outcome == "approved":
        return _lower_what_is_owed(turn), Leave("approved")
    if event.outcome == "not_sent":
        turn = turn.say("bank_not_reached")
        # While resolving, a charge that never left is as good as one that was taken back.
        return turn, Leave("not_sent" if isinstance(kind, PayStep) else "reversed")
    is_final = event.outcome not in ("unknown", "pending")
    if isinstance(kind, ResolveStep):
        # An inquiry that finds a refusal has found that nothing was charged.
        return turn, Leave("reversed" if is_final else "pending")
    if not is_final or event.outcome == "reversed":
        # The bank never answered the charge itself, even if a reversal has been acknowledged since.
        return turn, Leave("unknown")
    return turn.say("card_declined"), Leave("declined")


def _enter_answer(turn: Turn, event: BankAnswered) -> Turn:
    status = "unknown" if event.outcome == "pending" else event.outcome
    answer = {"status": status, "confirmation_number": event.confirmation_number or "", "told": status != "unknown"}
    return with_charges(turn, lambda charge: answer if charge.attempt == turn.call.attempt else {})


def _lower_what_is_owed(turn: Turn) -> Turn:
    """After a charge, what is due is another amount, and the next charge needs an amount and a card of its own."""
    paid = turn.call.approved[-1].amount
    turn = turn.forget(*OF_ONE_CHARGE)
    return owes(turn, Money(turn.call.payable.owed.minor - paid.minor, paid.currency)) if turn.call.payable else turn


def owes(turn: Turn, due: Money) -> Turn:
    """What is owed on the payable now, in all places where a prompt or a bound may read it."""
    due = replace(due, minor=max(due.minor, 0))
    values = {**turn.call.values, "bill.due": due}
    least = values.get("bill.min")
    if isinstance(least, Money):
        values["bill.min"] = replace(least, minor=min(least.minor, due.minor))
    payable = turn.call.payable and Payable(turn.call.payable.source, turn.call.payable.key, due)
    return turn.change(values=values, payable=payable)


# ---- a charge that is not begun


def drop_charge(turn: Turn) -> Turn:
    """The present attempt was refused before anything of it was kept."""
    attempt = turn.call.attempt
    kept = (one for one in turn.call.charges if one.attempt != attempt or one.status != "accepted")
    return turn.change(charges=tuple(kept))


def hear_refusal(turn: Turn, event: ChargeRefused) -> Reply:
    turn = drop_charge(turn)
    if event.reason == "being_paid":
        return turn.say("payment_in_progress"), End()
    if event.reason in ("not_reached", "not_payable"):
        return turn.went(ERROR).say(f"bill_{event.reason}"), End()
    if event.due is None or event.due.minor <= 0:
        return turn.say("nothing_due"), End()
    turn = owes(turn.forget_card().forget(*OF_ONE_CHARGE), event.due).say("due_changed", due=event.due)
    return turn, GoTo(turn.call.amount_step) if turn.call.amount_step else End()


# ---- the receipt


def offer_repeat(turn: Turn, kind: SayStep) -> Reply:
    """With nothing left to offer the call goes on by itself."""
    offers = list(_offers(turn, kind))
    if not offers:
        return _go_on(turn, kind)
    turn = turn.change(phase="repeat")
    for prompt, key in offers:
        turn = turn.say(prompt, key=key)
    return turn.collect_one_key("repeat"), Listen()


def _offers(turn: Turn, kind: SayStep) -> Iterator[tuple[str, str]]:
    if turn.call.repeats < (kind.repeat or 0):
        yield "repeat_offer", AGAIN_KEY
    if kind.sms and turn.call.can_text:
        yield "sms_offer", TEXT_KEY


def hear_repeat(turn: Turn, kind: SayStep, event: Event) -> Reply:
    """Silence and the done or clear key go on; another key is told, or one slip would lose the caller the number."""
    if not isinstance(event, KeysEntered | NoInput):
        return offer_repeat(turn, kind)
    key = one_key(turn, event)
    offered = [offer for _, offer in _offers(turn, kind)]
    if key == AGAIN_KEY and key in offered:
        return offer_repeat(ending.say(turn.change(repeats=turn.call.repeats + 1), kind), kind)
    if key == TEXT_KEY and key in offered:
        return _go_on(_text_it(turn, kind).say("sms_sent"), kind)
    mistakes = turn.call.mistakes + 1
    if key == "" or mistakes >= turn.flow.head.patience.tries:
        return _go_on(turn, kind)
    return offer_repeat(turn.change(mistakes=mistakes).say("no_match"), kind)


def _go_on(turn: Turn, kind: SayStep) -> Reply:
    if kind.end is None:
        return turn.change(phase="entry"), Leave("ok")
    return end_call(turn, kind), Listen()


def _text_it(turn: Turn, kind: SayStep) -> Turn:
    """A receipt is a text for each charge of the call; any other prompt is one text."""
    if kind.say != ending.RECEIPT:
        return send_sms(turn, kind.text)
    for charge in turn.call.approved:
        phrase = turn.phrase(f"{kind.text}_sms", **ending.receipt_values(charge))
        turn = turn.do(SendSms(kind.text, phrase, charge.attempt))
    return turn


def send_and_say(turn: Turn, kind: SmsStep) -> Turn:
    """A text that cannot go is not promised."""
    if not turn.call.can_text:
        return turn.say("cannot_text")
    return send_sms(turn, kind.sms).say(kind.sms)


def send_sms(turn: Turn, template: str) -> Turn:
    return turn.do(SendSms(template, turn.phrase(f"{template}_sms")))


def end_call(turn: Turn, kind: Closing) -> Turn:
    """A step that has just said how it ended does not say so twice."""
    return ending.end(turn, told=isinstance(kind, SayStep) and ending.tells_all(turn, kind))
