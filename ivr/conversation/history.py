"""What happened in a call, in a form that may be kept: enough to go through a changed flow again, and nothing of the caller.

An entry is the seconds since the call began, and words:

    remembered es-MX 8    first of all: what was remembered of the caller, a language (or -) and so many digits of an account
    keys 1          a key of a menu or a question with yes and no, or an amount that was confirmed
    keys 3000#      an amount that was read back, and not confirmed yet or ever: its first digit and noughts
    keys 000#       an amount that was not taken, in noughts: it may have been a part of a card number
    digits 8#       so many digits at a question for a number (with the done key): which ones is kept nowhere
    digits 0*8#     the same behind keys that were cleared; so with amounts
    silence         no key
    card card_number visa      the vault's verdict on a card field: valid, of that brand
    card expiry ok itself      valid, and over by its length or the timer, without the done key
    card expiry !expired       not valid, and why
    edit cleared    keys of a card field that were no entry
    captured success visa      what the telephone network's own card form said
    waited          a hold that went on
    awaited 2c      the consent to the second attempt waited for what is due
    bank approved   the bank's answer; with what was approved, in minor units, where that is a part of what was asked for
    bank approved left 2250 1800    where others have paid meanwhile: what is due by then on the call's bills, the paid one first
    back 1=undone 2=charged    what became of parts of a bill that were to be taken back, by card attempt
    found 4250 1000 USD, not_found, failed not_reached      the look-up's answer: due and least amount
    found 4250 1000 USD bill.fee=300                        with the amounts and dates that the flow declares; no name
    listed USD 4250/1000 1800/0                             all open bills
    connected, not_connected        what became of a transfer to a person
    limit 2b attempts_per_card, refused 2c being_paid 0 USD   an attempt by its number, not begun or not charged
    agreed, refused 1a due_changed 2250 USD             a promise, plan or mandate on record, or not, as a charge of that attempt
    refused 2c due_changed 4800 USD 3000 1800               of bills in one sum what each owes, or 1 for one that is being paid
    refused 2c being_paid 0 USD left 4250 0                   with what is due by now on the open bills, where others have paid

The digits of an account number are answers that a call forgets when it is over, and a card's are never known here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, get_args

from ivr.conversation.asides import lone_key
from ivr.conversation.habit import is_second_done
from ivr.core.call import Call
from ivr.core.events import (
    AgreementRecorded,
    AgreementRefused,
    BankAnswered,
    BankOutcome,
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
    LookUpProblem,
    NoInput,
    OpenBill,
    PartsTakenBack,
    TransferEnded,
    Value,
    Waited,
)
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.flow.talk.open_bills import due_on, left_after
from ivr.flow.talk.turn import Turn, moment_of
from ivr.reading.scalars import BILL_VALUES, LONGEST_AMOUNT

MOST_ENTRIES = 300  # a call that goes on for longer is not kept whole, and cannot be replayed
ANY_KEY = "5"  # stands for several, pressed where any key was asked for
History = tuple[str, ...]
CLEARED_BEFORE = "0*"
_GONE_ON = frozenset({"asks", "offers", "looks_up"})
KEPT = "kept_card"
_DIGITS = re.compile(r"(0\*)?([0-9]+)([*#]?)")
# Seconds of 11 digits end in the year 5138; a number beyond that is no time.
_BEGAN = re.compile(r"[0-9]{1,11} began")
_REFUSED_AGREEMENT = re.compile(r"[0-9]+ refused [0-9]+a ")
_MONEY, _ATTEMPT = r"-?[0-9]{1,12} [A-Z]{3}", "[0-9]{1,9}[abc]"
_ENTRY = re.compile(
    "[0-9]{1,9} (?:remembered [A-Za-z0-9-]{1,35} [0-9]{1,2}|silence|waited|not_found|connected|not_connected"
    r"|keys [0-9A-D*#]{1,20}|digits (?:0\*)?[0-9]{1,5}[*#]?"
    r"|card [a-z_]+ !?[A-Za-z_]+(?: itself)?|edit (?:cleared|cancel|empty|again|help|one_key)|captured [a-z-]+(?: [a-z]+)?"
    rf"|bank (?:{'|'.join(get_args(BankOutcome))})(?: [0-9]{{1,12}})?(?: left(?: [0-9]{{1,12}})+)?|back(?: [0-9]{{1,9}}=(?:undone|charged))+|failed (?:{'|'.join(get_args(LookUpProblem))})"
    rf"|agreed|found -?[0-9]{{1,12}} {_MONEY}(?: [a-z0-9_.]+=(?:-?[0-9]{{1,12}}|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}))*"
    r"|listed [A-Z]{3}(?: -?[0-9]{1,12}/-?[0-9]{1,12})+"
    rf"|awaited {_ATTEMPT}|limit {_ATTEMPT} [a-z_]+|refused {_ATTEMPT} [a-z_]+ {_MONEY}(?: -?[0-9]{{1,12}})*(?: left(?: [0-9]{{1,12}})+)?)"
)


def noted(flow: Flow, before: Call, event: Event, after: Call) -> History:
    """The history of the call before the event, with the event; what the call has made of it says what may be kept."""
    at = int(event.at.timestamp())
    if isinstance(event, CallStarted):
        # A call that an operator's message or a stop has ended says nothing of its flow: it is not gone through again.
        return () if event.is_all or event.is_stopped else (f"{at} began", *_remembered(event))
    if not before.history or len(before.history) >= MOST_ENTRIES or not _BEGAN.fullmatch(before.history[0]):
        return before.history
    if is_second_done(flow, before, event):
        return before.history  # it changes nothing, and whole seconds do not tell it from a later one
    words, history = _in_words(flow, before, event, after), _with_confirmed_amount(flow, before, after)
    return (*history, f"{at - began(history)} {words}") if words else history


def _remembered(event: CallStarted) -> History:
    kept = event.remembered
    return (f"0 remembered {kept.language or '-'} {len(kept.account)}",) if kept else ()


def began(history: History) -> int:
    """When the call began (epoch s)."""
    return int(history[0].partition(" ")[0])


def read_digits(written: str) -> tuple[str, int, str]:
    """What stands behind `digits`: `CLEARED_BEFORE` or nothing, how many there were, and the key that ended them."""
    found = _DIGITS.fullmatch(written)
    if found is None:
        raise ValueError("no digits of a history")
    return found[1] or "", int(found[2]), found[3]


def is_whole(history: History) -> bool:
    """All of it is there, and can be read: a row may hold anything."""
    return (
        0 < len(history) < MOST_ENTRIES
        and _BEGAN.fullmatch(history[0]) is not None
        and all(_ENTRY.fullmatch(entry) for entry in history[1:])
    )


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
    # Of what was cleared nothing counts but that it was there; of what comes after it only how many there are.
    done = "#" if keys[-1:] == b"#" else "*" if keys[-1:] == b"*" else ""
    entry = bytes(keys).removesuffix(done.encode())
    digits = entry if keyed == "key" else entry.rpartition(b"*")[2]
    cleared = CLEARED_BEFORE if keyed != "key" and b"*" in entry else ""
    count = sum(48 <= key <= 57 for key in digits)
    if keyed != "amount" or count > LONGEST_AMOUNT:
        return f"digits {cleared}{count}{done}"
    is_taken = after.step == call.step and after.phase == "confirm"
    return f"keys {cleared}{_rounded(digits.decode()) if is_taken else '0' * count}{done}"


def _rounded(amount: str) -> str:
    """An amount that was only read back may be a part of a card number: its size is kept, and one digit of it."""
    plain = amount.lstrip("0") or "0"
    return plain[0].ljust(len(plain), "0")


def _with_confirmed_amount(flow: Flow, before: Call, after: Call) -> History:
    """What a caller has agreed to pay is an amount, and on record with the charge."""
    step, money, history = flow.steps.get(before.step), before.values.get("money"), before.history
    is_read_back = before.phase == "confirm" and step is not None and step.keyed("entry") == "amount"
    if not is_read_back or not isinstance(money, Money) or after.step == before.step or after.phase == "over":
        return history
    rounded = _rounded(str(money.minor))
    endings = (f" keys {rounded}", f" keys {CLEARED_BEFORE}{rounded}")
    places = (at for at in reversed(range(len(history))) if history[at].rstrip("#").endswith(endings))
    at = next(places, None)
    if at is None or after.values.get("amount") != money:
        return history
    kept, _, done = history[at].rpartition(rounded)
    confirmed = f"{kept}{money.minor}{done}"
    return (*history[:at], confirmed, *history[at + 1 :])


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
    more = [
        f" {name}={_written(one)}" for name, one in event.values.items() if name not in BILL_VALUES and _written(one)
    ]
    kept = f" {KEPT}=1" if event.values.get("kept_last4") else ""  # that there is a card, and nothing of it
    return f"found {due.minor} {least.minor} {due.currency}{''.join(more)}{kept}"


def _written(value: Value) -> str:
    """Amounts and dates, which a flow may decide by, and which are nobody's name; "" for what is not kept."""
    if isinstance(value, Money):
        return str(value.minor)
    return value.isoformat() if isinstance(value, date) else ""


def _listed(bills: Sequence[OpenBill]) -> str:
    """Without what they are known by."""
    amounts = [_amounts(bill.values) for bill in bills]
    owed = [f"{one['bill.due'].minor}/{one['bill.min'].minor}" for one in amounts]
    return f"listed {amounts[0]['bill.due'].currency} {' '.join(owed)}"


def _amounts(values: Mapping[str, Value]) -> Mapping[str, Money]:
    return {name: value for name, value in values.items() if isinstance(value, Money)}


def _refused(flow: Flow, call: Call, event: ChargeRefused) -> str:
    due = event.due or Money(0)
    of_each = [str(one.minor) for _, one in event.dues]
    if event.paying and call.payable is not None:
        of_each = [str(int(part.key in event.paying)) for part in call.payable.parts]
    plain = {one.key: due_on(one) for one in call.bills}
    words = ["refused", attempt_of(flow, call), event.reason, str(due.minor), due.currency, *of_each]
    return " ".join(words) + _left(plain, dict(event.left))


def _not_agreed(flow: Flow, call: Call, event: AgreementRefused) -> str:
    return _refused(flow, call, ChargeRefused(event.at, event.reason, event.due, left=event.left))


def _left(plain: Mapping[str, Money], left: Mapping[str, Money]) -> str:
    """Where others have paid: what is due by now on all of these, in their order."""
    now = {key: left.get(key, due) for key, due in plain.items()}
    return "" if now == plain else f" left {' '.join(str(due.minor) for due in now.values())}"


def attempt_of(flow: Flow, call: Call) -> str:
    """Which attempt is refused, and where: before the card is asked for, or when it is to be charged; or what the caller agreed
    to by then besides a charge."""
    step = flow.steps.get(call.step)
    if step is not None and AgreementRefused in step.hears.get(call.phase, ()):
        return f"{call.attempt}a"
    return f"{call.attempt}{'b' if step is not None and step.card else 'c'}"


def _awaited(flow: Flow, call: Call, _event: DueAwaited) -> str:
    """Once for each attempt, and for each agreement, however long it waits."""
    words, history = f"awaited {attempt_of(flow, call)}", call.history
    if words.endswith("a"):
        made = [at for at, entry in enumerate(history) if entry.endswith(" agreed") or _REFUSED_AGREEMENT.match(entry)]
        history = history[made[-1] :] if made else history
    return "" if any(entry.endswith(words) for entry in history) else words


def _captured(_flow: Flow, _call: Call, event: CardCaptured) -> str:
    return f"captured {event.result} {(event.summary or '').partition(' ')[0]}".rstrip()


def _bank(call: Call, event: BankAnswered) -> str:
    charge = next((one for one in call.charges if one.attempt == call.attempt), None)
    if charge is None or event.outcome != "approved":
        return f"bank {event.outcome}"
    part = f" {event.amount.minor}" if event.amount and event.amount != charge.amount else ""
    plain = left_after(call, replace(charge, amount=event.amount or charge.amount))
    return f"bank {event.outcome}{part}{_left(plain, dict(event.left))}"


_WRITERS: dict[type, Callable[[Flow, Call, Any], str]] = {
    NoInput: lambda _flow, _call, _event: "silence",
    CardCollected: _card,
    CardEntryEdited: lambda _flow, _call, event: f"edit {event.reading}",
    CardCaptured: _captured,
    # A wait for a look-up is over with its answer, and one for what is due with a charge or a refusal.
    Waited: lambda flow, call, _event: "" if moment_of(flow, call) == "looks_up" else "waited",
    DueAwaited: _awaited,
    # One that comes again, to a call that has gone on, answers nothing.
    BankAnswered: lambda flow, call, event: _bank(call, event) if moment_of(flow, call) not in _GONE_ON else "",
    PartsTakenBack: lambda _flow, _call, event: " ".join(
        ["back", *(f"{one}={part or 'charged'}" for one, part in event.parts)]
    ),
    AgreementRecorded: lambda _flow, _call, _event: "agreed",
    AgreementRefused: _not_agreed,
    TransferEnded: lambda _flow, _call, event: "connected" if event.is_connected else "not_connected",
    LookedUp: _found,
    LookUpFailed: lambda _flow, _call, event: f"failed {event.problem}",
    LimitReached: lambda flow, call, event: f"limit {attempt_of(flow, call)} {event.limit}",
    ChargeRefused: _refused,
}
