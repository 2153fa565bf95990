"""Every phase meets every event, of every kind, an invented one too: the engine does what the table of phases says."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ivr.conversation import engine
from ivr.conversation.phase_picture import in_markdown, leads, phase_picture
from ivr.conversation.phases import COLUMNS, OF_A_KIND, TABLE, column_of, what_follows
from ivr.core.actions import Action, Authorize, CaptureCard, Collect, ForgetCard, HangUp, Speak, Wait
from ivr.core.call import Call, Charge
from ivr.core.events import (
    AgreementRecorded,
    AgreementRefused,
    BankAnswered,
    CallStarted,
    CardCaptured,
    CardCollected,
    CardEntryEdited,
    ChargeRefused,
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
    PartsTakenBack,
    TransferEnded,
    Waited,
)
from ivr.core.money import Money
from ivr.core.remembered import ACCOUNT
from ivr.flow.compiled import Flow
from ivr.flow.compiler import compile_flow
from ivr.flow.drawing.diagram import svg
from ivr.flow.drawing.look import edges
from ivr.flow.drawing.mermaid import mermaid
from ivr.flow.registry import KINDS
from ivr.flow.steps import kinds, step_kind
from ivr.flow.talk.turn import ENGINE_PHASES, Turn
from tests.conversation.talk import BILL, PAYABLE, ROOT, START, sample
from tests.flow.steps.test_new_kind import FLOW
from tests.flow.steps.track import ParcelFound, TrackStep

EVENTS: tuple[Event, ...] = (
    CallStarted(START),
    *(KeysEntered(START, Digits(keys)) for keys in ("1", "2", "9", "12345678", "2000", "1234567890#", "*", "#", "")),
    NoInput(START),
    Waited(START),
    CardCollected(START, "card_number", True, summary="visa 1111"),
    CardCollected(START, "card_number", False, "luhn"),
    CardEntryEdited(START, "empty"),
    CardCaptured(START, "success", "visa 1111"),
    LookedUp(START, True, BILL),
    LookedUp(START, False),
    LookUpFailed(START, "not_reached"),
    DueAwaited(START),
    *(BankAnswered(START, outcome, "12") for outcome in ("approved", "declined", "unknown", "pending", "not_sent")),
    ChargeRefused(START, "being_paid"),
    LimitReached(START, "attempts_per_card"),
    PartsTakenBack(START, ((1, "undone"),)),
    AgreementRecorded(START),
    AgreementRefused(START, "nothing_due", Money(0)),
    *(TransferEnded(START, is_connected) for is_connected in (True, False)),
    Fault(START),
    HungUp(START),
    ParcelFound(START, "Graz"),  # type: ignore[arg-type]
)
VALUES = {
    **BILL,
    "amount": Money(4250),
    "money": Money(2000),
    "account_number": "12345678",
    "parcel_number": "1234567890",
}
ENDS_A_TURN = (Collect, Wait, HangUp, CaptureCard)
ENDS_A_CALL = ("limited", "breaks", "over")
HELD_FOR_THE_BANK = "waits"
CELLS = [f"{event} {column}" for event in (*(each.__name__ for each in TABLE), "ParcelFound") for column in COLUMNS]


@pytest.fixture(scope="module")
def flows() -> Iterator[tuple[Flow, ...]]:
    step_kind(TrackStep)
    parcels, problems = compile_flow("parcels.yaml", FLOW)
    assert parcels is not None, problems
    confirmed = sample(("    lookup: billing", "    confirm: always\n    lookup: billing"))
    asked = "then: next_time}\n  next_time: {remember: remember_me, keeps: [account], then: {agreed: thanks, refused: thanks}}\n  thanks: {end: paid}"
    returning = sample(
        ("    lookup: billing", "    remembered: offer\n    lookup: billing"),
        (
            "{say: confirmation_number, repeat: 2, sms: offer, end: paid}",
            f"{{say: confirmation_number, repeat: 2, sms: offer, {asked}",
        ),
    )
    yield confirmed, parcels, sample(("brands: [visa", "capture: pay\n    brands: [visa")), returning
    del KINDS[TrackStep.__name__]


def calls_of(flow: Flow) -> Iterator[Call]:
    """A call in each phase that one can rest in, at each step."""
    call = Call("CA1", flow.name, "+15550100", "+15550199", "twilio", "en-US", phase="language")
    yield call
    for name, step in flow.steps.items():
        for phase, moment in step.phases.items():
            here = at_step(call, name, phase, moment)
            is_sure = moment not in ("passes", "offers") and phase != "offer"
            if is_sure or (moment != "passes" and is_offered(flow, here)):
                yield here
        yield at_step(call, name, "cancel", "asks")
        yield at_step(call, name, "over", "over")


def is_offered(flow: Flow, call: Call) -> bool:
    """Not every `say` offers something, nor does every question for an account."""
    return engine.put_again(Turn(flow, call, START.timestamp()), NoInput(START)).call.phase == call.phase


def at_step(call: Call, name: str, phase: str, moment: str) -> Call:
    charged = (Charge(1, Money(4250), payable=PAYABLE.key),) if moment == HELD_FOR_THE_BANK else ()
    approved = (Charge(1, Money(4250), "approved", "12"),) if moment == "offers" else ()
    return replace(
        call,
        step=name,
        phase=phase,
        field_index=4 if phase == "confirm" else 0,
        attempt=1,
        since=START.timestamp(),
        values={**VALUES, ACCOUNT: "12345678"} if phase == "offer" else VALUES,
        notes={"town": "Graz"},
        payable=PAYABLE,
        looking_up=(PAYABLE.source, PAYABLE.key),
        charges=charged or approved,
    )


def met(flows: tuple[Flow, ...]) -> Iterator[tuple[Flow, Call, Event]]:
    return ((flow, call, event) for flow in flows for call in calls_of(flow) for event in EVENTS)


def heard(event: Event) -> Event:
    """No key at all is silence."""
    return NoInput(event.at) if isinstance(event, KeysEntered) and not event.keys else event


def test_every_cell_of_the_table_is_what_the_engine_does(flows: tuple[Flow, ...]):
    walked = set()
    for flow, call, event in met(flows):
        follows = what_follows(flow, call, heard(event))
        after, actions = engine.step(flow, call, event)
        where = f"{type(event).__name__} at {call.step} in {call.phase}: {follows}, then {after.step} in {after.phase}"
        does_as_written(follows, call, after, actions, where)
        leads_where_declared(flow, call, after, where)
        walked.add(f"{type(heard(event)).__name__} {column_of(flow, call)}")
    rests = [cell for cell in CELLS if not cell.endswith(" passes")]
    assert sorted(set(rests) - walked) == []


def does_as_written(follows: str, call: Call, after: Call, actions: list[Action], where: str) -> None:
    charged = any(isinstance(action, Authorize) for action in actions)
    assert not charged or follows in ("hears", "decides"), where
    if follows == "gone":
        assert after.phase == "over", where
        assert after.hung_up, where
        assert all(isinstance(action, ForgetCard) for action in actions), where
        return
    assert isinstance(actions[-1], ENDS_A_TURN), where
    if follows in ENDS_A_CALL:
        assert (after.phase, actions[-1]) == ("over", HangUp()), where
    if follows == "over":
        assert (after.phase, actions) == (call.phase, [HangUp()]), where
    if follows in ("again", "holds"):
        assert (after.step, after.phase) == (call.step, call.phase), where
        assert (after.values, after.charges) == (call.values, call.charges), where
    if follows == "holds":
        assert isinstance(actions[-1], Wait), where
        assert not any(isinstance(action, Speak) for action in actions), where
    if follows == "decides":
        assert after.phase != "cancel", where


def leads_where_declared(flow: Flow, call: Call, after: Call, where: str) -> None:
    if after.phase in ENGINE_PHASES or call.phase in ENGINE_PHASES:
        return
    kind = type(flow.steps[after.step])
    assert kind.phases[after.phase] != "passes", f"a call rests where none does: {where}"
    if after.step == call.step and after.moves == call.moves and after.attempt == call.attempt:
        may_follow = (call.phase, "entry", *leads(kind, call.phase))
        assert after.phase in may_follow, where


def test_what_a_question_does_not_take_never_reaches_its_step(flows: tuple[Flow, ...]):
    for flow, call, event in met(flows):
        if what_follows(flow, call, heard(event)) == "again":
            put = engine.put_again(Turn(flow, call, event.at.timestamp()), event)
            assert engine.step(flow, call, event)[1] == list(put.actions)


def test_the_engine_has_a_function_for_every_word_of_the_table():
    words = {word for row in (*TABLE.values(), OF_A_KIND) for word in row.values()}
    assert words == set(engine.ANSWERS)


def test_every_event_has_a_row():
    assert {type(event) for event in EVENTS} - {ParcelFound} == set(TABLE)
    assert set(Event.__args__) == set(TABLE)


def test_what_a_kind_declares_of_its_phases_is_of_its_phases():
    for kind in (*kinds(), TrackStep):
        named = {*kind.hears, *kind.leads, *(phase for phases in kind.leads.values() for phase in phases)}
        assert named <= set(kind.phases), kind.__name__


def test_the_phases_are_drawn_with_those_of_an_invented_kind(flows: tuple[Flow, ...]):
    picture = phase_picture()
    assert 'step_track-finding["track/finding' in mermaid(picture)
    assert 'data-step="collect/confirm"' in svg(picture)


def test_every_way_between_phases_says_what_it_is_taken_by():
    assert [edge for edge in edges(phase_picture()) if not edge.label] == []
    assert '""' not in mermaid(phase_picture())


def test_the_table_in_the_docs_is_the_table():
    assert in_markdown() in (ROOT / "docs" / "phases.md").read_text(encoding="utf-8")
