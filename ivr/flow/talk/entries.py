"""Keys at a plain question: silence, the clear and done keys, a card number where none is asked for, yes and no."""

from collections.abc import Callable

from ivr.core.entry import Reading, Span, read_after_timeout
from ivr.core.events import Event, KeysEntered, NoInput, Value
from ivr.core.fixed_keys import ACCEPT_KEY, REFUSE_KEY
from ivr.flow.talk.dropping import drop_card
from ivr.flow.talk.turn import Again, Reply, Turn, cleared, no_input, no_match, offer_cancel


def hear_keys(turn: Turn, event: Event, hear: Callable[[Turn, KeysEntered], Reply]) -> Reply:
    """`hear` gets the entries of keys. Silence is answered here, and a card number never reaches it."""
    if isinstance(event, NoInput):
        return no_input(turn)
    if not isinstance(event, KeysEntered):
        return turn, Again()
    turn, was_card = drop_card(turn, event)
    return no_match(turn, "card_asked_later") if was_card else hear(turn, event)


def span_of(turn: Turn, event: KeysEntered, shortest: int, longest: int) -> Span:
    return read_after_timeout(event.keys.buffer, turn.rules(shortest, longest, is_plain=True))


def edited(turn: Turn, reading: Reading) -> Reply | None:
    """The answer to keys that are no entry; None for an entry."""
    match reading:
        case Reading.CANCEL:
            return offer_cancel(turn)
        case Reading.CLEARED:
            return cleared(turn)
        case Reading.EMPTY:
            return no_match(turn, "nothing_entered")
    return None


def ask_to_confirm(turn: Turn, name: str, value: Value) -> Turn:
    """Reads an answer back, in the phase `confirm`; `name` is the answer's."""
    turn = turn.change(phase="confirm").say(f"confirm_{name}", value=value, amount=value)
    return turn.collect_one_key("confirm", flush=True)


def hear_confirmation(turn: Turn, event: KeysEntered, accept: Callable[[Turn], Reply]) -> Reply:
    """Yes goes on with `accept`, no asks for the answer again."""
    span = span_of(turn, event, 1, 1)
    key = event.keys.text()[span.start : span.end]
    if key == ACCEPT_KEY:
        return accept(turn.change(phase="entry"))
    if key == REFUSE_KEY:
        return turn.change(phase="entry"), Again()
    if span.reading is Reading.CANCEL:
        return offer_cancel(turn)
    return no_match(turn, "no_match")
