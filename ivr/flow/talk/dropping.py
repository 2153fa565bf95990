"""Drops a card number that was keyed in at a plain question, whole or in parts; how one is known is in `stray_cards`."""

from ivr.core.entry import Reading, read_after_timeout
from ivr.core.events import KeysEntered
from ivr.core.stray_cards import SECONDS_A_KEY, begun, completes, holds_card_number
from ivr.flow.talk.turn import Turn

MOST_KEYS = 99  # more than any entry: the whole of what was keyed in is looked at
SHORTEST_BEGINNING = 4  # cards are read out in groups of four; what a question left over may be shorter


def drop_card(turn: Turn, event: KeysEntered) -> tuple[Turn, bool]:
    """True where the keys are a card number or the rest of one. The call is then at the question where it began, and no
    answer is left that was a part of it. Otherwise the call remembers what may have been a beginning."""
    keys = _entered(turn, event)
    call = turn.call
    if holds_card_number(keys):
        return _back(turn, call.step), True
    if not len(keys):
        return turn, False
    if not _asks_for_digits(turn) or (len(keys) < SHORTEST_BEGINNING and not call.stray):
        return _remember(turn, "", ""), False
    before, steps = (call.stray, call.stray_steps) if _goes_on(turn, len(keys)) else ("", "")
    if completes(before, keys):
        return _back(turn, f"{steps} {call.step}"), True
    kept = begun(keys, before)
    return _remember(turn, kept, f"{steps} {call.step}".strip() if kept else ""), False


def is_card(turn: Turn, event: KeysEntered) -> bool:
    """Where no answer is kept: a whole card number alone."""
    return holds_card_number(_entered(turn, event))


def _entered(turn: Turn, event: KeysEntered) -> memoryview:
    """The digits of the entry, without what was cleared before them and the done key; none where it is no entry."""
    span = read_after_timeout(event.keys.buffer, turn.rules(1, MOST_KEYS, is_plain=True))
    end = span.end if span.reading in (Reading.COMPLETE, Reading.OPEN) else span.start
    return memoryview(event.keys.buffer)[span.start : end]


def _goes_on(turn: Turn, keys: int) -> bool:
    """Are these keys one entry with those before? So where the question is put again, also by a look-up that found
    nothing and led back to it, or where nobody listened in between."""
    call, steps = turn.call, turn.call.stray_steps.split(" ")
    is_put_again = call.step in steps and (call.step != steps[-1] or call.silences + call.mistakes > 0)
    return is_put_again or turn.at - call.stray_at <= SECONDS_A_KEY * keys


def _asks_for_digits(turn: Turn) -> bool:
    """The key of a menu is no part of a card."""
    return turn.flow.steps[turn.call.step].keyed(turn.call.phase) in ("number", "amount")


def _remember(turn: Turn, kept: str, steps: str) -> Turn:
    if not kept and not turn.call.stray:
        return turn
    return turn.change(stray=kept, stray_steps=steps, stray_at=turn.at if kept else 0.0)


def _back(turn: Turn, steps: str) -> Turn:
    names = steps.split(" ")
    answers = [turn.flow.steps[name].answer for name in names]
    return _remember(turn.forget(*answers), "", "").change(step=names[0], phase="entry", notes={})
