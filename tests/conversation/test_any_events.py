"""Whatever happens in whatever order: no exception, no charge without consent, one charge an intent, an end to silence."""

from dataclasses import dataclass, field
from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import given, settings

from ivr.conversation.engine import expected_field, step
from ivr.core.actions import Authorize, Collect, ForgetCard, HangUp, Speak
from ivr.core.call import Call
from ivr.core.events import (
    CARD_FIELDS,
    BankAnswered,
    CallStarted,
    CardCaptured,
    CardCollected,
    CardEntryEdited,
    Digits,
    DueAwaited,
    Event,
    Fault,
    HungUp,
    KeysEntered,
    LimitReached,
    LookedUp,
    LookUpFailed,
    NoInput,
    Waited,
)
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.flow.prompts import ENGINE_PROMPTS
from ivr.flow.talk.ending import ENDING_PROMPTS
from tests.conversation.talk import START, sample

FLOWS = {
    "sample": sample(),
    "swapped keys": sample(("{clear: star, done: pound}", "{clear: pound, done: star}")),
    "captured": sample(("brands: [visa", "capture: pay\n    brands: [visa")),
    "confirmed account": sample(("    lookup: billing", "    confirm: always\n    lookup: billing")),
}
KEYS = st.one_of(
    st.sampled_from(["1", "2", "*", "#", "12345678", "1#", "*1", "2000", "4111111111111111#"]),
    st.text("0123456789*#ABCD", max_size=21),
)
AMOUNTS = st.integers(-100, 100_000).map(Money)
MAKERS = st.one_of(
    KEYS.map(lambda keys: lambda at: KeysEntered(at, Digits(keys))),
    st.sampled_from([NoInput, Waited, CallStarted]),
    st.sampled_from([HungUp, Fault]),
    st.sampled_from(CARD_FIELDS).map(lambda field: lambda at: CardCollected(at, field, True, summary="visa 1111")),
    st.sampled_from(CARD_FIELDS).map(lambda field: lambda at: CardCollected(at, field, False, "luhn")),
    st.sampled_from(["cleared", "cancel", "empty"]).map(lambda reading: lambda at: CardEntryEdited(at, reading)),
    st.sampled_from(["approved", "declined", "unknown", "reversed", "pending"]).map(
        lambda outcome: lambda at: BankAnswered(at, outcome, "12")
    ),
    st.sampled_from(["success", "caller-interrupted-with-star", "too-many-failed-attempts"]).map(
        lambda result: lambda at: CardCaptured(at, result, "visa 1111")
    ),
    st.sampled_from(["attempts_per_caller", "attempts_per_card", "max_amount"]).map(
        lambda limit: lambda at: LimitReached(at, limit)
    ),
    st.just(lambda at: LookedUp(at, False)),
    st.just(DueAwaited),
    st.sampled_from(["not_reached", "not_payable"]).map(lambda problem: lambda at: LookUpFailed(at, problem)),
    st.tuples(AMOUNTS, AMOUNTS).map(
        lambda two: lambda at: LookedUp(at, True, {"bill.due": two[0], "bill.min": two[1]})
    ),
)
# What brings a call further, so that most runs see the whole of it and not only its beginning.
LIKELY = st.just("the likely next")


def likely(flow: Flow, call: Call, at: object) -> Event:
    expected = expected_field(flow, call)
    if expected is not None:
        return CardCollected(at, expected[0], True, summary="visa 1111")  # type: ignore[arg-type]
    if call.phase == "waiting":
        return BankAnswered(at, "approved", "12")  # type: ignore[arg-type]
    if call.phase == "lookup" and call.step == "charge":
        return Waited(at)  # type: ignore[arg-type]
    if call.phase == "lookup":
        return LookedUp(at, True, {"bill.due": Money(4250), "bill.min": Money(1000)})  # type: ignore[arg-type]
    keys = {"account": "12345678", "other_amount": "2000"}.get(call.step, "1")
    return KeysEntered(at, Digits("1" if call.phase == "confirm" else keys))  # type: ignore[arg-type]


@dataclass
class Watch:
    """What a whole call must hold to, looked at after each event."""

    flow: Flow
    agreed: bool = False
    intents: list[str] = field(default_factory=list)
    limited: set[str] = field(default_factory=set)
    awaited: str = ""

    def see(self, before: Call, event: Event, after: Call, actions: list) -> None:
        assert Call.from_json(after.to_json()) == after
        self.consent(before, event, after, actions)
        self.ending(after, actions)
        last = actions[-1] if actions else None
        assert last is None or not isinstance(last, Speak), "the caller would hear something and then nothing"
        assert sum(isinstance(action, Collect) for action in actions) <= 1

    def consent(self, before: Call, event: Event, after: Call, actions: list) -> None:
        confirming = before.phase == "confirm" and before.step == "card"
        accepted = confirming and isinstance(event, KeysEntered) and after.phase == "waiting"
        asked_again = before.phase == "lookup" and before.intent == self.awaited
        if before.phase == "waiting" and after.phase == "lookup" and self.intents:
            self.awaited = self.intents.pop()  # what is due was not known: the charge has not been begun
        for action in actions:
            if isinstance(action, Authorize):
                assert accepted or asked_again, "a charge without a confirmation key just before it"
                assert action.intent not in self.intents, "two charges of one intent"
                assert 0 < action.amount.minor <= 50_000
                assert action.amount == before.values["amount"]
                self.intents.append(action.intent)
            if isinstance(action, ForgetCard) and not isinstance(event, LimitReached):
                assert action.intent not in self.intents, "a card that was sent must not be forgotten here"

    def ending(self, after: Call, actions: list) -> None:
        said = [phrase.name for action in actions if isinstance(action, Speak) for phrase in action.phrases]
        if "goodbye" in said:
            told = set(said) & set(ENDING_PROMPTS.values())
            assert told == {ENDING_PROMPTS[after.outcome]}, "an ending says charged, not charged or that we will tell"
            assert isinstance(actions[-1], HangUp)
        if after.phase == "over":
            assert after.outcome == after.known_ending


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(FLOWS)), st.lists(st.one_of(LIKELY, LIKELY, LIKELY, MAKERS), max_size=40))
def test_no_order_of_events_breaks_a_call(name: str, makers: list):
    flow, now = FLOWS[name], START
    call = Call("CA1", flow.name, "+1", "+2", "twilio" if name == "captured" else "trunk", "en-US", phase="language")
    call, _ = step(flow, call, CallStarted(now))
    watch = Watch(flow)
    for make in makers:
        now += timedelta(seconds=1)
        event = likely(flow, call, now) if make == "the likely next" else make(now)
        before, (call, actions) = call, step(flow, call, event)
        watch.see(before, event, call, actions)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(FLOWS)), st.lists(st.one_of(LIKELY, LIKELY, MAKERS), max_size=25))
def test_silence_ends_every_call(name: str, makers: list):
    flow, now = FLOWS[name], START
    call = Call("CA1", flow.name, "+1", "+2", "trunk", "en-US", phase="language")
    call, _ = step(flow, call, CallStarted(now))
    for make in makers:
        call, _ = step(flow, call, likely(flow, call, now) if make == "the likely next" else make(now))
    silences = 0
    while call.phase != "over":
        silences += 1
        assert silences < 60, f"still in {call.step}, {call.phase}"
        now += timedelta(seconds=10)
        silent = Waited(now) if call.phase in ("lookup", "waiting") else NoInput(now)
        call, _ = step(flow, call, silent)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(LIKELY, LIKELY, MAKERS), max_size=30))
def test_every_prompt_said_is_one_that_the_checker_demands(makers: list):
    flow, now = FLOWS["sample"], START
    known = {*ENGINE_PROMPTS, *(name for body in flow.steps.values() for name in body.prompts())}
    call, actions = step(flow, Call("CA1", flow.name, "+1", "+2", "trunk", "en-US", phase="language"), CallStarted(now))
    for make in makers:
        call, actions = step(flow, call, likely(flow, call, now) if make == "the likely next" else make(now))
        said = {phrase.name for action in actions if isinstance(action, Speak) for phrase in action.phrases}
        assert said <= known
