"""Exploring gives a flow's callers bills that they can pay, whatever the flow looks up and the project's accounts are."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from ivr.channels.simulator import read_script
from ivr.cli.exploring import made_up
from ivr.flow.drawing.coverage import counted
from ivr.testing.explore import Act, Explorer, FlowBills, as_call_file, as_owed
from ivr.testing.project import Project
from ivr.testing.quiet import quiet
from tests.benches import ROOT

PROJECT = Project(ROOT / "flows", ROOT / "config" / "accounts.csv")


def bills_of(flow: str) -> FlowBills:
    return FlowBills(PROJECT.flows[flow], PROJECT.bills)


@pytest.mark.parametrize(
    "flow", ["pay-a-bill", "utility", "card-fee", "split", "parking-ticket", "deposit", "payment-plan"]
)
def test_nothing_is_made_up_where_the_projects_bills_fit(flow: str):
    bills = bills_of(flow)
    assert bills.made_up == []
    assert list(made_up(bills)) == []
    assert bills.numbers


def test_bills_with_the_further_answers_of_a_look_up_are_made_up():
    bills = bills_of("card-on-file")
    assert bills.numbers == [bill.account for bill in bills.made_up], "no row of the project has six digits and a PIN"
    assert {len(number) for number in bills.numbers} == {6}
    assert {len(keys["pin"]) for keys in bills.keys.values()} == {4}
    heading, first, *_ = made_up(bills)
    assert "no row of your accounts" in heading
    assert "key.pin" in first


def test_where_every_bill_says_the_same_of_a_date_others_say_an_early_and_a_late_one():
    dates = {dict(bill.details)["bill.discount_until"] for bill in bills_of("early-payment").made_up}
    assert dates == {"2000-01-01", "2099-12-31"}


def test_an_answer_that_is_not_looked_up_is_keyed_in_as_the_question_wants_it():
    assert {len(keys) for keys in bills_of("top-up").free_answers["meter_number"]} == {10}


def test_the_number_of_nobody_fits_the_question_and_is_no_bills():
    bills = bills_of("parking-ticket")
    step = PROJECT.flows["parking-ticket"].steps["ticket"]
    said = {step.said_by(keys) for keys in bills.nobodys["ticket"]}
    assert "" not in said
    assert said.isdisjoint(bill.account for bill in bills.all)


def test_the_call_file_of_a_made_up_bill_says_what_it_owes():
    bills = bills_of("card-on-file")
    number = bills.numbers[0]
    owed = list(bills.said_in(f"1 {number}#"))
    assert [one.account for one in owed] == [number]
    assert list(bills.said_in("1 12345678#")) == []
    text = as_call_file([Act("call", "card-on-file from +15550100"), Act("keys", number)], "found", ["open"], owed)
    assert [one.rest for one in read_script(text) if one.verb == "owes"] == [str(as_owed(bills.made_up[0]))]


def test_a_flow_whose_callers_need_a_pin_and_a_card_that_is_kept_is_gone_through():
    project = Project(PROJECT.flows_folder, PROJECT.accounts, counted)
    explorer = Explorer(project, "card-on-file", "1")
    with quiet():
        while explorer.calls < 160:
            explorer.next_walk()
    assert not explorer.found
    flow: Any = project.flows["card-on-file"]
    assert {("which_card", "known"), ("which_card", "none"), ("keep", "agreed")} <= flow.taken.keys()
    assert len(flow.reached) >= len(flow.steps) - 1


def test_made_up_bills_are_in_the_database_of_a_walk_that_is_whole():
    explorer = Explorer(PROJECT, "card-on-file", "1", "whole")
    with quiet():
        for _ in range(8):
            explorer.next_walk()
    assert not explorer.found
    assert explorer.endings["paid"] > 0


def test_letters_that_a_look_up_takes_second_are_keyed_in_two_keys_each(tmp_path: Path):
    shutil.copytree(PROJECT.flows_folder / "prompts", tmp_path / "prompts")
    whole = (PROJECT.flows_folder / "card-on-file.yaml").read_text()
    of_letters = whole.replace("[account_number, pin]", "[account_number, ticket]").replace(
        "    ask: pin\n    length: 4\n", "    ask: ticket\n    letters: two_key\n    pattern: LL DDDD\n"
    )
    assert "ask: pin" not in of_letters
    (tmp_path / "card-on-file.yaml").write_text(of_letters)
    accounts = tmp_path / "accounts.csv"
    accounts.write_text("account,due,minimum,currency,key.ticket\n123456,42.50,10.00,USD,AB1234\n")
    project = Project(tmp_path, accounts, counted)
    explorer = Explorer(project, "card-on-file", "1")
    with quiet():
        while explorer.calls < 100:
            explorer.next_walk()
    flow: Any = project.flows["card-on-file"]
    assert FlowBills(flow, project.bills).keys == {"123456": {"ticket": "21221234"}}
    assert ("pin", "found") in flow.taken
    assert len(flow.reached) >= len(flow.steps) - 1
    assert not explorer.found
