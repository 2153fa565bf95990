"""Carries a call from event to event: keys to the vault, effects to the store, everything else to and from the core."""

import traceback
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from ivr import metrics
from ivr.calls.agreements import record_agreement
from ivr.calls.billing import Billing
from ivr.calls.charging import authorize
from ivr.calls.guessing import held_back, learned
from ivr.calls.live_flows import flow_of, in_words_of
from ivr.calls.payments import Payments
from ivr.calls.receipts import zone_at
from ivr.calls.remembering import forget_caller, recall
from ivr.conversation.engine import expected_field, step
from ivr.conversation.history import noted
from ivr.core.actions import (
    Action,
    Authorize,
    BeginCard,
    CaptureCard,
    ChannelAction,
    Collect,
    ForgetCaller,
    ForgetCard,
    ForgetKeptCard,
    HangUp,
    LookUp,
    Phrase,
    RecordAgreement,
    Resolve,
    SendEmail,
    SendSms,
    Speak,
    TakeBack,
    Transfer,
    UseKeptCard,
    Wait,
)
from ivr.core.call import NO_NOTES, Call, Charge, Ending
from ivr.core.caller import takes_texts
from ivr.core.events import (
    BankAnswered,
    CallStarted,
    CardCaptured,
    CardField,
    Digits,
    Event,
    Fault,
    HungUp,
    KeysEntered,
    LookedUp,
    NoInput,
    PartsTakenBack,
    Waited,
)
from ivr.core.money import Money
from ivr.core.moves import ERROR, left
from ivr.errors import FlowError
from ivr.flow.compiled import Flow
from ivr.flow.talk.amounts import is_in_another_currency
from ivr.flow.talk.card_fees import fee_on, with_fee
from ivr.flow.talk.turn import ENGINE_PHASES, moment_of
from ivr.logs import fault_name
from ivr.store import StaleCall

log = structlog.get_logger()
# Prompts without a value in them: what is said of the charge when nothing else can be said.
PLAIN_WORDS: Mapping[Ending, str] = {
    "paid": "payment_went_through",
    "reserved": "reservation_went_through",
    "unpaid": "you_were_not_charged",
    "pending": "we_will_text_the_result",
}
NOT_KNOWN = "charge_not_known"
MOST_ACTIONS = 200  # a flow that says more in one turn goes round in circles


Performer = Callable[[Call, Any, Event], Event | None]


class FlowChanged(Exception):
    """The version of the flow that a call is on, or its step or phase in it, cannot be had."""


@dataclass(frozen=True)
class Advance:
    """The call after an event, and what its channel is to do. `told`: the prompt of a plain ending that says what is true."""

    call: Call
    actions: list[ChannelAction]
    told: str = ""

    @property
    def is_over(self) -> bool:
        return self.call.phase == "over"


class Runner:
    """Shared by all calls and threads of a process. Every effect may safely happen twice: a repeated event is harmless.

    `flows` are those that new calls begin on, by name; a call goes on with its own version (`LiveFlows`).
    `performers` carry out the actions that are for nobody's ears, by their type: (call, action, event) to the answer.
    """

    def __init__(self, flows: Mapping[str, Flow], payments: Payments, billing: Billing) -> None:
        self.flows = flows
        self.payments = payments
        self.billing = billing
        self.performers: dict[type, Performer] = {
            LookUp: self._look_up,
            BeginCard: self._begin_card,
            Authorize: self._authorize,
            TakeBack: self._take_back,
            Resolve: self._resolve,
            SendSms: self._send_sms,
            SendEmail: self._send_email,
            RecordAgreement: self._record_agreement,
            ForgetCaller: self._forget_caller,
            UseKeptCard: self._use_kept_card,
            ForgetKeptCard: self._forget_kept_card,
        }

    def begin(self, call: Call, event: CallStarted) -> Advance:
        metrics.CALLS.labels(call.channel, call.flow).inc()
        event = replace(event, remembered=recall(self.payments, self.flows.get(call.flow), call, event.at))
        return self.advance(call.changed(can_text=self._can_text(call), can_email=self._can_email(call)), event)

    def advance(self, call: Call, event: Event) -> Advance:
        """Never raises for a fault of ours: the caller is told, and the fault is logged by its type alone.

        StaleCall where the call has ended meanwhile. A hang-up may raise: there is nobody to tell, and it can be had again.
        """
        if isinstance(event, HungUp):
            return self._hang_up(call, event)
        reached = [call]
        try:
            actions = self._actions(reached, event)
        except StaleCall:
            raise
        except Exception as fault:
            note_fault(call.id, fault)
            return self.apologise(reached[-1], event.at)
        return Advance(reached[-1], actions)

    def _can_text(self, call: Call) -> bool:
        """Where it cannot be told, nothing is promised: the call itself goes on."""
        try:
            return self.payments.can_text(call.ani)
        except Exception as fault:
            log.error("cannot tell whether texts go out", call=call.id, kind=type(fault).__name__)
            return False

    def _can_email(self, call: Call) -> bool:
        try:
            return self.payments.can_email()
        except Exception as fault:
            log.error("cannot tell whether e-mails go out", call=call.id, kind=type(fault).__name__)
            return False

    def is_answered(self, call: Call, at: datetime) -> bool:
        """Whether a hold is over: the bank has answered the charge, or the inquiry, that the call waits for.

        Where that cannot be read the hold goes on; should it still not be readable at its end, that is a fault.
        """
        flow = flow_of(self.flows, call)
        if flow is None or moment_of(flow, call) != "waits":
            return False
        try:
            answer = self._awaited(flow, call, Waited(at))
        except Exception as fault:
            log.warning("cannot look for the bank's answer", call=call.id, kind=type(fault).__name__)
            return False
        if isinstance(answer, PartsTakenBack):
            return True
        return isinstance(answer, BankAnswered) and flow.steps[call.step].ends_wait(answer)

    def is_on_hold(self, call: Call) -> bool:
        """Whether the line is held: an event without keys is then the end of a pause, and no silence of the caller's."""
        flow = flow_of(self.flows, call)
        return flow is not None and moment_of(flow, call) in ("looks_up", "waits")

    def tokenize(self, call: Call, fields: Mapping[CardField, Digits], at: datetime) -> str | None:
        """A card that the telephone network collected, sealed for the call's present attempt; a reason if it was not."""
        return self.payments.tokenize(call, self._flow(call), fields, at)

    # ---- endings that are not the flow's

    def apologise(self, call: Call, at: datetime) -> Advance:
        """Ends the call with what the ledger says of its charges, in the flow's words where they can be had."""
        try:
            recorded = self.payments.on_record(call)
        except Exception as fault:
            note_fault(call.id, fault)
            # A card had been keyed in, and only the ledger could say whether its charge was begun.
            doubtful = _in_doubt(call)
            return self.end_plainly(doubtful, known=not doubtful.unsettled)
        try:
            # What broke may have come after the flow's own ending, which was then not heard.
            live = replace(recorded, phase="entry", outcome=None)
            # A version that cannot be had ends in the words of the one that can.
            flow = flow_of(self.flows, live) or self.flows[live.flow]
            ended, actions = step(flow, live, Fault(at))
        except Exception as fault:
            note_fault(call.id, fault)
            return self.end_plainly(recorded)
        said = [in_words_of(flow.version, action) for action in actions]
        return Advance(ended, [action for action in said if isinstance(action, (Speak, HangUp))])

    def farewell(self, call: Call) -> Advance:
        """For somebody who is still there when their call has been ended as a hang-up: what is true now."""
        try:
            recorded = self.payments.on_record(call)
        except Exception as fault:
            note_fault(call.id, fault)
            return self.end_plainly(call, known=False)
        return self.end_plainly(replace(recorded, outcome=None))

    def end_plainly(self, call: Call, *, known: bool = True) -> Advance:
        """The same without flow, ledger or any value that would have to be put into words: what can always be said.

        `known`: False where neither the call nor the ledger can say what became of its charges.
        """
        call = call.closed
        ending = call.outcome or call.known_ending
        told = plain_words(call, ending) if known else NOT_KNOWN
        version = call.flow_version
        phrases = tuple(Phrase(name, call.language, version=version) for name in ("apology", told, "goodbye"))
        waits = {charge.attempt for charge in (*call.unsettled, *call.undoing, *call.held)}
        charges = tuple(
            replace(charge, told=charge.told or (known and charge.attempt not in waits)) for charge in call.charges
        )
        ended = replace(call, phase="over", outcome=ending, charges=charges, moves=left(call, ERROR))
        ended = self._without_answers(ended)
        return Advance(ended, [Speak(phrases, barge_in=False), HangUp()], told)

    def _hang_up(self, call: Call, event: HungUp) -> Advance:
        """Needs no flow, so a call whose flow is gone ends as well; then nothing that was keyed in is kept. What the caller has not heard is told by text."""
        recorded = self.payments.on_record(call).closed
        ended = recorded.changed(phase="over", hung_up=True, outcome=recorded.known_ending)
        return Advance(self._without_answers(ended), [])

    def _without_answers(self, call: Call) -> Call:
        """What the caller keyed in is kept no longer than the call, as the engine has it at its own endings; all values
        are dropped where the flow cannot say which of them are answers. The payable keeps the key that is paid for."""
        try:
            flow = flow_of(self.flows, call)
        except Exception as fault:
            note_fault(call.id, fault)
            flow = None
        asked = flow.forgets if flow is not None else call.values.keys()
        return call.without(asked).changed(notes=NO_NOTES, bills=())

    def _flow(self, call: Call) -> Flow:
        """FlowChanged where the call's version, or its step in it, is not there, or the step knows no such phase."""
        flow = flow_of(self.flows, call)
        if flow is None or (call.step and call.step not in flow.steps):
            raise FlowChanged(call.flow)
        if call.phase not in ENGINE_PHASES and (not call.step or call.phase not in flow.steps[call.step].phases):
            raise FlowChanged(call.flow)
        return flow

    # ---- a turn

    def _actions(self, reached: list[Call], event: Event) -> list[ChannelAction]:
        """What the channel is to do. `reached` grows by each state of the call, so that a fault knows the last one."""
        flow = self._flow(reached[-1])
        if flow.version != reached[-1].flow_version:
            reached.append(reached[-1].changed(flow_version=flow.version))
        try:
            waiting = self._step(reached, flow, self._translate(flow, reached[-1], event))
        finally:
            if isinstance(event, KeysEntered):
                # Whatever was asked for: it may have been a card number.
                event.keys.wipe()
        for_channel: list[ChannelAction] = []
        for _ in range(MOST_ACTIONS):
            if not waiting:
                break
            action = waiting.popleft()
            if isinstance(action, (Speak, Collect, CaptureCard, Wait, Transfer, HangUp)):
                for_channel.append(action)
                continue
            if isinstance(action, ForgetCard):
                self._forget(reached, action)
                continue
            answer = self.performers[type(action)](reached[-1], action, event)
            if answer is not None:
                # The answer decides what happens instead of the rest of the turn.
                waiting = self._step(reached, flow, answer)
        return for_channel

    def _step(self, reached: list[Call], flow: Flow, event: Event) -> deque[Action]:
        call, actions = step(flow, reached[-1], event)
        history = noted(flow, reached[-1], event, call)  # before keys are wiped
        reached.append(call.changed(history=history))
        return deque([in_words_of(flow.version, action) for action in actions] if flow.version else actions)

    def _forget(self, reached: list[Call], action: ForgetCard) -> None:
        """A charge committed at this very moment, by another request of the same call, is one of its charges."""
        if not self.payments.forget(action.intent):
            reached.append(self.payments.on_record(reached[-1]))

    def _translate(self, flow: Flow, call: Call, event: Event) -> Event:
        if isinstance(event, (KeysEntered, NoInput, CardCaptured)):
            stopped = self.payments.stop_card(call, flow, event.at)
            if stopped is not None:
                return stopped
        if isinstance(event, KeysEntered):
            expected = expected_field(flow, call)
            if expected is not None:
                return self.payments.take_card_keys(call, flow, *expected, event)
        if isinstance(event, CardCaptured):
            self.payments.keep_token(call, event)
        if isinstance(event, Waited):
            return self._awaited(flow, call, event) or event
        return event

    def _awaited(self, flow: Flow, call: Call, event: Waited) -> Event | None:
        """What the hold is for, where it has come."""
        step = flow.steps.get(call.step)
        if step is not None and PartsTakenBack in step.hears.get(call.phase, ()):
            return self.payments.taken_back(call, event.at)
        return self.payments.answer(call, event)

    # ---- what is asked of others; an answer comes to the call as an event

    def _begin_card(self, call: Call, _action: BeginCard, event: Event) -> Event | None:
        return self.payments.begin_card(call, self._flow(call), event.at)

    def _authorize(self, call: Call, action: Authorize, event: Event) -> Event | None:
        return authorize(self.payments, self.billing, call, self._flow(call), action, event.at)

    def _take_back(self, call: Call, _action: TakeBack, event: Event) -> Event | None:
        return self.payments.take_back(call, event.at)

    def _resolve(self, call: Call, _action: Resolve, event: Event) -> Event | None:
        """The forwarder resolves every unknown charge by itself, caller or no caller: it may have done so by now."""
        return self.payments.answer(call, Waited(event.at))

    def _send_sms(self, call: Call, action: SendSms, event: Event) -> None:
        self.payments.send_sms(call, action, event.at, zone_at(self._flow(call)))

    def _send_email(self, call: Call, action: SendEmail, event: Event) -> None:
        self.payments.send_email(call, action, event.at, zone_at(self._flow(call)))

    def _record_agreement(self, call: Call, action: RecordAgreement, event: Event) -> Event:
        """Raises where it cannot be recorded: then it was not made, and the call ends with an apology."""
        bank = self._flow(call).bank or ""
        return record_agreement(self.payments, self.billing, call, action, event.at, bank)

    def _forget_caller(self, call: Call, _action: ForgetCaller, _event: Event) -> None:
        forget_caller(self.payments, call)

    def _use_kept_card(self, call: Call, _action: UseKeptCard, event: Event) -> None:
        self.payments.use_kept_card(call, self._flow(call), event.at)

    def _forget_kept_card(self, call: Call, _action: ForgetKeptCard, event: Event) -> None:
        self.payments.forget_kept_card(call, event.at)

    def _look_up(self, call: Call, action: LookUp, event: Event) -> Event | None:
        # `since` tells this look-up of the call from an earlier one of the same account.
        guess = self.payments.guess_of(call, action)
        if guess and (locked := held_back(self.payments.store, guess, self._flow(call).head.limits, event.at)):
            return locked
        found = self.billing.look_up(action, event, f"{call.id} {call.since}")
        if guess:
            learned(self.payments.store, guess, found)
        if isinstance(found, LookedUp) and is_in_another_currency(self._flow(call), found):
            log.error("bill in another currency than the flow's max_amount", account=action.key, flow=call.flow)
        if isinstance(found, LookedUp):
            return self.payments.with_kept_card(self._flow(call), call, action.source, found)
        return found


def plain_words(call: Call, ending: Ending) -> str:
    return "call_again_for_the_result" if ending == "pending" and not call.can_text else PLAIN_WORDS[ending]


def _in_doubt(call: Call) -> Call:
    """The ledger cannot be read: a card that was keyed in may have been charged by now."""
    if not call.has_unsent_card:
        return call
    amount = call.values.get("amount")
    fee = fee_on(call.values)
    known = with_fee(amount, fee) if isinstance(amount, Money) else Money(0)
    return replace(call, charges=(*call.charges, Charge(call.attempt, known, "unknown", fee=fee)))


def note_fault(call_id: str, fault: Exception) -> None:
    """Its type and place. Not its message, which may quote what a library was given; a flow's own error names prompt and value."""
    frames = traceback.extract_tb(fault.__traceback__)
    place = f"{frames[-1].name}:{frames[-1].lineno}" if frames else ""
    told = {"told": str(fault)} if isinstance(fault, FlowError) else {}
    log.error("fault", call=call_id, kind=fault_name(fault), place=place, **told)
    metrics.FAULTS.labels(type(fault).__name__).inc()


# The same few for all calls; to look one up among the labels costs five times what it costs to count.


def count(before: Call, after: Call) -> None:
    """What is on record by now: an advance that was not saved is not counted."""
    if before.step != after.step:
        metrics.STEPS.labels(after.flow, before.step or "start", after.step).inc()
    if before.phase != "over" and after.phase == "over":
        metrics.ENDINGS.labels(after.flow, after.outcome, str(after.hung_up).lower()).inc()
        log.info("call ended", call=after.id, flow=after.flow, outcome=after.outcome, hung_up=after.hung_up)


def new_call(call_id: str, flow: Flow, *, ani: str, dnis: str, channel: str) -> Call:
    """A call that has not yet been greeted, on this version of the flow."""
    return Call(
        *(call_id, flow.name, ani, dnis, channel, flow.head.languages[0]),
        phase="language",
        can_text=takes_texts(ani),
        flow_version=flow.version,
    )
