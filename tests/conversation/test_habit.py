"""A done key out of habit, after an entry that was over without it: it belongs to that entry, and costs no try."""

import json
from dataclasses import replace

import pytest

from ivr.conversation.habit import DOUBLE_PRESS_S
from ivr.conversation.history import noted
from ivr.core.events import Digits, KeysEntered, LimitReached, Waited
from ivr.flow.compiler import compile_flow
from tests.conversation.talk import Talk, sample

SWAPPED = ("{clear: star, done: pound}", "{clear: pound, done: star}")


def after(*entries: str, flow: object = None) -> Talk:
    """A call in which the caller has keyed so much, the bill being found."""
    talk = Talk(flow).start()  # type: ignore[arg-type]
    for entry in entries:
        talk.keys(entry)
        if talk.call.phase == "lookup":
            talk.found()
    return talk


CARD = ("1", "12345678#", "1", "4111111111111111#")
QUESTIONS = {
    "a language": (("1",), "enter_account_number"),
    "a key that is no language": (("9",), "choose_language"),
    "an account number of the longest": (("1", "1234567890"), "pay_full_balance"),
    "an account number that the timer ended": (("1", "12345678"), "pay_full_balance"),
    "a wrong account number": (("1", "123"), "enter_account_number"),
    "a menu's key": (("1", "12345678#", "1"), "enter_card_number"),
    "an amount": (("1", "12345678#", "2", "2000"), "confirm_money"),
    "a card number that the timer ended": ((*CARD[:3], "4111111111111111"), "enter_expiry"),
    "an expiry": ((*CARD, "1230"), "enter_security_code"),
    "a security code": ((*CARD, "1230", "123"), "enter_postal_code"),
    "a postal code": ((*CARD, "1230", "123", "94105"), "confirm_card"),
    "a refused card": ((*CARD, "1230", "123", "94105", "2"), "enter_card_number"),
    "a refused offer to cancel": (("1", "*", "2"), "enter_account_number"),
    "an entry after a clear": (("1", "12*1234567890"), "pay_full_balance"),
}


@pytest.mark.parametrize(("entries", "question"), QUESTIONS.values(), ids=QUESTIONS)
def test_the_done_key_after_it_is_dropped_and_the_question_is_put_again(entries: tuple[str, ...], question: str):
    talk = after(*entries)
    before = (talk.call.mistakes, talk.call.silences, talk.call.step, talk.call.phase, talk.call.field_index)
    talk.keys("#")
    assert question in talk.said
    assert not {"nothing_entered", "no_match", "no_match_account_number"} & set(talk.said)
    call = talk.call
    assert (call.mistakes, call.silences, call.step, call.phase, call.field_index) == before


@pytest.mark.parametrize(("entries", "question"), QUESTIONS.values(), ids=QUESTIONS)
def test_a_second_one_is_an_entry_with_nothing_in_it_once_the_question_could_be_heard(
    entries: tuple[str, ...], question: str
):
    talk = after(*entries).keys("#").later().keys("#")
    assert {"nothing_entered", "no_match"} & set(talk.said), question


@pytest.mark.parametrize(("entries", "question"), QUESTIONS.values(), ids=QUESTIONS)
def test_a_second_one_at_once_is_dropped_too(entries: tuple[str, ...], question: str):
    talk = after(*entries).keys("#")
    before = (talk.call.mistakes, talk.call.step, talk.call.phase, talk.call.field_index)
    talk.later(DOUBLE_PRESS_S / 2).keys("#")
    assert question in talk.said
    assert (talk.call.mistakes, talk.call.step, talk.call.phase, talk.call.field_index) == before


ENDED_BY_IT = {
    "a language": (("1#",), "enter_account_number"),
    "an account number": (("1", "12345678#"), "pay_full_balance"),
    "an amount": (("1", "12345678#", "2", "2000#"), "confirm_money"),
    "a card number": (CARD, "enter_expiry"),
    "an expiry": ((*CARD, "1230#"), "enter_security_code"),
    "nothing": (("1", "#"), "enter_account_number"),
}


@pytest.mark.parametrize(("entries", "question"), ENDED_BY_IT.values(), ids=ENDED_BY_IT)
def test_pressed_twice_to_end_an_entry_it_costs_no_try(entries: tuple[str, ...], question: str):
    talk = after(*entries)
    mistakes = talk.call.mistakes
    talk.later(DOUBLE_PRESS_S / 2).keys("#")
    assert question in talk.said
    assert talk.call.mistakes == mistakes
    talk.later().keys("#")
    assert {"nothing_entered", "no_match"} & set(talk.said)


@pytest.mark.parametrize(("entries", "question"), [*ENDED_BY_IT.values(), *QUESTIONS.values()])
def test_the_one_after_the_repeated_one_is_told_however_fast_it_comes(entries: tuple[str, ...], question: str):
    talk = after(*entries)
    if talk.call.ended_itself:
        talk.keys("#")  # the entry's own
    talk.later(DOUBLE_PRESS_S / 2).keys("#")
    assert question in talk.said
    talk.later(DOUBLE_PRESS_S / 2).keys("#")
    assert {"nothing_entered", "no_match"} & set(talk.said)


@pytest.mark.parametrize("entries", [("1", "12#"), ("1",), CARD[:3], CARD], ids=len)
def test_a_key_that_hangs_gives_up_as_three_empty_entries_do(entries: tuple[str, ...]):
    talk = after(*entries)
    for _ in range(2 + 3):
        talk.later(0.9 * DOUBLE_PRESS_S).keys("#")
        if talk.is_over:
            break
    assert talk.is_over


@pytest.mark.parametrize("times", [2, 3])
def test_pressed_twice_while_the_bill_is_looked_up_it_belongs_to_the_account_number(times: int):
    talk = Talk().start().keys("1").keys("1234567890" if times == 3 else "12345678#")
    talk.later(4).hear(Waited(talk.now)).found()
    for _ in range(times - 1):
        assert "pay_full_balance" in talk.keys("#").said
    assert talk.call.mistakes == 0


def test_it_may_be_pressed_after_every_entry_of_a_call():
    keyed = ("1", "1234567890", "1", "4111111111111111", "1230", "123", "94105")
    talk = after(*(key for entry in keyed for key in (entry, "#")))
    assert talk.keys("1").charges
    assert talk.call.mistakes == 0


def test_after_an_entry_that_was_ended_by_it_a_second_one_is_told():
    assert after("1", "12345678#").later().keys("#").said[0] == "no_match"


@pytest.mark.parametrize("between", ["cleared", "cancelled"])
def test_it_belongs_to_no_entry_once_something_else_has_come_between(between: str):
    talk = after(*CARD[:3])
    {
        "cleared": lambda: talk.keys("4*"),
        "cancelled": lambda: talk.keys("*").keys("2#").later(),
    }[between]()
    assert talk.keys("#").said[0] == "nothing_entered"


def test_at_the_receipt_it_goes_on_as_ever():
    assert Talk().at_receipt().keys("#").said == ["goodbye"]
    assert Talk().at_receipt().keys("1").keys("#").said == ["goodbye"]


HOURS = """
flow: hours
schema: 1
languages: [en-US]
limits: {max_amount: 500.00 USD}
start: choice
steps:
  choice: {menu: {1: {say: hear_our_hours, then: hours}}, then: {gave_up: hours}}
  hours: {say: our_hours, repeat: 2, end: unpaid}
"""


def test_after_a_menu_that_leads_to_a_prompt_with_an_offer_it_does_not_skip_the_prompt():
    flow, problems = compile_flow("hours.yaml", HOURS)
    assert flow is not None, problems
    talk = Talk(flow).start().keys("1")
    assert talk.keys("#").said == ["repeat_offer"]
    assert talk.later().keys("#").is_over


def test_the_keys_as_configured_are_meant():
    talk = after("1", "1234567890", flow=sample(SWAPPED))
    assert talk.keys("*").said == ["pay_full_balance", "pay_another_amount"]


def test_what_is_known_of_the_entry_survives_the_way_to_the_database_and_back():
    talk = after("1")
    talk.call = type(talk.call).from_json(talk.call.to_json())
    assert talk.keys("#").said == ["enter_account_number"]


def test_a_call_stored_before_this_was_known_goes_on():
    talk = after("1", "123#")
    stored = json.loads(talk.call.to_json())
    del stored["ended_itself"], stored["done_at"]
    assert type(talk.call).from_json(json.dumps(stored)) == replace(talk.call, done_at=0.0)


def test_a_limit_ends_the_call_whatever_came_before():
    talk = after(*CARD)
    assert talk.hear(LimitReached(talk.now, "attempts_per_card")).is_over


def test_a_done_key_with_digits_before_it_is_an_entry():
    talk = after("1", "1234567890")
    talk.hear(KeysEntered(talk.now, Digits("1#"), timed_out=True))
    assert talk.said == ["enter_card_number"]


def test_one_that_changes_nothing_is_not_in_the_calls_history():
    talk = after("1", "12345678#")
    known = replace(talk.call, history=("1768478400 began",))
    repeated = KeysEntered(talk.now, Digits("#"))
    assert noted(talk.flow, known, repeated, known) == known.history
    talk.later()
    assert noted(talk.flow, known, KeysEntered(talk.now, Digits("#")), known) != known.history
