"""Each flow of `broken` and `merchants` is told what is written beside it, word by word and with its place."""

import pytest

from ivr.cli.reports import line
from ivr.flow.files import read_flows
from ivr.reading.rules import RULES
from tests.flows.cases import AROUND, Case, cases, without

BROKEN, MERCHANTS = cases("broken"), cases("merchants")
# What merchants wrote that can be used; advice may stand beside it.
USED = {
    "invoices",
    "parking",
    "rent",
    "passes-02-no-velocity",
    "passes-105-lang-latam",
    "passes-14-len-pan-nolookup",
} | {"passes-91-tries-20", "promise-for-a-fine"}


@pytest.mark.parametrize("case", [*BROKEN, *MERCHANTS], ids=lambda case: case.name)
def test_a_flow_is_told_what_is_wrong_with_it(case: Case) -> None:
    assert case.got == case.expected


@pytest.mark.parametrize("case", MERCHANTS, ids=lambda case: case.name)
def test_a_merchants_flow_is_used_or_refused(case: Case) -> None:
    assert bool(case.read().flows) == (case.name in USED)


def test_there_are_many_and_each_says_something() -> None:
    assert len(BROKEN) >= 150
    silent = [case.name for case in BROKEN if not case.expected]
    assert silent == ["language-of-latin-america"]


def test_every_rule_is_found_in_one_of_them() -> None:
    told = {line.split(" ")[1] for case in [*BROKEN, *MERCHANTS] for line in case.expected}
    # A language that no flow speaks, and three about one whose words are not read.
    elsewhere = {"T610", "T611", "T616", "T646"}
    assert told | elsewhere == set(RULES)


def test_a_missing_prompt_is_not_taken_for_its_own_second_wording() -> None:
    case = next(case for case in BROKEN if case.name == "bank-in-capitals")
    prompts = [(file, without(text, {"enter_account_number"})) for file, text in case.prompts()]
    assert "enter_account_number_again" in prompts[0][1]
    found = read_flows([(case.file.name, case.file.read_bytes())], prompts, AROUND).problems
    told = [line(problem) for problem in found if problem.rule.code == "T502"]
    assert told == [
        "bank-in-capitals.yaml:7:5: T502 prompt 'enter_account_number' is missing in en-US (add it to prompts/en-US.yaml)"
    ]
