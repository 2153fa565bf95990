"""From the charge to the receipt: waiting for the bank, an answer that stays out, the ending that says what happened."""

from collections.abc import Iterator

from ivr.core.actions import Authorize, Resolve, SendSms, Wait
from ivr.core.call import Ending
from ivr.core.events import BankAnswered, Event, KeysEntered, NoInput, Waited
from ivr.core.fixed_keys import AGAIN_KEY, TEXT_KEY
from ivr.core.flow import Closing, PayStep, ResolveStep, SayStep, SmsStep
from ivr.core.money import Money
from ivr.core.turn import ENDING_PROMPTS, Leave, Listen, Reply, Turn, one_key

HOLD_S = 2.0  # the longest that a channel holds the line without looking whether the bank has answered
PAY_PATIENCE_S = 30.0  # after this without an answer the charge is `unknown` to the caller
RESOLVE_PATIENCE_S = 45.0  # after this the caller is told that a text will follow
REASSURE_EVERY_S = 10.0
LONGEST_PAUSE_S = 120.0  # no channel lets a hold pause last so long: a longer one is a clock that was set


def begin(turn: Turn, kind: PayStep | ResolveStep) -> Turn:
    turn = turn.change(phase="waiting", since=turn.at, waited=0.0)
    if isinstance(kind, ResolveStep):
        return turn.do(Resolve(kind.inquire_then_reverse, turn.call.intent)).say("still_working").do(Wait(HOLD_S))
    amount = turn.call.values["amount"]
    if not isinstance(amount, Money):
        raise TypeError("a charge needs an amount")
    account = str(turn.call.values.get("account_number", ""))
    turn = turn.change(charged_attempt=turn.call.attempt, unsettled=True)
    charge = Authorize(kind.pay, turn.call.intent, amount, account)
    return turn.do(charge).say("hold_while_charging").do(Wait(HOLD_S))


def hear(turn: Turn, kind: PayStep | ResolveStep, event: Event) -> Reply:
    """A key pressed while the bank works changes nothing: the charge is out."""
    if isinstance(event, BankAnswered) and ends_wait(kind, event):
        return _hear_bank(turn, kind, event)
    if not isinstance(event, (Waited, BankAnswered)):
        return turn.do(Wait(HOLD_S)), Listen()
    turn = turn.change(since=turn.at, waited=turn.call.waited + _pause(turn))
    waited = turn.call.waited
    if isinstance(kind, PayStep) and waited >= PAY_PATIENCE_S:
        return turn, Leave("unknown")
    if isinstance(kind, ResolveStep) and waited >= RESOLVE_PATIENCE_S:
        return turn, Leave("pending")
    reassured = int(waited // REASSURE_EVERY_S)
    if reassured > turn.call.repeats:
        turn = turn.change(repeats=reassured).say("still_working")
    return turn.do(Wait(HOLD_S)), Listen()


def _pause(turn: Turn) -> float:
    """Since the last look. A clock that was set meanwhile, forward or back, must not end the wait, nor make it endless."""
    pause = turn.at - turn.call.since
    return pause if 0 <= pause <= LONGEST_PAUSE_S else HOLD_S


def ends_wait(kind: PayStep | ResolveStep, event: BankAnswered) -> bool:
    """An inquiry goes on where the bank still does not know."""
    return isinstance(kind, PayStep) or event.outcome != "unknown"


def _hear_bank(turn: Turn, kind: PayStep | ResolveStep, event: BankAnswered) -> Reply:
    is_final = event.outcome not in ("unknown", "pending")
    turn = turn.change(phase="entry", unsettled=not is_final)
    if event.outcome == "approved":
        number = event.confirmation_number or ""
        return turn.remember(confirmation_number=number, number=number), Leave("approved")
    if isinstance(kind, ResolveStep):
        # An inquiry that finds a refusal has found that nothing was charged.
        return turn, Leave("reversed" if is_final else "pending")
    if not is_final or event.outcome == "reversed":
        # The bank never answered the charge itself, even if a reversal has been acknowledged since.
        return turn, Leave("unknown")
    return turn.say("card_declined"), Leave("declined")


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
        return offer_repeat(turn.change(repeats=turn.call.repeats + 1).say(kind.say), kind)
    if key == TEXT_KEY and key in offered:
        return _go_on(send_sms(turn, "receipt").say("sms_sent"), kind)
    mistakes = turn.call.mistakes + 1
    if key == "" or mistakes >= turn.flow.head.patience.tries:
        return _go_on(turn, kind)
    return offer_repeat(turn.change(mistakes=mistakes).say("no_match"), kind)


def _go_on(turn: Turn, kind: SayStep) -> Reply:
    if kind.end is None:
        return turn.change(phase="entry"), Leave("ok")
    return end_call(turn, kind.end, kind), Listen()


def send_and_say(turn: Turn, kind: SmsStep) -> Turn:
    """A text that cannot go is not promised."""
    if not turn.call.can_text:
        return turn.say("cannot_text")
    return send_sms(turn, kind.sms).say(kind.sms)


def send_sms(turn: Turn, template: str) -> Turn:
    return turn.do(SendSms(template, turn.phrase(f"{template}_sms")))


def end_call(turn: Turn, ending: Ending, kind: Closing) -> Turn:
    """A step that has just said how it ended does not say so twice."""
    told = isinstance(kind, SayStep) and kind.say == ENDING_PROMPTS[ending]
    return turn.end(ending, told=told)
