"""The card, field by field as the vault sees it, and the caller's consent before any charge."""

import pytest

from ivr.conversation.engine import expected_field
from ivr.core.actions import Authorize, BeginCard, CaptureCard, Collect, ForgetCard
from ivr.core.entry import read_entry
from ivr.core.events import CardCaptured, CardCollected, CardField, LimitReached
from ivr.core.money import Money
from tests.conversation.talk import PAYABLE, Talk, sample

CAPTURE = ("brands: [visa", "capture: pay\n    brands: [visa")


def test_the_fields_are_asked_one_at_a_time_in_order():
    talk = Talk().at_confirmation()
    assert [action.field for action in talk.history if isinstance(action, Collect) and action.sensitive] == [
        "card_number",
        "expiry",
        "security_code",
        "postal_code",
    ]


@pytest.mark.parametrize(("brand", "length"), [("visa", 3), ("amex", 4), ("mastercard", 3)])
def test_the_security_codes_length_is_the_brands(brand: str, length: int):
    talk = Talk().at_card().hear(CardCollected(Talk().now, "card_number", True, summary=f"{brand} 0005")).keys("1230")
    rules = talk.asks.rules
    assert (rules.min_length, rules.max_length) == (length, length)
    assert talk.phrase("enter_security_code")["count"] == length


@pytest.mark.parametrize(
    ("field", "reason", "prompt"),
    [
        ("card_number", "luhn", "card_number_not_valid"),
        ("card_number", "brand_refused", "brand_not_accepted"),
        ("expiry", "expired", "card_expired"),
        ("expiry", "month", "expiry_not_valid"),
        ("security_code", "length", "security_code_not_valid"),
        ("postal_code", "length", "postal_code_not_valid"),
    ],
)
def test_a_refused_field_is_told_in_its_own_words_and_asked_again(field: str, reason: str, prompt: str):
    talk = Talk().at_card()
    for keys in {"card_number": [], "expiry": ["4"], "security_code": ["4", "1"], "postal_code": ["4", "1", "1"]}[
        field
    ]:
        talk.keys(keys * 16)
    talk.refused(field, reason)
    assert talk.said == [prompt, f"enter_{field}"]


def test_three_refused_card_numbers_send_a_link_and_forget_the_card():
    talk = Talk().at_card()
    for _ in range(3):
        talk.refused("card_number", "luhn")
    assert talk.said == ["pay_by_link", "you_were_not_charged", "goodbye"]
    assert ForgetCard("CA1-1") in talk.done
    assert talk.call.outcome == "unpaid"


def test_clear_done_and_cancel_work_in_card_fields():
    assert Talk().at_card().keys("41*").said == ["cleared", "enter_card_number"]
    assert Talk().at_card().keys("#").later().keys("#").said == ["nothing_entered", "enter_card_number"]
    talk = Talk().at_card().keys("*")
    assert talk.said == ["offer_cancel"]
    assert expected_field(talk.flow, talk.call) is None
    assert talk.keys("2").said == ["enter_card_number"]


def test_cancelling_in_the_middle_of_a_card_forgets_it():
    talk = Talk().at_card().keys("4111111111111111").keys("*").keys("1")
    assert talk.said == ["you_were_not_charged", "goodbye"]
    assert talk.did(ForgetCard) == [ForgetCard("CA1-1")]


def test_brand_last_four_and_amount_are_read_back_and_nothing_else_of_the_card():
    talk = Talk().at_confirmation()
    assert talk.said == ["confirm_card"]
    phrase = talk.phrase("confirm_card")
    assert (phrase["brand"], phrase["last4"], phrase["amount"]) == ("visa", "1111", Money(4250))
    assert not {"card_number", "expiry", "security_code", "postal_code"} & set(phrase)


def test_the_call_itself_holds_no_card_but_brand_and_last_four():
    talk = Talk().at_confirmation()
    assert talk.call.values.keys() == {"account_number", "bill.due", "bill.min", "amount", "brand", "last4"}


def test_nothing_is_charged_before_the_caller_has_confirmed():
    assert Talk().at_confirmation().charges == []
    assert Talk().at_bank().charges == [Authorize("acme_bank", "CA1-1", Money(4250), "12345678", PAYABLE)]


@pytest.mark.parametrize("key", ["3", "4", "8", "A"])
def test_another_key_at_the_confirmation_charges_nothing(key: str):
    talk = Talk().at_confirmation().keys(key)
    assert talk.said == ["no_match", "confirm_card"]
    assert talk.charges == []


def test_the_done_key_at_the_confirmation_charges_nothing():
    """The first one is taken for the postal code's, which has ended by itself; the second one is a wrong key."""
    talk = Talk().at_confirmation().keys("#")
    assert talk.said == ["confirm_card"]
    assert talk.later().keys("#").said == ["no_match", "confirm_card"]
    assert talk.charges == []


def test_silence_at_the_confirmation_charges_nothing():
    talk = Talk().at_confirmation().silence().silence().silence()
    assert talk.charges == []
    assert talk.said == ["pay_by_link", "you_were_not_charged", "goodbye"]


def test_the_clear_key_at_the_confirmation_offers_to_cancel_and_going_on_confirms_again():
    talk = Talk().at_confirmation().keys("*")
    assert talk.said == ["offer_cancel"]
    assert talk.keys("2").said == ["confirm_card"]
    assert talk.charges == []


def test_two_at_the_confirmation_takes_another_card_under_a_new_intent():
    talk = Talk().at_confirmation().keys("2")
    assert talk.said == ["enter_card_number"]
    assert [action for action in talk.done if not isinstance(action, Collect)] == [
        ForgetCard("CA1-1"),
        BeginCard("CA1-2"),
    ]
    assert "last4" not in talk.call.values


def test_a_flow_without_postal_code_does_not_ask_for_it():
    talk = Talk(sample((", postal_code", ""))).at_card().keys("4111111111111111").keys("1230").keys("123")
    assert talk.said == ["confirm_card"]


def test_a_verdict_on_another_field_than_the_one_asked_for_changes_nothing():
    talk = Talk().at_card()
    talk.hear(CardCollected(talk.now, "security_code", True))
    assert talk.said == ["enter_card_number"]
    assert talk.call.field_index == 0


def test_each_field_ends_where_the_card_rules_say():
    talk = Talk().at_card()
    rules = talk.asks.rules
    assert (rules.min_length, rules.max_length) == (12, 19)
    assert {(ending.low, ending.length) for ending in rules.ends_at} >= {("34", 15), ("51", 16), ("4", 19)}
    assert talk.keys("4111111111111111").asks.rules.max_length == 4


# ---- limits


def test_too_many_tries_from_one_caller_end_before_a_card_is_keyed_in():
    talk = Talk().at_card()
    talk.hear(LimitReached(talk.now, "attempts_per_caller"))
    assert talk.said == ["limit_attempts_per_caller", "you_were_not_charged", "goodbye"]
    assert talk.call.outcome == "unpaid"


@pytest.mark.parametrize("limit", ["attempts_per_card", "attempts_per_caller", "max_amount"])
def test_a_limit_found_when_charging_ends_uncharged_and_forgets_the_card(limit: str):
    talk = Talk().at_bank()
    talk.hear(LimitReached(talk.now, limit))
    assert talk.said == [f"limit_{limit}", "you_were_not_charged", "goodbye"]
    assert talk.call.outcome == "unpaid"
    assert talk.done[0] == ForgetCard("CA1-1")


# ---- collected by the telephone network itself


def test_where_the_network_can_collect_the_card_it_is_asked_to():
    talk = Talk(sample(CAPTURE), channel="twilio").at_card()
    capture = next(action for action in talk.done if isinstance(action, CaptureCard))
    assert (capture.amount, capture.intent, capture.fields[0]) == (Money(4250), "CA1-1", "card_number")
    assert not any(isinstance(action, Collect) for action in talk.done)


def test_other_channels_collect_it_themselves():
    assert Talk(sample(CAPTURE), channel="trunk").at_card().said == ["enter_card_number"]


def test_a_captured_card_is_confirmed_all_the_same():
    talk = Talk(sample(CAPTURE), channel="twilio").at_card()
    talk.hear(CardCaptured(talk.now, "success", "visa 1111"))
    assert talk.said == ["confirm_card"]
    assert talk.keys("1").charges == [Authorize("acme_bank", "CA1-1", Money(4250), "12345678", PAYABLE)]


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("caller-interrupted-with-star", ["offer_cancel"]),
        ("too-many-failed-attempts", ["pay_by_link", "you_were_not_charged", "goodbye"]),
        ("payment-connector-error", ["pay_by_link", "you_were_not_charged", "goodbye"]),
    ],
)
def test_a_capture_that_failed_charges_nothing(result: str, said: list[str]):
    talk = Talk(sample(CAPTURE), channel="twilio").at_card()
    talk.hear(CardCaptured(talk.now, result))
    assert talk.said == said
    assert talk.charges == []


def test_a_captured_card_that_nobody_asked_for_is_no_card():
    talk = Talk().at_card()
    talk.hear(CardCaptured(talk.now, "success", "visa 1111"))
    assert talk.said == ["enter_card_number"]
    assert "last4" not in talk.call.values


VISA_KEYS = "4111111111111111"


def wrong(talk: Talk, field: CardField) -> Talk:
    return talk.hear(CardCollected(talk.now, field, valid=False, reason="not_a_month"))


def test_a_card_number_keyed_on_at_the_expiry_is_one_mistake():
    talk = wrong(Talk().at_card().keys(VISA_KEYS), "expiry")
    assert talk.said == ["expiry_not_valid", "enter_expiry"]
    for _ in range(3):
        assert wrong(talk.later(1.2), "expiry").said == ["enter_expiry"]
    assert (talk.call.mistakes, talk.call.phase) == (1, "entry")
    assert talk.keys("1230").said == ["enter_security_code"]


def test_wrong_expiries_that_were_listened_to_are_mistakes_each():
    talk = Talk().at_card().keys(VISA_KEYS)
    for mistakes in (1, 2):
        assert wrong(talk.later(8), "expiry").call.mistakes == mistakes
    assert wrong(talk.later(8), "expiry").said[-1] == "goodbye"


def test_a_key_that_hangs_at_the_expiry_ends_all_the_same():
    talk = Talk().at_card().keys(VISA_KEYS)
    for _ in range(40):
        talk = wrong(talk.later(0.4), "expiry") if talk.call.phase == "entry" else talk
    assert talk.call.phase == "over"


def test_a_card_number_typed_ahead_at_the_expiry_is_one_entry():
    talk = Talk().at_card().keys(VISA_KEYS)
    expected = expected_field(talk.flow, talk.call)
    assert expected is not None
    span = read_entry(b"4111111111111111#1230", expected[1])
    assert (span.start, span.end, span.used) == (0, 16, 17)
