"""One whole paid call of the sample flow as the events that the core is given, and a bare machine that takes as many steps."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from transitions import Machine

from ivr.calls import new_call
from ivr.conversation.engine import step
from ivr.core.actions import Action, Phrase, Speak
from ivr.core.call import Call
from ivr.core.events import (
    BankAnswered,
    CallStarted,
    CardCollected,
    Digits,
    Event,
    KeysEntered,
    LookedUp,
    NoInput,
)
from ivr.core.money import Money
from ivr.flow.compiled import Flow

AT = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
BILL = {"bill.due": Money(4250), "bill.min": Money(1000)}


def events() -> Sequence[Event]:
    """From the greeting to the hang-up after the receipt: twelve, of which the card's fields are the vault's verdicts."""
    return (
        CallStarted(AT),
        KeysEntered(AT, Digits("1")),  # the language
        KeysEntered(AT, Digits("12345678#")),
        LookedUp(AT, found=True, values=BILL),
        KeysEntered(AT, Digits("1")),  # all that is due
        CardCollected(AT, "card_number", valid=True, summary="visa 1111"),
        CardCollected(AT, "expiry", valid=True),
        CardCollected(AT, "security_code", valid=True),
        CardCollected(AT, "postal_code", valid=True),
        KeysEntered(AT, Digits("1")),  # consent
        BankAnswered(AT, "approved", "123456"),
        NoInput(AT),  # after the receipt
    )


def through_the_core(flow: Flow, words: Callable[[Phrase], str] | None = None) -> Callable[[], None]:
    """Work that takes one call from its start to its end and looks at every action; `words`: and puts it into words."""
    new, given = new_call("bench", flow, ani="+15550100", dnis="", channel="simulator"), events()

    def work() -> None:
        call: Call = new
        for event in given:
            call, actions = step(flow, call, event)
            take(actions, words)
        assert call.outcome == "paid"

    return work


def take(actions: Sequence[Action], words: Callable[[Phrase], str] | None) -> None:
    for action in actions:
        if words is not None and isinstance(action, Speak):
            for phrase in action.phrases:
                words(phrase)


class Place:
    def __init__(self, state: str) -> None:
        self.state = state


def through_a_bare_machine() -> Callable[[], None]:
    """As many steps of a `transitions` machine that says, asks and remembers nothing."""
    names = [f"step_{number}" for number in range(len(events()) + 1)]
    machine = Machine(model=None, states=names, initial=names[0], auto_transitions=False, send_event=False)
    for here, there in pairwise(names):
        machine.add_transition(f"leave_{here}", here, there)
    steps = [machine.events[f"leave_{name}"] for name in names[:-1]]

    def work() -> None:
        place = Place(names[0])
        for one in steps:
            one.trigger(place)
        assert place.state == names[-1]

    return work
