"""From the charge to the receipt: waiting for the bank, an answer that stays out, the ending that says what happened."""

from ivr.core.actions import Authorize, Resolve, SendSms, Wait
from ivr.core.events import BankAnswered, Event, KeysEntered, Waited
from ivr.core.flow import Closing, PayStep, ResolveStep, SayStep
from ivr.core.money import Money
from ivr.core.turn import Leave, Listen, Reply, Turn

HOLD_S = 2.0  # one hold pause; the bank usually answers within the first
PAY_PATIENCE_S = 30.0  # after this without an answer the charge is `unknown` to the caller
RESOLVE_PATIENCE_S = 45.0  # after this the caller is told that a text will follow
REASSURE_EVERY_S = 10.0
AGAIN_KEY, TEXT_KEY = "1", "2"


def begin(turn: Turn, kind: PayStep | ResolveStep) -> Turn:
    turn = turn.change(phase="waiting", since=turn.at)
    if isinstance(kind, ResolveStep):
        return turn.do(Resolve(kind.inquire_then_reverse, turn.call.intent)).say("still_working").do(Wait(HOLD_S))
    amount = turn.call.values["amount"]
    if not isinstance(amount, Money):
        raise TypeError("a charge needs an amount")
    account = str(turn.call.values.get("account_number", ""))
    charge = Authorize(kind.pay, turn.call.intent, amount, account)
    return turn.do(charge).say("hold_while_charging").do(Wait(HOLD_S))


def hear(turn: Turn, kind: PayStep | ResolveStep, event: Event) -> Reply:
    """A key pressed while the bank works changes nothing: the charge is out."""
    if isinstance(event, BankAnswered) and not (isinstance(kind, ResolveStep) and event.outcome == "unknown"):
        return _hear_bank(turn, kind, event)
    if not isinstance(event, (Waited, BankAnswered)):
        return turn.do(Wait(HOLD_S)), Listen()
    waited = turn.at - turn.call.since
    if isinstance(kind, PayStep) and waited >= PAY_PATIENCE_S:
        return turn, Leave("unknown")
    if isinstance(kind, ResolveStep) and waited >= RESOLVE_PATIENCE_S:
        return turn, Leave("pending")
    if waited % REASSURE_EVERY_S < HOLD_S:
        turn = turn.say("still_working")
    return turn.do(Wait(HOLD_S)), Listen()


def _hear_bank(turn: Turn, kind: PayStep | ResolveStep, event: BankAnswered) -> Reply:
    turn = turn.change(phase="entry")
    if event.outcome == "approved":
        number = event.confirmation_number or ""
        return turn.remember(confirmation_number=number, number=number), Leave("approved")
    if isinstance(kind, PayStep):
        if event.outcome in ("unknown", "reversed", "pending"):
            # The bank never answered the charge itself, even if a reversal has been acknowledged since.
            return turn, Leave("unknown")
        return turn.say("card_declined"), Leave("declined")
    # An inquiry that finds a refusal has found that nothing was charged.
    return turn, Leave("pending" if event.outcome in ("unknown", "pending") else "reversed")


def offer_repeat(turn: Turn, kind: SayStep) -> Turn:
    turn = turn.change(phase="repeat")
    if turn.call.repeats < (kind.repeat or 0):
        turn = turn.say("repeat_offer", key=AGAIN_KEY)
    if kind.sms:
        turn = turn.say("sms_offer", key=TEXT_KEY)
    return turn.collect_one_key("repeat")


def hear_repeat(turn: Turn, kind: SayStep, event: Event) -> Reply:
    key = event.keys.text()[:1] if isinstance(event, KeysEntered) else ""
    if key == AGAIN_KEY and turn.call.repeats < (kind.repeat or 0):
        turn = turn.change(repeats=turn.call.repeats + 1).say(kind.say)
        return offer_repeat(turn, kind), Listen()
    if key == TEXT_KEY and kind.sms:
        turn = send_sms(turn, "receipt").say("sms_sent")
    if kind.end is None:
        return turn.change(phase="entry"), Leave("ok")
    return end_call(turn, kind), Listen()


def send_sms(turn: Turn, template: str) -> Turn:
    return turn.do(SendSms(template, turn.phrase(f"{template}_sms")))


def end_call(turn: Turn, kind: Closing) -> Turn:
    ending = kind.end or "unpaid"
    told = isinstance(kind, SayStep) and kind.say in (
        "you_were_charged",
        "you_were_not_charged",
        "we_will_text_the_result",
    )
    return turn.end(ending, told=told)
