"""What happened in a call, in a form that may be kept: enough to go through a changed flow again, and nothing of the caller.

An entry is the seconds since the call began, and words:

    keys 1          a key of a menu or a question with yes and no, or an amount that was taken
    keys 000#       an amount that was not taken, in noughts: it may have been a part of a card number
    digits 8#       so many digits at a question for a number (with the done key): which ones is kept nowhere
    silence         no key
    card card_number visa      the vault's verdict on a card field: valid, of that brand
    card expiry ok itself      valid, and over by its length or the timer, without the done key
    card expiry !expired       not valid, and why
    edit cleared    keys of a card field that were no entry
    captured success visa      what the telephone network's own card form said
    waited          a hold that went on
    awaited 2c      the consent to the second attempt waited for what is due
    bank approved   the bank's answer
    found 4250 1000 USD, not_found, failed not_reached      the look-up's answer: due and least amount
    found 4250 1000 USD bill.fee=300                        with the amounts that the flow declares; no name and no date
    listed USD 4250/1000 1800/0                             all open bills
    connected, not_connected        what became of a transfer to a person
    limit 2b attempts_per_card, refused 2c being_paid 0 USD   an attempt by its number, not begun or not charged

The digits of an account number are answers that a call forgets when it is over, and a card's are never known here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ivr.conversation.asides import lone_key
from ivr.conversation.habit import is_second_done
from ivr.core.call import Call
from ivr.core.events import (
    BankAnswered,
    CallStarted,
    CardCaptured,
    CardCollected,
    CardEntryEdited,
    ChargeRefused,
    DueAwaited,
    Event,
    KeysEntered,
    LimitReached,
    LookedUp,
    LookUpFailed,
    NoInput,
    OpenBill,
    TransferEnded,
    Value,
    Waited,
)
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.flow.talk.turn import Turn, moment_of
from ivr.reading.scalars import BILL_VALUES, LONGEST_AMOUNT

MOST_ENTRIES = 300  # a call that goes on for longer is not kept whole, and cannot be replayed
ANY_KEY = "5"  # stands for several, pressed where any key was asked for
History = tuple[str, ...]


def noted(flow: Flow, before: Call, event: Event, after: Call) -> History:
    """The history of the call before the event, with the event; what the call has made of it says what may be kept."""
    at = int(event.at.timestamp())
    if isinstance(event, CallStarted):
        # A call that an operator's message has ended says nothing of its flow: it is not gone through again.
        return () if event.is_all else (f"{at} began",)
    if not before.history or len(before.history) >= MOST_ENTRIES:
        return before.history
    if is_second_done(flow, before, event):
        return before.history  # it changes nothing, and whole seconds do not tell it from a later one
    words = _in_words(flow, before, event, after)
    return (*before.history, f"{at - began(before.history)} {words}") if words else before.history


def began(history: History) -> int:
    """When the call began (epoch s)."""
    return int(history[0].partition(" ")[0])


def is_whole(history: History) -> bool:
    return 0 < len(history) < MOST_ENTRIES


def _in_words(flow: Flow, before: Call, event: Event, after: Call) -> str:
    if isinstance(event, KeysEntered):
        return _keys(flow, before, event, after)
    write = _WRITERS.get(type(event))
    return write(flow, before, event) if write else ""


def _keys(flow: Flow, call: Call, event: KeysEntered, after: Call) -> str:
    if not event.keys:
        return "silence"
    keys = event.keys.buffer
    step = flow.steps.get(call.step)
    keyed = step.keyed(call.phase) if step is not None else "key"
    if keyed == "key" and len(keys) <= 2:
        return f"keys {event.keys.text()}"
    if after.asides > call.asides:
        # One key that was no answer: which one tells nothing of the caller.
        return f"keys {lone_key(Turn(flow, call, 0.0), event) or ANY_KEY}"
    # Before a clear key nothing counts; after it only how many there are.
    done = "#" if keys[-1:] == b"#" else "*" if keys[-1:] == b"*" else ""
    entry = bytes(keys).removesuffix(done.encode())
    digits = entry if keyed == "key" else entry.rpartition(b"*")[2]
    count = sum(48 <= key <= 57 for key in digits)
    if keyed != "amount" or count > LONGEST_AMOUNT:
        return f"digits {count}{done}"
    is_taken = after.step == call.step and after.phase == "confirm"
    return f"keys {digits.decode() if is_taken else '0' * count}{done}"


def _card(_flow: Flow, _call: Call, event: CardCollected) -> str:
    valid = (event.summary or "ok").partition(" ")[0]
    itself = " itself" if event.ended_itself else ""
    return f"card {event.field} {valid if event.valid else f'!{event.reason}'}{itself}"


def _found(_flow: Flow, _call: Call, event: LookedUp) -> str:
    due, least = event.values.get("bill.due"), event.values.get("bill.min")
    if event.bills:
        return _listed(event.bills)
    if not event.found or not isinstance(due, Money) or not isinstance(least, Money):
        return "not_found"
    more = [f" {name}={one.minor}" for name, one in _amounts(event.values).items() if name not in BILL_VALUES]
    return f"found {due.minor} {least.minor} {due.currency}{''.join(more)}"


def _listed(bills: Sequence[OpenBill]) -> str:
    """Without what they are known by."""
    amounts = [_amounts(bill.values) for bill in bills]
    owed = [f"{one['bill.due'].minor}/{one['bill.min'].minor}" for one in amounts]
    return f"listed {amounts[0]['bill.due'].currency} {' '.join(owed)}"


def _amounts(values: Mapping[str, Value]) -> Mapping[str, Money]:
    return {name: value for name, value in values.items() if isinstance(value, Money)}


def _refused(flow: Flow, call: Call, event: ChargeRefused) -> str:
    due = event.due or Money(0)
    return f"refused {attempt_of(flow, call)} {event.reason} {due.minor} {due.currency}"


def attempt_of(flow: Flow, call: Call) -> str:
    """Which attempt is refused, and where: before the card is asked for, or when it is to be charged."""
    step = flow.steps.get(call.step)
    return f"{call.attempt}{'b' if step is not None and step.card else 'c'}"


def _awaited(flow: Flow, call: Call, _event: DueAwaited) -> str:
    """Once for each attempt, however long it waits."""
    words = f"awaited {attempt_of(flow, call)}"
    return "" if any(entry.endswith(words) for entry in call.history) else words


def _captured(_flow: Flow, _call: Call, event: CardCaptured) -> str:
    return f"captured {event.result} {(event.summary or '').partition(' ')[0]}".rstrip()


_WRITERS: dict[type, Callable[[Flow, Call, Any], str]] = {
    NoInput: lambda _flow, _call, _event: "silence",
    CardCollected: _card,
    CardEntryEdited: lambda _flow, _call, event: f"edit {event.reading}",
    CardCaptured: _captured,
    # A wait for a look-up is over with its answer, and one for what is due with a charge or a refusal.
    Waited: lambda flow, call, _event: "" if moment_of(flow, call) == "looks_up" else "waited",
    DueAwaited: _awaited,
    BankAnswered: lambda _flow, _call, event: f"bank {event.outcome}",
    TransferEnded: lambda _flow, _call, event: "connected" if event.is_connected else "not_connected",
    LookedUp: _found,
    LookUpFailed: lambda _flow, _call, event: f"failed {event.problem}",
    LimitReached: lambda flow, call, event: f"limit {attempt_of(flow, call)} {event.limit}",
    ChargeRefused: _refused,
}
