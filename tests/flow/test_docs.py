"""docs/flows.md says every key there is, and its examples are right."""

import re
from pathlib import Path

import pytest

from ivr.flow.compiler import compile_flow
from ivr.flow.schema import FlowHead, Keys, Limits, LookUpTerms, Patience
from ivr.flow.step import Step
from ivr.flow.step_docs import with_steps
from ivr.flow.steps import kind_of, kinds
from ivr.reading.yaml_source import read_yaml

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "flows.md").read_text(encoding="utf-8")
MODELS = [FlowHead, Keys, Limits, LookUpTerms, Patience, *kinds()]
KEYS = sorted({known.alias or name for model in MODELS for name, known in model.model_fields.items()})
OUTCOMES = sorted({outcome for kind in kinds() for outcome in kind.offered_outcomes()})


@pytest.mark.parametrize("word", [*KEYS, *OUTCOMES])
def test_every_key_and_outcome_is_explained(word: str):
    assert re.search(rf"`[^`\n]*\b{word}\b[^`\n]*`", DOCS)


def test_the_table_of_steps_is_what_the_kinds_say_of_themselves():
    assert with_steps(DOCS) == DOCS, "run: python -m ivr schema --docs docs/flows.md"


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_the_example_of_a_kind_is_one_of_it(kind: type[Step]):
    (body,) = read_yaml("example.yaml", kind.example).tree.values()
    assert kind_of(body) is kind
    step = kind.model_validate(body)
    written = {outcome for _, outcome, _ in step.targets() if not outcome.startswith("key_")}
    assert step.required() <= written <= step.known_outcomes()


def test_the_smallest_flow_is_whole():
    examples = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    whole = [example for example in examples if example.startswith("flow:")]
    assert len(whole) == 1
    flow, problems = compile_flow("docs/flows.md", whole[0])
    assert flow is not None, problems


POSTCODES = {"M11AE", "B338TH", "CR26XH", "DN551PT", "EC1A1BB"}


@pytest.mark.parametrize(
    ("pattern", "taken"),
    [("", POSTCODES), ("[LX DLL, LXX DLL, LLDX DLL]", POSTCODES | {"W1A1HQ"})],
    ids=["the example", "with the sixth shape"],
)
def test_the_patterns_of_british_postcodes_pass_the_checks_and_take_them(pattern: str, taken: set[str]):
    assert pattern in DOCS
    (example,) = re.findall(r"```yaml\n(postcode:\n.*?)```", DOCS, re.DOTALL)
    example = re.sub(r"pattern: .*", f"pattern: {pattern}", example) if pattern else example
    whole = (ROOT / "flows" / "card-on-file.yaml").read_text()
    pin = re.search(r"  pin:\n(?:    .*\n)+", whole)
    assert pin is not None
    whole = whole.replace(pin.group(), "".join(f"  {line}\n" for line in example.splitlines()))
    whole = whole.replace("[account_number, pin]", "[account_number, postcode]").replace("{ok: pin,", "{ok: postcode,")
    flow, problems = compile_flow("card-on-file.yaml", whole)
    assert flow is not None, problems
    assert not problems
    step = flow.steps["postcode"]
    assert {written for written in taken if step.said_by(step.typed(written)) == written} == taken


def test_its_links_lead_somewhere():
    for link in re.findall(r"\]\(([^)#]+)\)", DOCS):
        assert (ROOT / "docs" / link).exists(), link
