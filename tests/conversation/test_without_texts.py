"""A caller who cannot be texted is offered, promised and sent no text; a clock that is set ends no wait."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ivr.core.actions import SendSms
from ivr.core.call import Call
from ivr.core.events import Fault, Waited
from tests.conversation.talk import Talk, sample


class Untextable(Talk):
    def __init__(self) -> None:
        super().__init__()
        self.call = replace(self.call, can_text=False)


def all_said(talk: Talk) -> set[str]:
    return {phrase.name for action in talk.history for phrase in getattr(action, "phrases", ())}


def test_the_receipt_is_not_offered_as_a_text_and_the_key_for_it_sends_none():
    talk = Untextable().at_receipt()
    assert "sms_offer" not in talk.said
    assert "repeat_offer" in talk.said
    talk.keys("2")
    assert "no_match" in talk.said
    assert talk.did(SendSms) == []


def test_a_step_that_sends_a_text_says_that_it_cannot():
    talk = Untextable().at_card()
    for _ in range(3):
        talk.silence()
    assert "cannot_text" in talk.said
    assert "pay_by_link" not in talk.said
    assert talk.said[-2:] == ["you_were_not_charged", "goodbye"]
    assert talk.did(SendSms) == []


def test_an_ending_that_is_not_known_yet_tells_the_caller_to_ring_again():
    talk = Untextable().at_bank()
    talk.wait(31)
    talk.wait(46)
    assert talk.call.outcome == "pending"
    assert "call_again_for_the_result" in talk.said
    assert "we_will_text_the_result" not in all_said(talk)


def test_a_fault_while_the_bank_works_promises_no_text_either():
    talk = Untextable().at_bank()
    talk.hear(Fault(talk.now))
    assert talk.said == ["apology", "call_again_for_the_result", "goodbye"]


def test_who_can_be_texted_hears_what_has_always_been_said():
    talk = Talk().at_bank()
    talk.wait(31)
    talk.wait(46)
    assert "we_will_text_the_result" in talk.said
    assert "sms_offer" in Talk().at_receipt().said


def test_a_call_stored_before_this_was_known_can_be_texted():
    stored = Call("CA1", "pay-a-bill", "+15550100", "", "twilio", "en-US").to_json()
    old = stored.replace(',"can_text":true', "").replace(',"waited":0.0', "")
    assert "can_text" not in old
    assert "waited" not in old
    assert Call.from_json(old).can_text


# ---- waits in a call are counted, not read off a clock


@pytest.mark.parametrize("jump", [timedelta(days=2), -timedelta(days=2), -timedelta(seconds=1)])
def test_a_clock_that_is_set_while_the_bank_works_neither_ends_the_wait_nor_makes_it_endless(jump: timedelta):
    talk = Talk().at_bank()
    for _ in range(4):
        talk.wait(2)
    talk.now += jump
    talk.hear(Waited(talk.now))
    assert talk.call.step == "charge"
    waits = 0
    while talk.call.step == "charge":
        talk.wait(2)
        waits += 1
        assert waits < 20
    assert waits == 10  # thirty seconds in all, in pauses of two
    assert talk.call.step == "resolve"


def test_a_receipt_that_is_sent_is_sent_as_it_is_said():
    talk = Talk(sample(("sms: offer", "sms: send"))).at_receipt()
    assert talk.said == ["confirmation_number", "sms_sent", "may_hang_up", "repeat_offer"]
    assert [action.attempt for action in talk.done if isinstance(action, SendSms)] == [1]


def test_saying_it_again_sends_nothing_more():
    talk = Talk(sample(("sms: offer", "sms: send"))).at_receipt().keys("1")
    assert talk.said == ["confirmation_number", "repeat_offer"]
    assert not [action for action in talk.done if isinstance(action, SendSms)]
