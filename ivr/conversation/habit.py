"""The done key pressed out of habit after an entry that was over without it: it belongs to that entry, and costs no try.

Prompts say "then press pound", so callers press it after an expiry of four digits too, which has ended by its length
by then, or after a card number that the timer has just ended. The key then arrives as the first one of the next
question. One such key, with nothing else of the caller's between, is dropped, and the question it interrupted is put
again without blame. Where the done key is an answer of its own ("go on", once a prompt has been repeated) it stays one.
"""

from ivr.conversation.turn import Turn
from ivr.core.entry import ends_itself
from ivr.core.events import BankAnswered, CardCollected, CardEntryEdited, Event, KeysEntered, NoInput, Waited

QUESTIONS = frozenset({"language", "entry", "confirm"})


def is_stray_done(turn: Turn, event: Event) -> bool:
    call = turn.call
    is_asked = call.phase in QUESTIONS or (call.phase == "repeat" and not call.repeats)
    if not (call.ended_itself and is_asked):
        return False
    if isinstance(event, CardEntryEdited):
        return event.reading == "empty"
    return isinstance(event, KeysEntered) and event.keys.buffer == turn.flow.editing_keys[0].encode()


def note_how_entry_ended(turn: Turn, event: Event) -> Turn:
    match event:
        case KeysEntered():
            ended_itself = ends_itself(event.keys.buffer, turn.rules(1, 1))
        case CardCollected():
            ended_itself = event.ended_itself
        case CardEntryEdited() | NoInput() | Waited() | BankAnswered():
            ended_itself = False
        case _:
            return turn
    return turn if ended_itself == turn.call.ended_itself else turn.change(ended_itself=ended_itself)
