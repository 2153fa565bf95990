"""From the charge to the goodbye: waiting, every answer of the bank, hang-ups, and endings that say what is true."""

import pytest

from ivr.core.actions import Authorize, Collect, ForgetCard, HangUp, Resolve, SendSms, Wait
from ivr.core.events import CallStarted, Fault
from ivr.core.money import Money
from tests.conversation.talk import PAYABLE, Talk, sample

CHARGED, NOT_CHARGED, WILL_TELL = "you_were_charged", "you_were_not_charged", "we_will_text_the_result"


# ---- while the bank works


def test_the_caller_hears_that_the_bank_is_asked_and_holds():
    talk = Talk().at_bank()
    assert talk.said == ["hold_while_charging"]
    assert talk.done == [Authorize("acme_bank", "CA1-1", Money(4250), "12345678", PAYABLE), Wait(2.0)]


@pytest.mark.parametrize("keys", ["1", "2", "*", "#", "1234"])
def test_a_key_pressed_while_waiting_changes_nothing(keys: str):
    talk = Talk().at_bank().keys(keys)
    assert (talk.said, talk.done) == ([], [Wait(2.0)])
    assert len(talk.charges) == 1


def test_silence_while_waiting_is_no_mistake():
    talk = Talk().at_bank()
    for _ in range(10):
        talk.silence()
    assert talk.call.phase == "waiting"


def test_the_caller_is_reassured_every_ten_seconds():
    talk = Talk().at_bank()
    spoken = [talk.wait(2).said for _ in range(11)]
    assert [2 * (n + 1) for n, said in enumerate(spoken) if said == ["still_working"]] == [10, 20]


def test_half_a_minute_without_an_answer_is_unknown_and_never_declined():
    talk = Talk().at_bank().wait(30)
    assert talk.done == [Resolve("acme_bank", "CA1-1"), Wait(2.0)]
    assert talk.said == ["still_working"]
    assert "card_declined" not in talk.said


def test_the_bank_may_say_itself_that_it_does_not_know():
    for outcome in ("unknown", "pending"):
        talk = Talk().at_bank().bank(outcome)
        assert talk.did(Resolve) == [Resolve("acme_bank", "CA1-1")]


# ---- answers


def test_an_approval_gives_the_confirmation_number_and_offers_to_repeat_and_text_it():
    talk = Talk().at_receipt()
    assert talk.said == ["confirmation_number", "may_hang_up", "repeat_offer", "sms_offer"]
    phrase = talk.phrase("confirmation_number")
    assert (phrase["number"], phrase["amount"]) == ("739104", Money(4250))


def test_a_declined_card_leads_to_another_under_a_new_intent():
    talk = Talk().at_bank().bank("declined")
    assert talk.said == ["card_declined", "enter_card_number"]
    for keys in ("4111111111111111", "1230", "123", "94105", "1"):
        talk.keys(keys)
    assert [charge.intent for charge in talk.charges] == ["CA1-1", "CA1-2"]


def test_a_sent_card_is_the_forwarders_to_forget():
    assert Talk().at_bank().bank("declined").hang_up().did(ForgetCard) == [ForgetCard("CA1-2")]
    assert Talk().at_bank().hang_up().did(ForgetCard) == []


@pytest.mark.parametrize(
    ("answer", "said", "outcome"),
    [
        ("approved", ["confirmation_number", "may_hang_up", "repeat_offer", "sms_offer"], None),
        ("reversed", ["bank_did_not_answer", NOT_CHARGED, "goodbye"], "unpaid"),
        ("declined", ["card_declined", NOT_CHARGED, "goodbye"], "unpaid"),
        ("pending", [WILL_TELL, "goodbye"], "pending"),
        ("unknown", [], None),
    ],
)
def test_an_unknown_charge_is_resolved(answer: str, said: list[str], outcome: str | None):
    talk = Talk().at_bank().wait(30).bank(answer)  # type: ignore[arg-type]
    assert talk.said == said
    assert talk.call.outcome == outcome
    assert len(talk.charges) == 1


def test_a_charge_that_stays_unresolved_ends_with_a_promise():
    talk = Talk().at_bank().wait(30)
    for _ in range(22):
        talk.wait(2)
    assert not talk.is_over
    assert talk.wait(2).said == [WILL_TELL, "goodbye"]
    assert talk.call.outcome == "pending"


def test_a_reversal_that_overtook_the_answer_is_told_by_the_resolving_step():
    talk = Talk().at_bank().bank("reversed")
    assert talk.call.step == "resolve"
    assert talk.bank("reversed").said == ["bank_did_not_answer", NOT_CHARGED, "goodbye"]


# ---- receipt


def test_the_confirmation_number_is_repeated_as_often_as_the_flow_says():
    talk = Talk().at_receipt().keys("1")
    assert talk.said == ["confirmation_number", "repeat_offer", "sms_offer"]
    assert talk.keys("1").said == ["confirmation_number", "sms_offer"]
    assert talk.keys("1").said == ["no_match", "sms_offer"]


def test_with_nothing_left_to_offer_the_goodbye_follows_at_once():
    talk = Talk(sample((", sms: offer", ""))).at_receipt().keys("1").keys("1")
    assert talk.said == ["confirmation_number", "goodbye"]
    assert talk.call.outcome == "paid"


def test_the_receipt_is_texted_on_request():
    talk = Talk().at_receipt().keys("2")
    assert talk.said == ["sms_sent", "goodbye"]
    sms = talk.did(SendSms)
    assert [action.template for action in sms] == ["receipt"]
    assert dict(sms[0].phrase.values)["number"] == "739104"


@pytest.mark.parametrize("keys", ["#", "*", ""])
def test_silence_done_or_clear_end_the_call_as_paid(keys: str):
    talk = Talk().at_receipt().keys(keys)
    assert talk.said == ["goodbye"]
    assert talk.call.outcome == "paid"
    assert talk.done == [HangUp()]


def test_a_slip_does_not_lose_the_confirmation_number():
    talk = Talk().at_receipt().keys("4")
    assert talk.said == ["no_match", "repeat_offer", "sms_offer"]
    assert talk.keys("1").said[0] == "confirmation_number"


def test_slips_end_the_call_at_last():
    assert Talk().at_receipt().keys("4").keys("5").keys("6").said == ["goodbye"]


def test_a_step_that_says_how_it_ended_does_not_say_so_twice():
    flow = sample(("receipt: {say: confirmation_number, repeat: 2, sms: offer", "receipt: {say: you_were_charged"))
    assert Talk(flow).at_receipt().said == [CHARGED, "goodbye"]


# ---- hang-ups and faults

BEFORE_THE_CHARGE = ["start", "at_account", "at_amount", "at_card", "at_confirmation"]


@pytest.mark.parametrize("way", BEFORE_THE_CHARGE)
def test_a_hang_up_before_the_charge_is_unpaid(way: str):
    talk = getattr(Talk(), way)().hang_up()
    assert (talk.call.phase, talk.call.outcome, talk.call.hung_up) == ("over", "unpaid", True)
    assert talk.charges == []
    assert talk.phrases == []


def test_a_hang_up_during_the_card_forgets_it():
    assert Talk().at_card().keys("4111111111111111").hang_up().done == [ForgetCard("CA1-1")]


def test_a_hang_up_at_the_cancel_offer_is_unpaid():
    assert Talk().at_account().keys("*").hang_up().call.outcome == "unpaid"


def test_a_hang_up_during_the_charge_leaves_it_pending():
    talk = Talk().at_bank().hang_up()
    assert (talk.call.outcome, talk.done) == ("pending", [])


def test_a_hang_up_while_resolving_leaves_it_pending():
    assert Talk().at_bank().wait(30).hang_up().call.outcome == "pending"


def test_a_hang_up_after_a_decline_is_unpaid():
    assert Talk().at_bank().bank("declined").hang_up().call.outcome == "unpaid"


def test_a_hang_up_at_the_receipt_is_paid():
    assert Talk().at_receipt().hang_up().call.outcome == "paid"


@pytest.mark.parametrize(
    ("way", "told", "outcome"),
    [
        *[(way, NOT_CHARGED, "unpaid") for way in BEFORE_THE_CHARGE],
        ("at_bank", WILL_TELL, "pending"),
        ("at_receipt", CHARGED, "paid"),
    ],
)
def test_a_fault_of_ours_is_apologised_for_and_says_what_is_known_of_the_charge(way: str, told: str, outcome: str):
    talk = getattr(Talk(), way)()
    talk.hear(Fault(talk.now))
    assert talk.said == ["apology", told, "goodbye"]
    assert talk.call.outcome == outcome


@pytest.mark.parametrize("way", [*BEFORE_THE_CHARGE, "at_bank", "at_receipt"])
def test_a_second_greeting_does_not_begin_the_call_again(way: str):
    talk = getattr(Talk(), way)()
    before = talk.call
    talk.hear(CallStarted(talk.now))
    assert (talk.call.step, talk.call.phase) == (before.step, before.phase)
    assert talk.call.attempt == before.attempt
    assert len(talk.charges) == (way in ("at_bank", "at_receipt"))


def test_an_over_call_only_hangs_up():
    talk = Talk().at_receipt().hang_up().keys("1")
    assert (talk.done, talk.phrases) == ([HangUp()], [])


# ---- endings in flows of another shape

AFTER_RECEIPT = """
flow: two-menus
languages: [en-US]
limits: {max_amount: 500.00 USD}
start: account
steps:
  account:
    {ask: account_number, length: 8, lookup: billing.find_bill, then: {found: amount, not_found: retry, gave_up: unpaid}}
  amount: {menu: {1: {say: pay_full_balance, set: bill.due, then: card}}}
  card: {collect: [card_number, expiry], confirm: [amount], then: {ok: charge, cancelled: unpaid, gave_up: unpaid}}
  charge: {pay: acme_bank, then: {approved: anything_else, declined: unpaid, unknown: resolve}}
  resolve: {inquire_then_reverse: acme_bank, then: {approved: anything_else, reversed: unpaid, pending: pending}}
  anything_else: {menu: {9: {say: hear_number, then: receipt}}}
  receipt: {say: confirmation_number, end: paid}
  unpaid: {end: unpaid}
  pending: {end: pending}
"""


def at_menu_after_receipt() -> Talk:
    from ivr.flow.compiler import compile_flow

    flow, problems = compile_flow("two-menus.yaml", AFTER_RECEIPT)
    assert flow is not None, problems
    return (
        Talk(flow)
        .start()
        .keys("12345678")
        .found()
        .keys("1")
        .keys("4111111111111111")
        .keys("1230")
        .keys("1")
        .bank("approved")
    )


def test_a_caller_who_falls_silent_after_paying_is_told_they_were_charged():
    talk = at_menu_after_receipt().silence().silence().silence()
    assert talk.said == [CHARGED, "goodbye"]
    assert talk.call.outcome == "paid"


def test_cancelling_after_paying_does_not_claim_that_nothing_was_charged():
    talk = at_menu_after_receipt().keys("*").keys("1")
    assert talk.said == [CHARGED, "goodbye"]


def test_a_hang_up_after_paying_is_paid_whatever_the_step():
    assert at_menu_after_receipt().hang_up().call.outcome == "paid"


def test_waiting_asks_for_no_keys():
    assert not any(isinstance(action, Collect) for action in Talk().at_bank().done)
