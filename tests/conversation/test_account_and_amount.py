"""The account, what is due on it, and how much of it is paid."""

from dataclasses import replace

import pytest

from ivr.core.actions import LookUp, Wait
from ivr.core.events import LookedUp
from ivr.core.money import Money
from ivr.words.phrases import Prompts
from ivr.words.prompt_files import read_prompt_files
from tests.benches import ROOT
from tests.conversation.talk import Talk, sample

FILES = read_prompt_files((file.name, file.read_bytes()) for file in sorted((ROOT / "flows/prompts").glob("*.yaml")))


def test_an_account_is_looked_up():
    talk = Talk().at_account().keys("12345678")
    assert talk.done == [LookUp("billing.find_bill", "12345678"), Wait(1.0, keep_keys=True)]
    assert talk.said == ["one_moment"]


def test_an_answer_that_takes_its_time_is_asked_for_after_each_pause():
    talk = Talk().at_account().keys("12345678")
    for _ in range(5):
        assert talk.wait(1).done == [LookUp("billing.find_bill", "12345678"), Wait(1.0, keep_keys=True)]
    assert talk.found().said == ["pay_full_balance", "pay_another_amount"]


@pytest.mark.parametrize("disturb", [Talk.silence, lambda talk: talk.keys("1"), Talk.start])
def test_nothing_but_its_answer_ends_a_look_up(disturb):
    talk = disturb(Talk().at_account().keys("12345678"))
    assert talk.did(LookUp) == [LookUp("billing.find_bill", "12345678")] * 2
    assert talk.found().said == ["pay_full_balance", "pay_another_amount"]


def test_a_look_up_that_is_never_answered_ends_the_call_with_the_truth():
    talk = Talk().at_account().keys("12345678").wait(11).wait(1)
    assert talk.said == ["bill_not_reached", "you_were_not_charged", "goodbye"]
    assert talk.is_over
    assert "account_number" not in talk.call.values


def test_a_second_look_up_has_patience_of_its_own():
    talk = Talk().at_account().keys("12345678").wait(11).not_found().wait(0.0).keys("87654321").wait(11)
    assert talk.done == [LookUp("billing.find_bill", "87654321"), Wait(1.0, keep_keys=True)]


def test_a_billing_system_that_cannot_be_reached_ends_the_call():
    talk = Talk().at_account().keys("12345678").no_bill("not_reached")
    assert talk.said == ["bill_not_reached", "you_were_not_charged", "goodbye"]
    assert talk.call.outcome == "unpaid"


def test_what_cannot_be_paid_here_may_have_been_the_wrong_account():
    talk = Talk().at_account().keys("12345678").no_bill("not_payable")
    assert talk.said == ["bill_not_payable", "enter_account_number"]
    assert "account_number" not in talk.call.values
    assert talk.keys("23456789").found().said[0] == "pay_full_balance"


def test_what_cannot_be_paid_here_is_said_wherever_not_found_leads():
    elsewhere = sample(("not_found: retry", "not_found: goodbye_unpaid"))
    talk = Talk(elsewhere).at_account().keys("12345678").no_bill("not_payable")
    assert talk.said == ["bill_not_payable", "you_were_not_charged", "goodbye"]


def test_an_unknown_account_is_told_apart_from_a_wrong_entry():
    assert Talk().at_account().keys("87654321").not_found().said == ["not_found_account_number", "enter_account_number"]


def test_three_unknown_accounts_give_up():
    talk = Talk().at_account()
    for _ in range(3):
        talk.keys("87654321").not_found()
    assert talk.said == ["not_found_account_number", "you_were_not_charged", "goodbye"]
    assert talk.call.outcome == "unpaid"


def test_an_unknown_account_is_not_kept_because_it_may_begin_a_card_number():
    assert "account_number" not in Talk().at_account().keys("4111111111").not_found().call.values


def test_not_found_may_lead_to_another_step():
    talk = Talk(sample(("not_found: retry", "not_found: goodbye_unpaid"))).at_account().keys("87654321").not_found()
    assert talk.said == ["you_were_not_charged", "goodbye"]


@pytest.mark.parametrize("due", [0, -500])
def test_nothing_due_ends_the_call_uncharged(due: int):
    talk = Talk().at_account().keys("12345678").found(**{"bill.due": Money(due), "bill.min": Money(1)})
    assert talk.said == ["nothing_due", "you_were_not_charged", "goodbye"]
    assert talk.call.outcome == "unpaid"


def test_the_full_balance_is_offered_first():
    talk = Talk().at_amount()
    assert talk.said == ["pay_full_balance", "pay_another_amount"]
    assert talk.phrase("pay_full_balance")["due"] == Money(4250)
    assert talk.phrase("pay_full_balance")["key"] == "1"


def test_the_full_balance_is_one_key():
    assert Talk().at_card().call.values["amount"] == Money(4250)


def test_a_key_that_is_not_offered_is_a_no_match():
    assert Talk().at_amount().keys("7").said == ["no_match", "pay_full_balance", "pay_another_amount"]


def test_the_clear_key_in_a_menu_offers_to_cancel():
    assert Talk().at_amount().keys("*").said == ["offer_cancel"]


def test_another_amount_is_asked_between_the_least_and_what_is_due():
    talk = Talk().at_amount().keys("2")
    phrase = talk.phrase("enter_money")
    assert (phrase["min"], phrase["max"]) == (Money(1000), Money(4250))


@pytest.mark.parametrize(("keys", "minor"), [("1075", 1075), ("1000", 1000), ("4250", 4250), ("02000#", 2000)])
def test_cents_are_implied_and_the_amount_is_always_confirmed(keys: str, minor: int):
    talk = Talk().at_amount().keys("2").keys(keys)
    assert talk.said == ["confirm_money"]
    assert talk.phrase("confirm_money")["amount"] == Money(minor)
    assert "amount" not in talk.call.values
    assert talk.keys("1").call.values["amount"] == Money(minor)
    assert talk.call.step == "card"


def test_an_amount_is_confirmed_even_where_the_flow_does_not_ask_for_it():
    flow = sample(("    confirm: always\n", ""))
    assert Talk(flow).at_amount().keys("2").keys("2000").said == ["confirm_money"]


@pytest.mark.parametrize("keys", ["999", "4251", "00", "9999999", "A"])
def test_an_amount_outside_the_bounds_is_told_with_the_bounds(keys: str):
    talk = Talk().at_amount().keys("2").keys(keys)
    assert talk.said == ["no_match_money", "enter_money"]
    assert talk.phrase("no_match_money")["max"] == Money(4250)


def test_two_asks_for_the_amount_again():
    talk = Talk().at_amount().keys("2").keys("2000").keys("2")
    assert talk.said == ["enter_money"]
    assert talk.keys("1500").keys("1").call.values["amount"] == Money(1500)


@pytest.mark.parametrize("key", ["3", "#", "7"])
def test_another_key_at_the_amounts_confirmation_confirms_nothing(key: str):
    talk = Talk().at_amount().keys("2").keys("2000#").later().keys(key)
    assert talk.said == ["no_match", "confirm_money"]
    assert "amount" not in talk.call.values


def test_silence_at_the_amounts_confirmation_confirms_nothing():
    talk = Talk().at_amount().keys("2").keys("2000").silence()
    assert talk.said == ["no_input", "slow_mode_on", "more_time"]
    assert talk.silence().said == ["no_input", "confirm_money"]
    assert "amount" not in talk.call.values


def test_the_clear_key_at_the_amounts_confirmation_offers_to_cancel():
    assert Talk().at_amount().keys("2").keys("2000").keys("*").said == ["offer_cancel"]


def test_more_than_the_limit_is_neither_offered_nor_taken():
    bill = {"bill.due": Money(60000), "bill.min": Money(1000)}
    talk = Talk().at_account().keys("12345678").found(**bill)
    assert talk.said == ["due_over_limit", "pay_another_amount"]
    assert talk.phrase("due_over_limit")["max"] == Money(50000)
    assert talk.keys("1").said == ["no_match", "due_over_limit", "pay_another_amount"]
    assert "amount" not in talk.call.values


def test_another_amount_stays_below_the_limit():
    bill = {"bill.due": Money(60000), "bill.min": Money(1000)}
    talk = Talk().at_account().keys("12345678").found(**bill).keys("2")
    assert talk.phrase("enter_money")["max"] == Money(50000)
    assert talk.keys("50001").said[0] == "no_match_money"


def test_a_least_amount_above_what_is_due_is_what_is_due():
    bill = {"bill.due": Money(500), "bill.min": Money(1000)}
    phrase = Talk().at_account().keys("12345678").found(**bill).keys("2").phrase("enter_money")
    assert phrase["min"] == phrase["max"] == Money(500)


BETWEEN = "between: [bill.min, bill.due]"
FULL = "1: {say: pay_full_balance, set: bill.due, then: card}"


def test_a_least_amount_over_the_limit_is_told_and_nothing_is_charged():
    bill = {"bill.due": Money(90000), "bill.min": Money(60000)}
    talk = Talk().at_account().keys("12345678").found(**bill).keys("2")
    assert talk.said == ["limit_max_amount", "you_were_not_charged", "goodbye"]
    assert talk.phrase("limit_max_amount")["max"] == Money(50000)
    assert "amount" not in talk.call.values
    assert talk.call.outcome == "unpaid"


def test_what_is_due_can_be_paid_where_it_is_less_than_a_least_amount_of_the_flows_own():
    flow = sample((BETWEEN, "between: [50.00 USD, bill.due]"))
    phrase = Talk(flow).at_amount().keys("2").phrase("enter_money")
    assert phrase["min"] == phrase["max"] == Money(4250)


@pytest.mark.parametrize("between", ["[bill.due, 10.00 USD]", "[20.00 USD, bill.min]"])
def test_bounds_that_turn_out_to_be_the_wrong_way_round_are_told_and_nobody_is_asked(between: str):
    talk = Talk(sample((BETWEEN, f"between: {between}"))).at_amount().keys("2")
    assert talk.said == ["bill_not_payable", "you_were_not_charged", "goodbye"]
    assert "amount" not in talk.call.values


def test_a_key_whose_amount_is_more_than_is_due_is_not_offered():
    flow = sample((FULL, f"{FULL}\n      3: {{say: pay_full_balance, set: bill.min + 40.00 USD, then: card}}"))
    talk = Talk(flow).at_amount()
    assert talk.said == ["pay_full_balance", "pay_another_amount"]
    assert talk.keys("3").said == ["no_match", "pay_full_balance", "pay_another_amount"]
    bill = {"bill.due": Money(9000), "bill.min": Money(1000)}
    talk = Talk(flow).at_account().keys("12345678").found(**bill)
    assert talk.said == ["pay_full_balance", "pay_full_balance", "pay_another_amount"]
    assert talk.keys("3").call.values["amount"] == Money(5000)


def test_a_menu_of_amounts_that_cannot_be_paid_says_so_and_is_left():
    two = "      2: {say: pay_another_amount, then: other_amount}\n"
    flow = sample((FULL, "1: {say: pay_full_balance, set: bill.due - 42.50 USD, then: other_amount}"), (two, ""))
    talk = Talk(flow).at_amount()
    assert talk.said == ["bill_not_payable", "you_were_not_charged", "goodbye"]


def test_a_bill_in_another_currency_than_the_limit_is_found_out_at_its_look_up():
    bill = {"bill.due": Money(4250, "EUR"), "bill.min": Money(100, "EUR")}
    talk = Talk().at_account().keys("12345678").found(**bill)
    assert talk.said == ["bill_not_payable", "enter_account_number"]
    assert talk.call.values == {}


def test_an_answer_of_the_billing_system_that_nobody_asked_for_changes_nothing():
    talk = Talk().at_amount()
    before = talk.call.values
    talk.hear(LookedUp(talk.now, True, {"bill.due": Money(1), "bill.min": Money(1)}))
    assert talk.call.values == before
    assert talk.said == ["pay_full_balance", "pay_another_amount"]


def test_languages_are_offered_in_the_flows_own_words_where_it_has_some():
    offered = [phrase for phrase in Talk().start().phrases if phrase.name == "choose_language"]
    assert {phrase.endings for phrase in offered} == {("_for_pay_a_bill",)}


def at_money(due: int, least: int = 1000) -> Talk:
    return Talk().at_account().keys("12345678").found(**{"bill.due": Money(due), "bill.min": Money(least)}).keys("2")


def heard(talk: Talk, name: str, language: str) -> str:
    phrase = next(phrase for phrase in talk.phrases if phrase.name == name)
    return Prompts({language: FILES[language].texts}).words(replace(phrase, language=language))


@pytest.mark.parametrize(
    ("language", "asked", "refused", "again"),
    [
        (
            "en-US",
            "Enter 2 dollars and 50 cents, with cents: no",
            "It can only be 2 dollars",
            "2 dollars and 50 cents, cents",
        ),
        (
            "es-MX",
            "Marque 2 dólares con 50 centavos, con centavos: aquí no",
            "Solo puede ser de 2 dólares",
            "2 dólares con 50 centavos, con",
        ),
    ],
)
def test_where_one_amount_alone_can_be_paid_it_is_said_once(language: str, asked: str, refused: str, again: str):
    talk = at_money(250)
    assert heard(talk, "enter_money", language).startswith(asked)
    talk.keys("100#")
    assert refused in heard(talk, "no_match_money", language)
    assert heard(talk, "enter_money", language).startswith(again)


@pytest.mark.parametrize(("due", "least"), [(250, 250), (1, 1), (1000, 1000)])
def test_one_amount_is_said_alone_whatever_makes_it_the_only_one(due: int, least: int):
    said = heard(at_money(due, least), "enter_money", "en-US")
    assert " to " not in said
    assert "from" not in said


def test_where_two_amounts_differ_by_a_cent_both_are_said():
    said = heard(at_money(251, 250), "enter_money", "en-US")
    assert said.startswith("Enter an amount from 2 dollars and 50 cents to 2 dollars and 51 cents")


def test_a_language_without_words_for_one_amount_says_the_range():
    phrase = next(phrase for phrase in at_money(250).phrases if phrase.name == "enter_money")
    own = {name: text for name, text in FILES["en-US"].texts.items() if "_one_amount" not in name}
    assert "from 2 dollars and 50 cents to" in Prompts({"en-US": own}).words(phrase)
