"""Is a call that was gone through again the one on record? And where it is not, why that may be.

Compared are steps and outcomes, the ending, what was said, the money, and what was agreed to.
"""

from collections.abc import Iterator, Sequence

from ivr.core.call import Call
from ivr.core.moves import BACK, CONNECTING
from ivr.errors import RecordError
from ivr.flow.compiled import Flow
from ivr.store import Store
from ivr.testing.bench import Bench
from ivr.testing.recording import RecordingLine
from ivr.testing.replay import entries_of, never_begun

SAID_WHILE_AWAITED = frozenset(
    {"one_moment", "hold_while_charging", "still_working"}
)  # by holds: nothing depends on it


def require_same(stored: Call, store: Store, line: RecordingLine, bench: Bench) -> None:
    """RecordError where the call went another way alone, or ended otherwise."""
    told = bench.workbench.store.load_call(line.call_id)
    assert told is not None
    here, flow = bench.workbench.store, bench.workbench.flow
    for what, was, now in (
        ("went", _went(stored), _went(told.call)),
        ("ended", _ending(stored), _ending(told.call)),
        ("said", _said(store, stored.id, flow), _said(here, line.call_id, flow)),
        ("charged", _money(store, stored), _money(here, told.call)),
        ("agreed", _agreed(store, stored), _agreed(here, told.call)),
    ):
        if was and was != now:
            raise RecordError(f"{why(stored)} (on record it {what} {_first(was, now)}, alone {_first(now, was)})")


def _went(call: Call) -> Sequence[str]:
    """Without the ringing, which older calls have not on record."""
    return [move for move in call.moves if not move.endswith(f" {CONNECTING}")]


def _ending(call: Call) -> Sequence[str]:
    return [call.outcome or "open", *(["hung up"] if call.hung_up else [])]


def bank_words(call: Call) -> int:
    return sum(entry.word == "bank" for entry in entries_of(call.history))


def _said(store: Store, call_id: str, flow: Flow) -> Sequence[str]:
    """In order. Not counted: what a hold for the bank says while it lasts, and a question that is only put again, as a done
    key pressed out of habit has it, which no history keeps."""
    waits = {
        (name, phase) for name, step in flow.steps.items() for phase, does in step.phases.items() if does == "waits"
    }
    told: list[str] = []
    last: Sequence[str] = ()
    for turn in store.turns_of(call_id):
        if turn.came == "on hold" and (turn.step, turn.phase) in waits:
            continue
        said = [name for name in turn.said if name not in SAID_WHILE_AWAITED]
        if said and list(last[-len(said) :]) != said:
            told += said
            last = said
    return told


def _money(store: Store, call: Call) -> Sequence[str]:
    open_ones = {call.intent_of(attempt) for attempt in never_told(call)}
    return [
        f"{'open' if one.intent.reference in open_ones else one.status} {one.intent.amount}"
        for one in store.payments_of(call.id)
    ]


def _agreed(store: Store, call: Call) -> Sequence[str]:
    return [one.what for one in store.agreements_of(call.id)]


def never_told(call: Call) -> Sequence[int]:
    """Attempts that were still without an answer when the call came to its end."""
    return [charge.attempt for charge in call.unsettled] if call.phase == "over" and not call.hung_up else []


def _first(one: Sequence[str], other: Sequence[str]) -> str:
    """The first of these that the others do not have in that place."""
    differing: Iterator[str] = (word for at, word in enumerate(one) if at >= len(other) or other[at] != word)
    return next(differing, "nothing").replace("_", " ")


def why(stored: Call, otherwise: str = "") -> str:
    """`otherwise`: the reason where none is on record."""
    entries = entries_of(stored.history)
    refused = {entry.rest[1] for entry in entries if entry.word == "refused"}
    if any(entry.word == "limit" for entry in entries):
        return "a limit on attempts was reached in it, which other calls count towards: write those before it into the file"
    if "not_reached" in refused:
        return "the billing system did not say what is due, which a call file cannot say"
    if "not_payable" in refused:
        return "the billing system said what cannot be paid here, which a call file cannot say"
    if "bank_closed" in refused:
        return "no key of its bank's was good then, which a call file cannot say"
    if "stopped" in refused:
        return "card payments were stopped while it went on, which a call file cannot say"
    if "being_paid" in refused:
        return "its bill was being paid by another call: save that one, and write this one below it"
    if refused:
        return "what its bill owed was changed meanwhile"
    if stored.hung_up and never_begun(stored):
        return "its caller hung up while the billing system was asked what is due, which a call file cannot say"
    if stored.hung_up and bank_words(stored) < len([one for one in stored.charges if not one.is_open]):
        return "its caller hung up on hold after the bank had answered and before they were told, which a call file cannot say"
    if stored.hung_up and stored.looking_up is not None:
        return "its caller hung up while a bill was looked up, which a call file cannot say"
    if stored.hung_up and stored.moves[-1:] == (f"{stored.step} {CONNECTING}",):
        return "its line ended while a person was being rung, which a call file cannot say"
    if stored.hung_up and stored.unsettled:
        return "its caller hung up before the bank's answer, and what became of the charge later a call file cannot say"
    if any(move.endswith(f" {BACK}") for move in stored.moves):
        return "an answer in it was taken for a part of a card number and asked for again, and whose digits it was is kept nowhere"
    return otherwise or (
        "alone it does not go as it went; perhaps the flow was changed since, or other calls were at work on its bill"
    )
