"""Carries a call from event to event: keys to the vault, effects to the store, everything else to and from the core."""

import traceback
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from ivr import metrics
from ivr.core.actions import (
    Action,
    Authorize,
    BeginCard,
    CaptureCard,
    ChannelAction,
    Collect,
    ForgetCard,
    HangUp,
    LookUp,
    Resolve,
    SendSms,
    Speak,
    Wait,
)
from ivr.core.asking import is_in_another_currency
from ivr.core.call import Call
from ivr.core.collecting import expected_field
from ivr.core.compiler import Flow
from ivr.core.engine import step
from ivr.core.events import (
    BankAnswered,
    CallStarted,
    CardCaptured,
    CardField,
    Digits,
    Event,
    Fault,
    KeysEntered,
    LookedUp,
    Waited,
)
from ivr.core.flow import PayStep, ResolveStep
from ivr.core.paying import ends_wait
from ivr.runner.billing import Billing
from ivr.runner.payments import Payments
from ivr.store import StaleCall

log = structlog.get_logger()
MOST_ACTIONS = 200  # a flow that says more in one turn goes round in circles


@dataclass(frozen=True)
class Advance:
    """The call after an event, and what its channel is to do."""

    call: Call
    actions: list[ChannelAction]

    @property
    def is_over(self) -> bool:
        return self.call.phase == "over"


class Runner:
    """Shared by all calls and threads of a process. Every effect may safely happen twice: a repeated event is harmless."""

    def __init__(self, flows: Mapping[str, Flow], payments: Payments, billing: Billing) -> None:
        self.flows = flows
        self.payments = payments
        self.billing = billing

    def begin(self, call: Call, event: CallStarted) -> Advance:
        metrics.CALLS.labels(call.channel, call.flow).inc()
        return self.advance(replace(call, can_text=self._can_text(call)), event)

    def advance(self, call: Call, event: Event) -> Advance:
        """Never raises for a fault of ours: the caller is told, and the fault is logged by its type alone."""
        reached = [call]
        try:
            advance = Advance(call, self._actions(reached, event))
        except StaleCall:
            raise
        except Exception as fault:
            # Not the message: it may quote what a library was given.
            place = traceback.extract_tb(fault.__traceback__)[-1]
            log.error("fault", call=call.id, kind=type(fault).__name__, place=f"{place.name}:{place.lineno}")
            metrics.FAULTS.labels(type(fault).__name__).inc()
            advance = Advance(call, self._apology(reached, event))
        _count(call, reached[-1])
        return replace(advance, call=reached[-1])

    def _can_text(self, call: Call) -> bool:
        """Where it cannot be told, nothing is promised: the call itself goes on."""
        try:
            return self.payments.can_text(call.ani)
        except Exception as fault:
            log.error("cannot tell whether texts go out", call=call.id, kind=type(fault).__name__)
            return False

    def is_answered(self, call: Call, at: datetime) -> bool:
        """Whether a hold is over: the bank has answered the charge, or the inquiry, that the call waits for."""
        kind = self.flows[call.flow].steps.get(call.step)
        answer = self.payments.answer(call, Waited(at)) if call.phase == "waiting" else None
        return isinstance(kind, PayStep | ResolveStep) and isinstance(answer, BankAnswered) and ends_wait(kind, answer)

    def tokenize(self, call: Call, fields: Mapping[CardField, Digits], at: datetime) -> str | None:
        """A card that the telephone network collected, sealed for the call's present attempt; a reason if it was not."""
        return self.payments.tokenize(call, self.flows[call.flow], fields, at)

    def _apology(self, reached: list[Call], event: Event) -> list[ChannelAction]:
        """From where the call had got to: once a charge has been begun, nobody is told that nothing was charged."""
        call, actions = step(self.flows[reached[-1].flow], reached[-1], Fault(event.at))
        reached.append(call)
        return [action for action in actions if isinstance(action, (Speak, HangUp))]

    def _actions(self, reached: list[Call], event: Event) -> list[ChannelAction]:
        """What the channel is to do. `reached` grows by each state of the call, so that a fault knows the last one."""
        flow = self.flows[reached[-1].flow]
        waiting = self._step(reached, flow, self._translate(flow, reached[-1], event))
        for_channel: list[ChannelAction] = []
        for _ in range(MOST_ACTIONS):
            if not waiting:
                break
            action = waiting.popleft()
            if isinstance(action, (Speak, Collect, CaptureCard, Wait, HangUp)):
                for_channel.append(action)
                continue
            if isinstance(action, ForgetCard):
                self._forget(reached, action)
                continue
            answer = self._perform(reached[-1], action, event)
            if answer is not None:
                # The answer decides what happens instead of the rest of the turn.
                waiting = self._step(reached, flow, answer)
        return for_channel

    def _step(self, reached: list[Call], flow: Flow, event: Event) -> deque[Action]:
        call, actions = step(flow, reached[-1], event)
        reached.append(call)
        return deque(actions)

    def _forget(self, reached: list[Call], action: ForgetCard) -> None:
        """A charge committed at this very moment, by another request of the same call, is not over: say so on record."""
        forgotten = self.payments.forget(action.intent)
        if not forgotten and reached[-1].outcome == "unpaid":
            reached.append(replace(reached[-1], outcome="pending"))

    def _translate(self, flow: Flow, call: Call, event: Event) -> Event:
        if isinstance(event, KeysEntered):
            expected = expected_field(flow, call)
            if expected is not None:
                return self.payments.take_card_keys(call, flow, *expected, event)
        if isinstance(event, CardCaptured):
            self.payments.keep_token(call, event)
        if isinstance(event, Waited):
            return self.payments.answer(call, event) or event
        return event

    def _perform(self, call: Call, action: Action, event: Event) -> Event | None:
        match action:
            case LookUp():
                return self._look_up(call, action, event)
            case BeginCard():
                return self.payments.begin_card(call, self.flows[call.flow], event.at)
            case Authorize():
                return self.payments.authorize(call, self.flows[call.flow], action, event.at)
            case Resolve():
                # The forwarder resolves every unknown charge by itself, caller or no caller: it may have done so by now.
                return self.payments.answer(call, Waited(event.at))
            case SendSms():
                self.payments.send_sms(call, action, event.at)
        return None

    def _look_up(self, call: Call, action: LookUp, event: Event) -> Event | None:
        # `since` tells this look-up of the call from an earlier one of the same account.
        found = self.billing.look_up(action.source, action.key, event, f"{call.id} {call.since}")
        if isinstance(found, LookedUp) and is_in_another_currency(self.flows[call.flow], found):
            log.error("bill in another currency than the flow's max_amount", account=action.key, flow=call.flow)
        return found


def _count(before: Call, after: Call) -> None:
    if before.step != after.step:
        metrics.STEPS.labels(after.flow, before.step or "start", after.step).inc()
    if before.phase != "over" and after.phase == "over":
        metrics.ENDINGS.labels(after.flow, after.outcome, str(after.hung_up).lower()).inc()
        log.info("call ended", call=after.id, flow=after.flow, outcome=after.outcome, hung_up=after.hung_up)


def new_call(call_id: str, flow: Flow, *, ani: str, dnis: str, channel: str) -> Call:
    """A call that has not yet been greeted."""
    return Call(call_id, flow.name, ani, dnis, channel, flow.head.languages[0], phase="language")
