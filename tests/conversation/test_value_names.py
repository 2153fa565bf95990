"""A merchant's value may have any name, also one that a function of ours uses for itself."""

from ivr.core.actions import Speak
from ivr.core.call import Call
from ivr.flow.talk.turn import Turn
from tests.conversation.talk import START, sample


def test_a_value_called_name_is_said_like_any_other():
    flow = sample()
    call = Call("CA1", flow.name, "+15550100", "+15550199", "twilio", "en-US")
    turn = Turn(flow, call, START.timestamp()).say("welcome", name="Ada")
    spoken = [phrase for action in turn.actions if isinstance(action, Speak) for phrase in action.phrases]
    assert dict(spoken[0].values)["name"] == "Ada"
