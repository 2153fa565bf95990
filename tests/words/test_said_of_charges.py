"""What prompts say of a charge, its amounts and its outcome is refused where it is untrue, with its place and a cure, and taken where
it is true."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import yaml

from ivr.cli.reports import line
from ivr.flow.files import terms_of
from ivr.reading.problems import Problem
from ivr.words.money_words import other_money
from ivr.words.prompt_check import prompt_file_problems
from ivr.words.prompt_files import read_prompt_files
from ivr.words.rhythm_words import other_rhythm
from ivr.words.slots import Terms
from ivr.words.templates import read_template
from tests.words import blind_table as blind
from tests.words import fresh_table as fresh
from tests.words import untruth_table as table

EXPECTED = Path(__file__).with_suffix(".expected")
EN, ES = "en-US", "es-MX"
KEYS = {EN: ": press 1 to pay, 2 for another card.", ES: ": oprima 1 para pagar, 2 para otra tarjeta."}


def consents(texts: list[str], language: str) -> list[tuple[str, str, str]]:
    return [(language, "confirm_card", f"{text}{KEYS[language]}") for text in texts]


def prompts(rows: list[tuple[str, str]], language: str) -> list[tuple[str, str, str]]:
    return [(language, prompt, text) for prompt, text in rows]


UNTRUE = [
    *consents([*table.OTHER_CHARGE_EN, *blind.OTHER_CHARGE_EN], EN),
    *consents([*table.OTHER_CHARGE_ES, *blind.OTHER_CHARGE_ES], ES),
    *prompts([*table.SWAPPED_EN, *blind.SWAPPED_EN], EN),
    *prompts([*table.SWAPPED_ES, *blind.SWAPPED_ES], ES),
    *prompts([*table.OTHER_OUTCOME_EN, *blind.OTHER_OUTCOME_EN], EN),
    *prompts([*table.OTHER_OUTCOME_ES, *blind.OTHER_OUTCOME_ES], ES),
    *prompts([*fresh.UNTRUE_EN, *fresh.UNTRUE_AGAIN_EN, *fresh.UNTRUE_ONCE_EN], EN),
    *prompts(fresh.UNTRUE_ES, ES),
]
TRUE = [
    *consents([*table.ONE_CHARGE_EN, *blind.ONE_CHARGE_EN, *blind.MORE_CHARGES_EN], EN),
    *consents([*table.ONE_CHARGE_ES, *blind.ONE_CHARGE_ES], ES),
    *prompts([*table.IN_PLACE_EN, *blind.IN_PLACE_EN], EN),
    *prompts(table.IN_PLACE_ES, ES),
    *prompts([*table.TRUE_OUTCOME_EN, *blind.TRUE_OUTCOME_EN, *blind.MORE_TRUE_EN], EN),
    *prompts([*table.TRUE_OUTCOME_ES, *blind.TRUE_OUTCOME_ES], ES),
    *prompts([*fresh.TRUE_EN, *fresh.TRUE_AGAIN_EN, *fresh.TRUE_ONCE_EN], EN),
    *prompts(fresh.TRUE_ES, ES),
]
LINES = EXPECTED.read_text(encoding="utf-8").splitlines()


@cache
def terms() -> Terms:
    """What every kind of step fills in, and the values of a promise."""
    of_steps = terms_of()
    return replace(of_steps, spoken=None, values={**of_steps.values, "by": frozenset({"date"})})


def told(language: str, prompt: str, text: str) -> list[Problem]:
    written = yaml.safe_dump({"welcome": "Hello.", prompt: text}, allow_unicode=True, width=9999, sort_keys=False)
    files = read_prompt_files([(f"prompts/{language}.yaml", written)])
    found = prompt_file_problems(files, terms(), {language})
    return sorted({one.problem for one in found if one.name == prompt and not one.problem.is_advice})


def test_each_untruth_has_its_lines():
    assert len(UNTRUE) == len(LINES) >= 260


@pytest.mark.parametrize(("said", "expected"), list(zip(UNTRUE, LINES, strict=True)))
def test_an_untruth_is_told_with_its_place_and_a_cure(said: tuple[str, str, str], expected: str):
    assert " | ".join(line(problem) for problem in told(*said)) == expected


@pytest.mark.parametrize("said", TRUE)
def test_what_is_true_of_a_charge_is_taken(said: tuple[str, str, str]):
    assert told(*said) == []


@pytest.mark.parametrize(
    ("language", "row"), [*((EN, row) for row in table.OTHER_MONEY_EN), *((ES, row) for row in table.OTHER_MONEY_ES)]
)
def test_the_name_of_other_money_is_found(language: str, row: tuple[str, str, str]):
    currency, _, text = row
    found = other_money(read_template(text), currency, language)
    assert found
    assert found in text


@pytest.mark.parametrize(
    ("language", "row"), [*((EN, row) for row in table.OWN_MONEY_EN), *((ES, row) for row in table.OWN_MONEY_ES)]
)
def test_the_name_of_the_flows_own_money_is_taken(language: str, row: tuple[str, str, str]):
    currency, _, text = row
    assert other_money(read_template(text), currency, language) == ""


@pytest.mark.parametrize(
    ("language", "row"), [*((EN, row) for row in table.OTHER_RHYTHM_EN), *((ES, row) for row in table.OTHER_RHYTHM_ES)]
)
def test_another_rhythm_than_the_steps_is_found(language: str, row: tuple[str, str]):
    assert other_rhythm(read_template(row[1]), row[0], language)


@pytest.mark.parametrize(
    ("language", "row"), [*((EN, row) for row in table.OWN_RHYTHM_EN), *((ES, row) for row in table.OWN_RHYTHM_ES)]
)
def test_the_steps_own_rhythm_is_taken(language: str, row: tuple[str, str]):
    assert other_rhythm(read_template(row[1]), row[0], language) == ""
