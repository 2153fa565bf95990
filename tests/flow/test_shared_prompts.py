"""Prompt files are shared by flows: each is held to the values that it has itself, whatever another one fills."""

from ivr.flow.compiler import Around
from ivr.flow.files import FlowSet, read_flows
from ivr.flow.part_files import read_parts
from tests.benches import ROOT

PROMPTS = [
    (f"prompts/{tag}.yaml", (ROOT / f"flows/prompts/{tag}.yaml").read_text(encoding="utf-8"))
    for tag in ("en-US", "es-MX")
]
UTILITY = (ROOT / "flows/utility.yaml").read_text(encoding="utf-8")
GIVES = "gives: {bill.issued: date}"
PARTS = read_parts([("authenticate.yaml", (ROOT / "flows/parts/authenticate.yaml").read_text(encoding="utf-8"))])


def read(*flows: tuple[str, str]) -> FlowSet:
    return read_flows(flows, PROMPTS, Around(parts=PARTS))


def test_what_another_flow_fills_is_no_excuse():
    gym = UTILITY.replace("flow: utility", "flow: gym").replace(GIVES, "gives: {member.since: date}")
    found = read(("utility.yaml", UTILITY), ("gym.yaml", gym))
    assert [problem.rule.code for problem in found.problems] == ["T504", "T504"]
    assert "nothing fills in flow 'gym'" in found.problems[0].message
    assert found.left_out == {"gym"}


def test_a_wording_of_its_own_makes_a_flow_whole():
    gym = UTILITY.replace("flow: utility", "flow: gym").replace(GIVES, "gives: {member.since: date}")
    own = '\noffer_bill_for_gym: "{due:money}: {key:key}."\n'
    prompts = [(name, text + own) for name, text in PROMPTS]
    found = read_flows([("utility.yaml", UTILITY), ("gym.yaml", gym)], prompts, Around(parts=PARTS))
    assert found.left_out == frozenset()
