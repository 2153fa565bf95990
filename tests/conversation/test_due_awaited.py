"""After the consent, while the billing system is asked what is due: the caller holds, nothing is charged, nothing is pending."""

from ivr.core.actions import Authorize, ForgetCard, Wait
from ivr.core.money import Money
from ivr.flow.talk.charging import DUE_PATIENCE_S
from tests.conversation.talk import PAYABLE, Talk


def awaiting() -> Talk:
    return Talk().at_bank().due_is_awaited()


def test_the_caller_is_asked_for_a_moment_and_nothing_is_pending():
    """Not "we are asking your bank": it has not been asked."""
    talk = awaiting()
    assert (talk.said, talk.done) == (["one_moment"], [Wait(1.0)])
    assert (talk.call.phase, talk.call.charges, talk.call.has_unsent_card) == ("lookup", (), True)


def test_after_each_pause_the_same_charge_is_asked_for_without_a_word():
    talk = awaiting()
    for _ in range(3):
        talk.wait(1)
        assert talk.done[0] == Authorize("acme_bank", "CA1-1", Money(4250), "12345678", PAYABLE)
        talk.due_is_awaited()
        assert (talk.said, talk.done) == ([], [Wait(1.0)])


def test_once_the_charge_has_begun_the_hold_goes_on_for_the_bank():
    talk = awaiting().wait(1)
    assert (talk.said, talk.done[-1]) == (["hold_while_charging"], Wait(2.0))
    talk.wait(1)
    assert (talk.call.phase, [charge.status for charge in talk.call.charges]) == ("waiting", ["accepted"])
    assert "confirmation_number" in talk.bank("approved").said
    assert talk.call.known_ending == "paid"


def test_keys_meanwhile_change_nothing():
    talk = awaiting()
    assert talk.keys("2").done == [Wait(1.0)]
    assert talk.silence().call.phase == "lookup"
    assert len(talk.charges) == 1


def test_a_charge_that_is_refused_after_the_wait_has_charged_nothing():
    talk = awaiting().wait(1).not_reached()
    assert talk.said == ["bill_not_reached", "you_were_not_charged", "goodbye"]
    assert ForgetCard("CA1-1") in talk.done
    assert (talk.call.outcome, talk.call.charges) == ("unpaid", ())


def test_the_last_time_it_is_asked_for_says_so():
    talk = awaiting()
    while not talk.charges[-1].is_last:
        talk.wait(1).due_is_awaited()
        assert talk.call.waited <= DUE_PATIENCE_S
    assert talk.call.waited == DUE_PATIENCE_S


def test_a_long_wait_is_reassured():
    talk = awaiting()
    heard = []
    for _ in range(11):
        talk.wait(1).due_is_awaited()
        heard += talk.said
    assert heard == ["still_working"]


def test_who_hangs_up_meanwhile_is_charged_nothing_and_promised_nothing():
    talk = awaiting().hang_up()
    assert (talk.call.outcome, talk.call.untold) == ("unpaid", ())
    assert talk.done == [ForgetCard("CA1-1")]
