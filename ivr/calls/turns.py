"""A turn of a call in words that anybody may read: keys are dots, and a card field's are not even counted."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from ivr.calls.live_flows import flow_of
from ivr.conversation.engine import expected_field
from ivr.core.actions import ChannelAction, Speak
from ivr.core.call import Call
from ivr.core.events import CardCaptured, Event, HungUp, KeysEntered, NoInput, TransferEnded, Waited
from ivr.flow.compiled import Flow
from ivr.store import TurnRecord

MOST_DOTS = 20


def in_words(flows: Mapping[str, Flow], call: Call, event: Event) -> str:
    """Before the event is handled: the keys are wiped then."""
    match event:
        case KeysEntered(keys=keys, timed_out=timed_out):
            # Twilio's <Gather> hands over an entry when it is over, and does not say whether a pause or a key ended it.
            is_silent = timed_out and call.channel != "twilio"
            return f"{_dots(flows, call, len(keys))}{', then silence' if is_silent else ''}"
        case NoInput():
            return "no key"
        case Waited():
            return "on hold"
        case CardCaptured(result=result):
            return f"card form: {result}"[:60]
        case TransferEnded(is_connected=is_connected):
            return "connected to a person" if is_connected else "nobody reached"
        case HungUp():
            return "hung up"
    return "call began"


def turn_of(
    call: Call, number: int, came: str, actions: Sequence[ChannelAction], took_s: float, now: datetime
) -> TurnRecord:
    phrases = [phrase.name for action in actions if isinstance(action, Speak) for phrase in action.phrases]
    return TurnRecord(call.id, number, now, came, call.step, call.phase, tuple(phrases), round(took_s * 1000))


def _dots(flows: Mapping[str, Flow], call: Call, count: int) -> str:
    flow = flow_of(flows, call)
    card_field = expected_field(flow, call) if flow is not None and call.step in flow.steps else None
    if card_field is not None:
        return f"keys: {card_field[0].replace('_', ' ')}"
    return "•" * min(count, MOST_DOTS) or "done key"
