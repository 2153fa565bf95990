"""What a caller asks about the question itself: to hear it again, for help, for more time. None of it is an answer, or costs a try.

    9    the question once more
    0    help, then the question once more
    any  key after a warning that time runs out: more time, and the question once more; the clear key offers to cancel, as ever

At a question for one key these are keys like others; at a question for more they are entries of one digit, which end by the
done key or a pause, because 9 and 0 are digits of account numbers and cards as well. A step that takes the one key as an
answer keeps it (`Step.takes`). In a card field the vault's side says that it was such an entry, and no other digit is known.

The first silence at a question is the warning (`flow.talk.turn.no_input`). Where a key alone could be an answer nothing is
asked during the time that follows, so that a key for more time is never a consent (`Turn.is_one_key`).

A question is put again in this way `MOST_ASIDES` times. After that these keys are wrong entries and a silence counts: a key
that hangs must not hold a line for ever.
"""

from dataclasses import replace
from typing import Literal

from ivr.core.actions import Collect
from ivr.core.entry import Reading, read_after_timeout
from ivr.core.events import CardEntryEdited, Event, KeysEntered
from ivr.core.fixed_keys import HELP_KEY, REPEAT_KEY
from ivr.flow.talk.dropping import MOST_KEYS, drop_card
from ivr.flow.talk.turn import MOST_ASIDES, Turn, moment_of

Aside = Literal["again", "help", "more_time"]
BY_KEY: dict[str, Aside] = {REPEAT_KEY: "again", HELP_KEY: "help"}
OF_ANY_KEY = frozenset({"empty", "one_key"})  # what comes of one key in a card field


def asked_for(turn: Turn, event: Event) -> Aside | None:
    """None for an answer, a wrong entry, or anything that is no key of the caller's."""
    call = turn.call
    if call.asides >= MOST_ASIDES or moment_of(turn.flow, call) not in ("asks", "offers"):
        return None
    if isinstance(event, CardEntryEdited):
        return _in_card_field(turn, event)
    if not isinstance(event, KeysEntered):
        return None
    if call.phase in ("language", "cancel"):
        return _above_steps(turn, event)
    if call.warned and turn.is_one_key and lone_key(turn, event) != turn.flow.editing_keys[1]:
        return "more_time"
    return _at_step(turn, event)


def note(turn: Turn, aside: Aside) -> Turn:
    """It is counted; a silence that it has broken is not."""
    call = turn.call
    phase = "entry" if call.phase == "cancel" else call.phase
    turn = turn.change(asides=call.asides + 1, silences=call.silences - call.warned, warned=False, phase=phase)
    return turn.say("help") if aside == "help" else turn


def with_flush(turn: Turn) -> Turn:
    """The question that has just been put takes no keys of before: they were pressed to get more time."""
    last = turn.actions[-1] if turn.actions else None
    if not isinstance(last, Collect):
        return turn
    return turn._replace(actions=(*turn.actions[:-1], replace(last, flush=True)))


def lone_key(turn: Turn, event: KeysEntered) -> str:
    """The key of an entry of one: a digit, or the done or clear key with nothing before it; "" for other entries."""
    span = read_after_timeout(event.keys.buffer, turn.rules(1, MOST_KEYS, is_plain=True))
    if span.reading is Reading.EMPTY:
        return turn.flow.editing_keys[0]
    if span.reading is Reading.CANCEL:
        return turn.flow.editing_keys[1]
    is_one = span.reading is Reading.COMPLETE and span.end - span.start == 1
    return event.keys.text()[span.start : span.end] if is_one else ""


def _in_card_field(turn: Turn, event: CardEntryEdited) -> Aside | None:
    if event.reading in ("again", "help"):
        return event.reading
    return "more_time" if turn.call.warned and event.reading in OF_ANY_KEY else None


def _above_steps(turn: Turn, event: KeysEntered) -> Aside | None:
    """Among languages 9 may be one; nobody has chosen a language to be helped in. At the offer to cancel any key but one
    goes on already, which puts the question again."""
    key = lone_key(turn, event)
    if turn.call.phase == "cancel":
        return "help" if key == HELP_KEY else None
    is_language = key.isdecimal() and 1 <= int(key) <= len(turn.flow.head.languages)
    return "again" if key in BY_KEY and not is_language else None


def _at_step(turn: Turn, event: KeysEntered) -> Aside | None:
    key, call = lone_key(turn, event), turn.call
    if (
        not key
        or key == turn.flow.editing_keys[1]
        or not (call.warned or key in BY_KEY)
        or turn.flow.steps[call.step].takes(turn, key)
    ):
        return None
    if drop_card(turn, event)[1]:
        return None  # the last digit of a card number that was keyed in parts
    return BY_KEY.get(key) or "more_time"
