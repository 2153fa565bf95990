"""Carries a call from event to event: keys to the vault, effects to the store, everything else to and from the core."""

import traceback
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

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
from ivr.core.call import Call
from ivr.core.caller import takes_texts
from ivr.core.collecting import expected_field
from ivr.core.compiler import Flow
from ivr.core.engine import step
from ivr.core.events import (
    CallStarted,
    CardCaptured,
    CardField,
    Digits,
    Event,
    Fault,
    HungUp,
    KeysEntered,
    LookedUp,
    Value,
    Waited,
)
from ivr.core.money import Money
from ivr.runner.payments import Payments
from ivr.store import DueNow, StaleCall

log = structlog.get_logger()
MOST_ACTIONS = 200  # a flow that says more in one turn goes round in circles


class Billing(Protocol):
    """Where bills come from: the embedded table, or an endpoint of the merchant's.

    `is_embedded`: what is due is a row of our own database, which a charge reads and lowers in its own transactions.
    """

    @property
    def is_embedded(self) -> bool: ...

    def look_up(self, source: str, key: str, at_event: Event) -> LookedUp: ...


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
        return self.advance(call, event)

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

    def tokenize(self, call: Call, fields: Mapping[CardField, Digits], at: datetime) -> str | None:
        """A card that the telephone network collected, sealed for the call's present attempt; a reason if it was not."""
        return self.payments.tokenize(call, self.flows[call.flow], fields, at)

    def _apology(self, reached: list[Call], event: Event) -> list[ChannelAction]:
        """From where the call had got to, with what the ledger says of its charges; an unsent card is dropped at once.

        Where the ledger cannot be read, a charge that may have been begun stays pending: nobody hears "not charged".
        """
        try:
            reached.append(self.payments.on_record(reached[-1]))
        except Exception as fault:
            log.error("cannot read the ledger", call=reached[-1].id, kind=type(fault).__name__)
        call, actions = step(self.flows[reached[-1].flow], reached[-1], Fault(event.at))
        reached.append(call)
        return [action for action in actions if isinstance(action, (Speak, HangUp))]

    def _actions(self, reached: list[Call], event: Event) -> list[ChannelAction]:
        """What the channel is to do. `reached` grows by each state of the call, so that a fault knows the last one."""
        flow = self.flows[reached[-1].flow]
        if isinstance(event, HungUp) and reached[-1].charges:
            reached.append(self.payments.on_record(reached[-1]))
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
        """A charge committed at this very moment, by another request of the same call, is one of its charges."""
        if not self.payments.forget(action.intent):
            reached.append(self.payments.on_record(reached[-1]))

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
                return self._look_up(action, event)
            case BeginCard():
                return self.payments.begin_card(call, self.flows[call.flow], event.at)
            case Authorize():
                due = self._due_now(action, event)
                return self.payments.authorize(call, self.flows[call.flow], action, event.at, due)
            case Resolve():
                # The forwarder resolves every unknown charge by itself, caller or no caller: it may have done so by now.
                return self.payments.answer(call, Waited(event.at))
            case SendSms():
                self.payments.send_sms(call, action, event.at)
        return None

    def _look_up(self, action: LookUp, event: Event) -> LookedUp:
        """Less what has been paid here and the billing system does not know of yet."""
        answer = self.billing.look_up(action.source, action.key, event)
        due = answer.values.get("bill.due")
        if self.billing.is_embedded or not isinstance(due, Money):
            return answer
        left = self.payments.store.left_to_pay(action.source, action.key, DueNow(due, event.at))
        least = answer.values.get("bill.min", left)
        return replace(answer, values={**answer.values, "bill.due": left, "bill.min": min(least, left, key=_minor)})

    def _due_now(self, action: Authorize, event: Event) -> DueNow | None:
        """What another billing system than our own table says is due at this moment."""
        if action.payable is None or self.billing.is_embedded:
            return None
        found = self.billing.look_up(action.payable.source, action.payable.key, event)
        due = found.values.get("bill.due")
        return DueNow(due if isinstance(due, Money) else Money(0, action.amount.currency), event.at)


def _minor(value: Value) -> int:
    return value.minor if isinstance(value, Money) else 0


def _count(before: Call, after: Call) -> None:
    if before.step != after.step:
        metrics.STEPS.labels(after.flow, before.step or "start", after.step).inc()
    if before.phase != "over" and after.phase == "over":
        metrics.ENDINGS.labels(after.flow, after.outcome, str(after.hung_up).lower()).inc()
        log.info("call ended", call=after.id, flow=after.flow, outcome=after.outcome, hung_up=after.hung_up)


def new_call(call_id: str, flow: Flow, *, ani: str, dnis: str, channel: str) -> Call:
    """A call that has not yet been greeted."""
    return Call(
        *(call_id, flow.name, ani, dnis, channel, flow.head.languages[0]),
        phase="language",
        takes_texts=takes_texts(ani),
    )
