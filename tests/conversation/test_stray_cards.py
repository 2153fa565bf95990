"""A card number at a plain question: noticed whole, with the done key, with what is printed below it, and in parts."""

from collections.abc import Callable
from datetime import timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from ivr.core.actions import LookUp
from ivr.core.brands import BRANDS, OTHER_SCHEMES, ZERO, passes_luhn
from ivr.core.entry import EntryRules, Reading, read_entry
from ivr.core.stray_cards import begun, completes, holds_card_number, is_card_number
from ivr.flow.compiler import compile_flow
from tests.conversation.talk import ROOT, Talk, sample

VISA = "4111111111111111"
TOLD = "card_asked_later"


@st.composite
def card_numbers(draw: st.DrawFn) -> bytes:
    """Of any scheme, length and range."""
    brand = draw(st.sampled_from([*BRANDS, *OTHER_SCHEMES]))
    low, high = draw(st.sampled_from(brand.ranges))
    length = draw(st.sampled_from(sorted(brand.lengths)))
    prefix = str(draw(st.integers(int(low), int(high)))).rjust(len(low), "0")
    rest = draw(st.text("0123456789", min_size=length - len(prefix) - 1, max_size=length - len(prefix) - 1))
    body = (prefix + rest).encode()
    whole = [body + bytes([ZERO + last]) for last in range(10)]
    return next(number for number in whole if passes_luhn(number))


@given(card_numbers(), st.data())
@settings(deadline=None)
def test_a_number_is_known_whole_and_in_any_two_or_three_parts(number: bytes, data: st.DataObject):
    if not is_card_number(number):
        return  # a nested range of another scheme has other lengths
    cuts = sorted(data.draw(st.sets(st.integers(8, len(number) - 1), min_size=1, max_size=2)))
    parts = [number[start:end] for start, end in zip([0, *cuts], [*cuts, len(number)], strict=True)]
    kept = ""
    for part in parts[:-1]:
        kept = begun(part, kept)
        assert len(part) < 6 or part.decode() not in kept
    assert completes(kept, parts[-1])
    other = parts[-1][:-1] + bytes([ZERO + (parts[-1][-1] - ZERO + 1) % 10])
    assert not completes(kept, other)


@pytest.mark.parametrize(
    ("keys", "holds"),
    [
        (VISA, True),
        ("41111111111111111230", True),  # and its expiry
        ("41111111111111111230123", True),  # and its code
        ("14111111111111111", True),  # after a stray key
        ("411111111111111194105", True),  # before a postal code
        ("41111111111111111", True),  # and a key too many
        ("12345678901234567890", False),
        ("3782822463100051230", True),
        ("4111111111111112", False),
        ("12345678", False),
        ("5066991111111118", True),  # Elo: nobody takes it here, and it is a card all the same
        ("", False),
        ("4111-111111111111", False),
    ],
)
def test_what_holds_a_card_number(keys: str, holds: bool):
    assert holds_card_number(keys.encode()) == holds


@pytest.mark.parametrize("keys", [VISA, f"{VISA}#", f"12*{VISA}", f"12*{VISA}#", f"{VISA}#1"])
def test_a_whole_number_is_one_entry_of_a_short_question(keys: str):
    span = read_entry(keys.encode(), EntryRules(8, 8, is_plain=True))
    assert (span.reading, keys[span.start : span.end]) == (Reading.COMPLETE, VISA)


def test_a_cards_own_entry_is_read_as_before():
    assert read_entry(VISA.encode(), EntryRules(3, 3)).end == 3


# ---- in a call


NO_LOOK_UP = (
    "    length: 8..10\n    lookup: billing.find_bill # gives bill.due, bill.min\n"
    "    then: {found: amount, not_found: retry, gave_up: goodbye_unpaid}",
    "    length: 16\n    confirm: always\n    then: {ok: other_amount, gave_up: goodbye_unpaid}",
)
NO_LINK = ("{sms: pay_by_link, link: bill, end: unpaid}", "{say: you_were_not_charged, end: unpaid}")
NO_BOUNDS = ("    between: [bill.min, bill.due]\n    confirm: always\n", "")
NO_MENU = (
    "  amount:\n    menu:\n      1: {say: pay_full_balance, set: bill.due, then: card}\n"
    "      2: {say: pay_another_amount, then: other_amount}\n",
    "",
)
QUESTIONS: dict[str, Callable[[], Talk]] = {
    "a look-up": lambda: Talk().at_account(),
    "no look-up": lambda: Talk(sample(NO_LOOK_UP, NO_BOUNDS, NO_MENU, NO_LINK)).at_account(),
    "any length": lambda: Talk(sample(("8..10", "1..32"))).at_account(),
    "a menu": lambda: Talk().at_amount(),
    "an amount": lambda: Talk().at_amount().keys("2"),
    "a language": lambda: Talk().start(),
}


@pytest.mark.parametrize("keys", [VISA, f"{VISA}#", f"9*{VISA}#", "378282246310005", "6062826786276634"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_it_is_dropped_at_every_question_and_the_question_put_again(question: str, keys: str):
    talk = QUESTIONS[question]()
    step, looked_up = talk.call.step, len(talk.did(LookUp))
    talk.keys(keys)
    assert talk.said[0] == TOLD
    assert talk.call.step == step
    assert len(talk.did(LookUp)) == looked_up
    assert_nothing_left(talk, keys)


def assert_nothing_left(talk: Talk, keys: str) -> None:
    number = keys.strip("#").rpartition("*")[2]
    for text in (talk.call.to_json(), repr(talk.history), repr(talk.call)):
        assert number not in text
        assert number[6:-4] not in text


def test_a_number_confirmed_with_key_one_is_never_read_back():
    talk = Talk(sample(("    lookup: billing", "    confirm: always\n    lookup: billing"))).at_account()
    assert talk.keys(VISA).said[0] == TOLD
    assert "confirm_account_number" not in talk.said


def test_three_of_them_give_up_like_any_wrong_entry():
    talk = Talk().at_account().keys(VISA).keys(VISA)
    assert talk.keys(VISA).said[-2:] == ["you_were_not_charged", "goodbye"]


# ---- in parts

TWO_QUESTIONS = """
flow: two
languages: [en-US]
limits: {max_amount: 500.00 USD}
start: ticket
steps:
  ticket: {ask: ticket, length: 8, then: {ok: place, gave_up: unpaid}}
  place: {ask: place, length: 8, then: {ok: amount, gave_up: unpaid}}
  amount: {ask: money, then: {ok: card, gave_up: unpaid}}
  card: {collect: [card_number, expiry], confirm: [brand, last4, amount], then: {ok: charge, cancelled: unpaid, gave_up: unpaid}}
  charge: {pay: acme_bank, then: {approved: paid, declined: unpaid, unknown: resolve}}
  resolve: {inquire_then_reverse: acme_bank, then: {approved: paid, reversed: unpaid, pending: pending}}
  paid: {end: paid}
  unpaid: {end: unpaid}
  pending: {end: pending}
"""


def two_questions() -> Talk:
    flow, problems = compile_flow("two.yaml", TWO_QUESTIONS)
    assert flow is not None, problems
    return Talk(flow).start()


def after(talk: Talk, seconds: float) -> Talk:
    talk.now += timedelta(seconds=seconds)
    return talk


def test_a_number_keyed_on_into_the_next_question_is_dropped_from_both():
    talk = two_questions().keys("41111111")
    assert talk.call.step == "place"
    after(talk, 3).keys("11111111")
    assert (talk.call.step, talk.said) == ("ticket", [TOLD, "enter_ticket"])
    assert not {"ticket", "place"} & talk.call.values.keys()
    assert "4111" not in talk.call.to_json()
    assert "1111" not in talk.call.to_json()


def test_an_answer_after_listening_is_an_answer_whatever_it_would_make():
    talk = after(two_questions().keys("41111111"), 9).keys("11111111")
    assert talk.call.step == "amount"


def test_the_rest_of_a_number_after_an_unknown_account_is_not_looked_up():
    talk = Talk(sample(("8..10", "8"))).at_account().keys("41111111").not_found()
    after(talk, 30).keys("11111111")
    assert talk.said[0] == TOLD
    assert len(talk.did(LookUp)) == 1


def test_the_rest_of_a_number_is_known_where_a_look_up_has_led_back_to_the_first_of_two_questions():
    text = (ROOT / "flows" / "utility.yaml").read_text(encoding="utf-8")
    flow, problems = compile_flow("utility.yaml", text)
    assert flow is not None, problems
    talk = Talk(flow).start().keys("1").later(9).keys("41111111").later(1).keys("1111").not_found()
    assert (talk.call.step, talk.said) == ("customer", ["not_found_pin", "enter_customer_number"])
    talk.later(30).keys("1111")
    assert (talk.call.step, talk.said) == ("customer", [TOLD, "enter_customer_number"])
    assert "4111" not in talk.call.to_json()


def test_a_second_try_at_an_account_is_looked_up():
    talk = Talk(sample(("8..10", "8"))).at_account().keys("41111111").not_found()
    talk.keys("11111112")
    assert len(talk.did(LookUp)) == 2


def test_after_it_was_told_once_the_same_keys_are_an_answer():
    talk = Talk(sample(("8..10", "8"))).at_account().keys("41111111").not_found().keys("11111111")
    assert talk.said[0] == TOLD
    assert len(talk.keys("11111111").did(LookUp)) == 2


# ---- what is kept after the call


def test_what_was_keyed_in_is_forgotten_with_the_end_of_the_call():
    for talk in (Talk().at_receipt().keys("#"), Talk().at_amount().hang_up()):
        assert talk.call.phase == "over"
        assert "account_number" not in talk.call.values
        # What is paid for stays on record with its charge; the answer itself does not.
        assert "12345678" not in str(talk.call.values)
