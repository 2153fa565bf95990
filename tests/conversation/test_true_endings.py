"""Whatever happens in whatever order, in flows that charge once and more often: the ending says what was charged."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from ivr.conversation.engine import expected_field, step
from ivr.core.actions import Action, Authorize, BeginCard, HangUp, Speak, SplitPart, TakeBack
from ivr.core.call import Call
from ivr.core.events import (
    BankAnswered,
    CallStarted,
    CardCollected,
    ChargeRefused,
    Digits,
    DueAwaited,
    Event,
    Fault,
    HungUp,
    KeysEntered,
    LimitReached,
    LookedUp,
    NoInput,
    PartsTakenBack,
    Waited,
)
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.flow.compiler import compile_flow
from tests.conversation.talk import ROOT, START
from tests.merchants import FLOWS, SAMPLE

FILES = [SAMPLE, ROOT / "flows" / "split.yaml", *sorted(FLOWS.glob("[!w]*.yaml"))]
CHARGED = ("you_were_charged", "you_were_charged_in_total")
UNDONE_LATER = ("we_will_text_once_undone", "call_again_once_undone")
PENDING = ("we_will_text_the_result", "call_again_for_the_result")
OUTCOMES = ["approved", "approved", "declined", "unknown", "reversed", "pending", "not_sent"]
MOVES = st.one_of(
    *[st.just(("go on", None))] * 6,
    st.tuples(st.just("bank"), st.sampled_from([*OUTCOMES, "approved in part"])),
    st.tuples(st.just("taken back"), st.sampled_from(["undone", "undone", ""])),
    st.tuples(st.just("keys"), st.sampled_from(["1", "2", "*", "#", "12345678", "100", "1500#", "9"])),
    st.tuples(st.just("happens"), st.sampled_from([NoInput, Waited, Waited, HungUp, Fault])),
    st.tuples(
        st.just("refused"), st.sampled_from(["being_paid", "due_changed", "nothing_due", "not_reached", "limit"])
    ),
    st.just(("due is awaited", None)),
    st.tuples(st.just("due"), st.sampled_from([0, 1, 4250, 12_000])),
    st.tuples(st.just("minutes"), st.integers(1, 3)),
)


def compiled(file: object) -> Flow:
    flow, problems = compile_flow(str(file), file.read_text(encoding="utf-8"))  # type: ignore[attr-defined]
    assert flow is not None, problems
    return flow


FLOW_OF = {file.stem: compiled(file) for file in FILES}


@dataclass
class Books:
    """What the test itself knows of each attempt: what a bank and a ledger beside the call would have on paper."""

    open: dict[int, Money] = field(default_factory=dict)
    approved: dict[int, Money] = field(default_factory=dict)
    part: dict[int, SplitPart] = field(
        default_factory=dict
    )  # of those that are parts of a bill that is not paid in full
    undoing: dict[int, Money] = field(default_factory=dict)
    decided: dict[int, BankAnswered] = field(default_factory=dict)  # for good

    @property
    def held(self) -> dict[int, Money]:
        """Approved, and nothing unless the rest is paid."""
        return {one: self.approved[one] for one in self._open_parts if self.part[one].rest_unpaid == "take_back"}

    @property
    def counts(self) -> dict[int, Money]:
        return {one: amount for one, amount in self.approved.items() if one not in self.held}

    @property
    def _open_parts(self) -> list[int]:
        return [attempt for attempt in self.approved if attempt in self.part]

    def _approve(self, attempt: int, amount: Money) -> None:
        self.approved[attempt] = amount
        total = self.part[attempt].total.minor if attempt in self.part else 0
        if sum(self.approved[one].minor for one in self._open_parts) >= total:
            self.part.clear()

    def enter(self, before: Call, event: Event, actions: list[Action]) -> None:
        if isinstance(event, PartsTakenBack) and before.phase == "waiting":
            for attempt, became in event.parts:
                amount = self.undoing.pop(attempt)
                self.approved |= {} if became else {attempt: amount}
        if isinstance(event, BankAnswered) and before.phase == "waiting" and before.attempt in self.open:
            if event.outcome == "approved":
                self._approve(before.attempt, event.amount or self.open[before.attempt])
            if event.outcome not in ("unknown", "pending"):
                del self.open[before.attempt]
                self.decided[before.attempt] = event
        if isinstance(event, LimitReached | ChargeRefused | DueAwaited):
            self.open.pop(before.attempt, None)
        for action in actions:
            if isinstance(action, TakeBack):
                self.undoing |= {attempt: self.approved.pop(attempt) for attempt in self._open_parts}
                self.part.clear()
            if isinstance(action, Authorize):
                attempt = int(action.intent.rpartition("-")[2])
                assert attempt not in self.open, "one charge a card"
                assert attempt not in self.approved, "one charge a card"
                assert action.amount.minor > 0
                self.open[attempt] = action.amount
                self.part |= {attempt: action.part} if action.part else {}


def amounts(actions: list[Action], prompts: tuple[str, ...]) -> list[Money]:
    """What these prompts said of money."""
    phrases = [phrase for action in actions if isinstance(action, Speak) for phrase in action.phrases]
    said = [dict(phrase.values)["amount"] for phrase in phrases if phrase.name in prompts]
    return [amount for amount in said if isinstance(amount, Money)]


class Told:
    """One call, its books, and what is owed on the bill that is being paid."""

    def __init__(self, flow: Flow, *, can_text: bool) -> None:
        self.flow, self.now, self.books = flow, START, Books()
        self.call = Call(*("CA1", flow.name, "+1", "+2", "trunk", "en-US"), phase="language", can_text=can_text)
        self.actions: list[Action] = []
        self.due = 4250
        self.receipts: list[Money] = []
        self.hear(CallStarted(self.now))

    def hear(self, event: Event) -> None:
        before = self.call
        if isinstance(event, BankAnswered) and before.phase == "waiting":
            # What the ledger has once it keeps: no call hears of an approval after a reversal.
            event = self.books.decided.get(before.attempt, event)
        self.call, self.actions = step(self.flow, before, event)
        self.books.enter(before, event, self.actions)
        assert Call.from_json(self.call.to_json()) == self.call
        self.receipts += amounts(self.actions, ("confirmation_number",))
        if self.call.phase == "over" and before.phase != "over":
            self.judge(hung_up=isinstance(event, HungUp))

    def judge(self, *, hung_up: bool) -> None:
        books = self.books
        approved, still_open = sum(m.minor for m in books.counts.values()), books.open
        waits = {**still_open, **books.undoing, **books.held}
        assert self.call.outcome == ("pending" if waits else "paid" if approved else "unpaid")
        if hung_up:
            assert {charge.attempt for charge in self.call.untold} == set(waits)
            return
        phrases = [phrase for action in self.actions if isinstance(action, Speak) for phrase in action.phrases]
        names = [phrase.name for phrase in phrases]
        said = amounts(self.actions, CHARGED)
        if not said and len(books.counts) == 1 and not waits:
            said = self.receipts[-1:]  # heard already, and not told twice
        assert sum(amount.minor for amount in said) == approved
        assert [name for name in names if name in PENDING] == [PENDING[not self.call.can_text]] * bool(still_open)
        later = bool(waits) and not still_open
        assert [name for name in names if name in UNDONE_LATER] == [UNDONE_LATER[not self.call.can_text]] * later
        undoing = sum(amount.minor for amount in amounts(self.actions, ("part_being_undone", "part_in_doubt")))
        assert undoing == sum(amount.minor for amount in (*books.undoing.values(), *books.held.values()))
        assert ("you_were_not_charged" in names) == (not approved and not waits)
        assert {charge.attempt for charge in self.call.untold} == set(waits)
        assert isinstance(self.actions[-1], HangUp)

    def move(self, kind: str, what: object) -> None:
        match kind:
            case "go on":
                self.hear(self.likely())
            case "bank" if what == "approved in part":
                self.approve_in_part()
            case "taken back" if self.flow.steps.get(self.call.step) and self.call.undoing:
                ended = tuple((charge.attempt, what) for charge in self.call.undoing)
                self.hear(PartsTakenBack(self.now, ended))  # type: ignore[arg-type]
            case "bank":
                self.hear(BankAnswered(self.now, what, "12" if what == "approved" else None))  # type: ignore[arg-type]
            case "keys":
                self.hear(KeysEntered(self.now, Digits(str(what))))
            case "happens":
                self.hear(what(self.now))  # type: ignore[operator]
            case "due":
                self.due = int(what)  # type: ignore[call-overload]
            case "minutes":
                self.now += timedelta(minutes=int(what))  # type: ignore[call-overload]
            case "refused":
                self.refuse(str(what), self.now)
            case "due is awaited" if any(isinstance(action, Authorize) for action in self.actions):
                self.hear(DueAwaited(self.now))
        self.now += timedelta(seconds=1)

    def approve_in_part(self) -> None:
        """Of what is asked for now, where that may be."""
        attempt = self.call.attempt
        may_be = attempt in self.books.part and self.books.part[attempt].takes_part and attempt in self.books.open
        if may_be and self.books.open[attempt].minor > 1 and self.call.phase == "waiting":
            self.hear(BankAnswered(self.now, "approved", "12", Money(self.books.open[attempt].minor // 2)))

    def refuse(self, reason: str, at: datetime) -> None:
        """Only as the answer to what can be refused."""
        if any(isinstance(action, Authorize | BeginCard) for action in self.actions):
            due = Money(self.due) if reason == "due_changed" else None
            limit = LimitReached(at, "attempts_per_card")
            self.hear(limit if reason == "limit" else ChargeRefused(at, reason, due))  # type: ignore[arg-type]

    def likely(self) -> Event:
        call, at = self.call, self.now
        expected = expected_field(self.flow, call)
        if expected is not None:
            return CardCollected(at, expected[0], True, summary="visa 1111" if expected[0] == "card_number" else None)
        if call.phase == "waiting":
            return BankAnswered(at, "approved", "12")
        if call.phase == "lookup" and self.flow.steps[call.step].bank:
            return Waited(at)
        if call.phase == "lookup":
            return LookedUp(at, True, {"bill.due": Money(self.due), "bill.min": Money(min(self.due, 100))})
        asks = self.flow.steps.get(call.step)
        keyed = asks.keyed(call.phase) if asks else "key"
        if keyed == "number":
            return KeysEntered(at, Digits("12345678"[: (asks.length or (1, 1))[1]]))
        if keyed == "amount":
            return KeysEntered(at, Digits("150"))
        return KeysEntered(at, Digits("1"))


@pytest.mark.parametrize("flow", sorted(FLOW_OF))
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(moves=st.lists(MOVES, max_size=60), can_text=st.booleans())
def test_the_ending_says_what_was_charged(flow: str, moves: list[tuple[str, object]], can_text: bool):
    told = Told(FLOW_OF[flow], can_text=can_text)
    for kind, what in moves:
        told.move(kind, what)


def test_a_caller_who_goes_on_as_a_flow_likes_it_pays_and_pays_again():
    """The property above is worth nothing if its likely way leads nowhere."""
    told = Told(FLOW_OF["invoices"], can_text=True)
    for _ in range(17):
        told.move("go on", None)
    assert len(told.books.approved) == 2


def test_who_hangs_up_while_what_is_due_is_awaited_has_nothing_pending():
    told = Told(FLOW_OF["invoices"], can_text=True)
    while not told.books.open:
        told.move("go on", None)
    told.move("due is awaited", None)
    assert not told.books.open
    told.move("happens", Waited)
    assert told.books.open
    told.move("due is awaited", None)
    told.move("happens", HungUp)
    assert told.call.outcome == "unpaid"


def test_who_hangs_up_between_two_cards_has_a_part_that_is_being_taken_back():
    told = Told(FLOW_OF["split"], can_text=True)
    while not told.books.open:
        told.move("go on", None)
    told.move("bank", "approved in part")
    assert told.books.held
    told.move("happens", HungUp)
    assert told.call.undoing
    assert told.call.outcome == "pending"


def test_that_a_part_waits_for_the_banks_word_on_the_rest_is_said_once():
    told = Told(FLOW_OF["split"], can_text=True)
    while not told.books.open:
        told.move("go on", None)
    told.move("bank", "approved in part")
    while not told.books.open:
        told.move("go on", None)
    told.move("bank", "unknown")
    told.move("bank", "pending")
    phrases = [phrase.name for action in told.actions if isinstance(action, Speak) for phrase in action.phrases]
    assert phrases == ["part_in_doubt", "we_will_text_the_result", "goodbye"]
