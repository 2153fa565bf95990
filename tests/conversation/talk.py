"""A call as a test writes it: events in, what was said and done out. No channel, vault, bank or clock."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from ivr.conversation.engine import expected_field, step
from ivr.conversation.habit import DOUBLE_PRESS_S
from ivr.core.actions import Action, Authorize, BeginCard, Collect, ForgetCard, HangUp, LookUp, Phrase, Speak
from ivr.core.call import Call, Payable
from ivr.core.entry import Reading, ends_itself, read_after_timeout
from ivr.core.events import (
    BankAnswered,
    BankOutcome,
    CallStarted,
    CardCollected,
    CardEntryEdited,
    ChargeRefused,
    Digits,
    DueAwaited,
    Event,
    HungUp,
    KeysEntered,
    LookedUp,
    LookUpFailed,
    LookUpProblem,
    NoInput,
    Waited,
)
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.flow.compiler import compile_flow

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "tests" / "flows" / "sample" / "pay-a-bill.yaml"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BILL = {"bill.due": Money(4250), "bill.min": Money(1000)}
PAYABLE = Payable("billing.find_bill", "12345678", Money(4250))
VISA = ("card_number", "visa 1111")


def sample(*changes: tuple[str, str]) -> Flow:
    """The sample flow, with words of it replaced."""
    text = SAMPLE.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) >= 1, f"{old!r} is not in the sample flow"
        text = text.replace(old, new, 1)
    flow, problems = compile_flow("flow.yaml", text)
    assert flow is not None, "\n".join(map(str, problems))
    return flow


class Talk:
    """One call. `said` is what the last event made it say, `done` everything else that it did."""

    def __init__(self, flow: Flow | None = None, channel: str = "simulator") -> None:
        self.flow = flow or sample()
        self.now = START
        self.call = Call("CA1", self.flow.name, "+15550100", "+15550199", channel, "en-US", phase="language")
        self.phrases: list[Phrase] = []
        self.done: list[Action] = []
        self.history: list[Action] = []

    # ---- events

    def hear(self, event: Event) -> "Talk":
        self.call, actions = step(self.flow, self.call, event)
        self.phrases = [p for action in actions if isinstance(action, Speak) for p in action.phrases]
        self.done = [action for action in actions if not isinstance(action, Speak)]
        self.history += actions
        return self

    def later(self, seconds: float = 2 * DOUBLE_PRESS_S) -> "Talk":
        """Nothing happens for so long: a done key that comes now is none that was pressed twice."""
        self.now += timedelta(seconds=seconds)
        return self

    def start(self) -> "Talk":
        return self.hear(CallStarted(self.now))

    def keys(self, keys: str) -> "Talk":
        """As the runner does it: card keys become the vault's word on them, and it finds everything valid."""
        expected = expected_field(self.flow, self.call)
        if expected is None:
            return self.hear(KeysEntered(self.now, Digits(keys)))
        field, rules = expected
        ended_itself = ends_itself(keys.encode(), rules)
        reading = read_after_timeout(keys.encode(), rules).reading
        if reading in (Reading.CANCEL, Reading.CLEARED, Reading.EMPTY):
            return self.hear(CardEntryEdited(self.now, reading.value))
        if len(keys.rstrip("#")) == 1 and (keys[0] in "90" or self.call.warned):
            return self.hear(CardEntryEdited(self.now, {"9": "again", "0": "help"}.get(keys[0], "one_key")))  # type: ignore[arg-type]
        summary = "visa 1111" if field == "card_number" else None
        return self.hear(CardCollected(self.now, field, True, summary=summary, ended_itself=ended_itself))

    def silence(self) -> "Talk":
        return self.hear(NoInput(self.now))

    def hang_up(self) -> "Talk":
        return self.hear(HungUp(self.now))

    def found(self, **bill: Money) -> "Talk":
        return self.hear(LookedUp(self.now, True, bill or BILL))

    def not_found(self) -> "Talk":
        return self.hear(LookedUp(self.now, False))

    def no_bill(self, problem: LookUpProblem) -> "Talk":
        return self.hear(LookUpFailed(self.now, problem))

    def refused(self, field: str, reason: str) -> "Talk":
        return self.hear(CardCollected(self.now, field, False, reason))  # type: ignore[arg-type]

    def wait(self, seconds: float) -> "Talk":
        self.now += timedelta(seconds=seconds)
        return self.hear(Waited(self.now))

    def bank(self, outcome: BankOutcome) -> "Talk":
        return self.hear(BankAnswered(self.now, outcome, "739104" if outcome == "approved" else None))

    def due_is_awaited(self) -> "Talk":
        return self.hear(DueAwaited(self.now))

    def not_reached(self) -> "Talk":
        return self.hear(ChargeRefused(self.now, "not_reached"))

    # ---- a long way at once

    def at_account(self) -> "Talk":
        return self.start().keys("1")

    def at_amount(self) -> "Talk":
        return self.at_account().keys("12345678").found()

    def at_card(self) -> "Talk":
        return self.at_amount().keys("1")

    def at_confirmation(self) -> "Talk":
        return self.at_card().keys("4111111111111111").keys("1230").keys("123").keys("94105")

    def at_bank(self) -> "Talk":
        return self.at_confirmation().keys("1")

    def at_receipt(self) -> "Talk":
        return self.at_bank().bank("approved")

    # ---- what came of it

    @property
    def said(self) -> list[str]:
        return [phrase.name for phrase in self.phrases]

    def phrase(self, name: str) -> dict[str, object]:
        return dict(next(phrase for phrase in self.phrases if phrase.name == name).values)

    @property
    def asks(self) -> Collect:
        return next(action for action in self.done if isinstance(action, Collect))

    def did(self, kind: type[Action]) -> list[Action]:
        return [action for action in self.history if isinstance(action, kind)]

    @property
    def charges(self) -> list[Authorize]:
        return [action for action in self.history if isinstance(action, Authorize)]

    @property
    def is_over(self) -> bool:
        return self.call.phase == "over" and any(isinstance(action, HangUp) for action in self.history)


__all__ = ["BILL", "PAYABLE", "SAMPLE", "START", "VISA", "BeginCard", "ForgetCard", "LookUp", "Talk", "sample"]
