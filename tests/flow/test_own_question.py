"""The prompts that docs/prompts.md shows for a question of one's own are those that it needs, and no more is asked for."""

import re

import pytest

from ivr.cli.reports import line
from ivr.flow.files import read_flows
from tests.benches import ROOT
from tests.flows.cases import AROUND, SAMPLE_PROMPTS

FLOW = """
flow: meters
schema: 1
languages: [en-US]
limits: {attempts_per_caller: 5/1h, attempts_per_card: 3/24h, max_amount: 500.00 USD}
start: reading
steps:
  reading:
    ask: meter_reading
    length: 5
    confirm: always
    lookup: billing.find_bill
    then: {found: told, not_found: retry, gave_up: told}
  told: {end: unpaid}
"""
SHOWN = re.search(
    r"### Those of a question of your own.*?```yaml\n(.*?)```",
    (ROOT / "docs" / "prompts.md").read_text(encoding="utf-8"),
    re.DOTALL,
)


def told(words: str) -> list[str]:
    prompts = (SAMPLE_PROMPTS / "en-US.yaml").read_text(encoding="utf-8") + words
    found = read_flows([("meters.yaml", FLOW.encode())], [("prompts/en-US.yaml", prompts)], AROUND)
    return [line(problem) for problem in found.problems]


def test_the_example_is_enough():
    assert SHOWN is not None
    assert told(SHOWN[1]) == []


@pytest.mark.parametrize("name", ["enter", "no_match", "not_found", "confirm"])
def test_each_of_its_prompts_is_needed(name: str):
    assert SHOWN is not None
    [problem] = told(re.sub(rf"^{name}_meter_reading:.*\n", "", SHOWN[1], flags=re.MULTILINE))
    assert f"'{name}_meter_reading'" in problem
