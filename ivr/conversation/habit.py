"""Done keys pressed out of habit: they belong to the entry before them, and cost no try.

Prompts say "then press pound", so callers press it after an expiry of four digits too, which has ended by its length
by then, or after a card number that the timer has just ended. The key then arrives as the first one of the next
question. One such key, with nothing else of the caller's between, is dropped, and the question it interrupted is put
again without blame. Where the done key is an answer of its own ("go on", once a prompt has been repeated) it stays one.

Others press it twice. One further done key is dropped as well where it comes within `DOUBLE_PRESS_S` of the one before,
or of the look-up that began with it: nobody has heard the next question by then, so it is no answer to it. Later, or once
more, it is an entry with nothing in it, is told so, and costs a try: a key that hangs must not hold a line for ever.

At a field that some cards do not have the done key alone is an answer. There one is out of habit only where it comes within
`DOUBLE_PRESS_S` of the entry before, however that ended.
"""

from ivr.core.call import Call
from ivr.core.events import (
    BankAnswered,
    CardCollected,
    CardEntryEdited,
    Event,
    KeysEntered,
    LookedUp,
    LookUpFailed,
    NoInput,
    Waited,
)
from ivr.flow.talk.turn import FlowInTurn, Turn, moment_of

DOUBLE_PRESS_S = 1.0


def is_stray_done(turn: Turn, event: Event) -> bool:
    if not _is_done_alone(turn.flow, event):
        return False
    of_habit = turn.call.ended_itself and not turn.is_optional and _is_asked(turn)
    return of_habit or is_second_done(turn.flow, turn.call, event)


def is_second_done(flow: FlowInTurn, call: Call, event: Event) -> bool:
    """Does it only repeat the done key of an entry, and change nothing of what was asked?"""
    if not call.done_at or not _is_done_alone(flow, event):
        return False
    turn = Turn(flow, call, event.at.timestamp())
    is_at_once = turn.at - call.done_at < DOUBLE_PRESS_S
    return is_at_once and (not call.ended_itself or turn.is_optional) and _is_asked(turn)


def drop_done(turn: Turn) -> Turn:
    """One that stands for the end of an entry may be repeated once; the repetition may not."""
    return turn.change(ended_itself=False, done_at=turn.at if turn.call.ended_itself else 0.0)


def note_how_entry_ended(turn: Turn, event: Event) -> Turn:
    call = turn.call
    match event:
        case KeysEntered():
            done, clear = turn.flow.editing_keys
            last = event.keys.buffer[-1:].decode("ascii")
            ended_itself = bool(last) and last not in (done, clear)
            with_done = last == done and len(event.keys) > 1
        case CardCollected():
            ended_itself, with_done = event.ended_itself, not event.ended_itself
        case LookedUp() | LookUpFailed():
            ended_itself, with_done = call.ended_itself, bool(call.done_at)
        case Waited() if moment_of(turn.flow, call) == "looks_up":
            return turn
        case CardEntryEdited() | NoInput() | Waited() | BankAnswered():
            ended_itself = with_done = False
        case _:
            return turn
    done_at = turn.at if with_done or ended_itself else 0.0
    is_known = (ended_itself, done_at) == (call.ended_itself, call.done_at)
    return turn if is_known else turn.change(ended_itself=ended_itself, done_at=done_at)


def _is_done_alone(flow: FlowInTurn, event: Event) -> bool:
    """Asked first: few events are."""
    if isinstance(event, CardEntryEdited):
        return event.reading == "empty"
    return isinstance(event, KeysEntered) and event.keys.buffer == flow.editing_keys[0].encode()


def _is_asked(turn: Turn) -> bool:
    """Elsewhere the done key is an answer, or nothing at all."""
    call = turn.call
    moment = moment_of(turn.flow, call)
    return call.phase != "cancel" and (moment == "asks" or (moment == "offers" and not call.repeats))
