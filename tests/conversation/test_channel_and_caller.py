"""`channel` and `caller` in a flow are what docs/flows.md says, whatever a channel calls itself and a network writes."""

import pytest

from ivr.core.call import Call
from ivr.flow.compiler import compile_flow
from ivr.flow.talk.turn import Turn
from ivr.flow.talk.values import value_of
from tests.conversation.talk import START, sample

WHEN = """
flow: lines
languages: [en-US]
limits: {max_amount: 500.00 USD}
start: which
steps:
  which:
    when:
      - {if: CONDITION, then: one}
    else: other
  one: {say: a, end: unpaid}
  other: {say: b, end: unpaid}
"""


def worth(text: str, channel: str = "simulator", ani: str = "+15550100") -> object:
    flow = sample()
    return value_of(Turn(flow, Call("CA1", flow.name, ani, "", channel, "en-US"), START.timestamp()), text)


@pytest.mark.parametrize("channel", ["sip", "audiosocket", "trunk"])
def test_every_way_of_the_trunk_is_the_trunk(channel: str):
    assert worth('channel = "trunk"', channel) is True


@pytest.mark.parametrize("channel", ["twilio", "browser", "simulator"])
def test_other_channels_have_their_own_names(channel: str):
    assert worth("channel", channel) == channel


@pytest.mark.parametrize("ani", ["", "anonymous", "+266696687", "Restricted", "sip:anonymous@anonymous.invalid", "0"])
def test_a_withheld_number_is_empty_in_whatever_form(ani: str):
    assert worth('caller = ""', ani=ani) is True


def test_a_number_is_as_it_was_given():
    assert worth('caller starts with "+1555"') is True


@pytest.mark.parametrize(
    "condition", ['channel = "sip"', 'not channel != "sip"', 'channel in ["twilio", "sip"]', 'open or "sip" = channel']
)
def test_a_word_that_channel_can_never_be_is_refused(condition: str):
    hours = "\nhours: {zone: UTC, days: {monday: 9:00-10:00}}\nstart:"
    text = WHEN.replace("CONDITION", f"'{condition}'").replace("\nstart:", hours)
    flow, problems = compile_flow("lines.yaml", text)
    assert flow is None
    (problem,) = map(str, problems)
    assert """'channel' is never "sip" (write one of "twilio", "trunk", "browser", "simulator")""" in problem
    assert "lines.yaml:10:" in problem


def test_its_own_words_are_not():
    flow, problems = compile_flow("lines.yaml", WHEN.replace("CONDITION", '\'channel = "trunk" and caller = ""\''))
    assert flow is not None, problems
