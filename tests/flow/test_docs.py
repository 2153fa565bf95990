"""docs/flows.md says every key there is, and its examples are right."""

import re
from pathlib import Path

import pytest

from ivr.flow.compiler import compile_flow
from ivr.flow.schema import FlowHead, Keys, Limits, Patience
from ivr.flow.steps import kinds

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "flows.md").read_text(encoding="utf-8")
MODELS = [FlowHead, Keys, Limits, Patience, *kinds()]
KEYS = sorted({known.alias or name for model in MODELS for name, known in model.model_fields.items()})
OUTCOMES = sorted({outcome for kind in kinds() for outcome in kind.offered_outcomes()})


@pytest.mark.parametrize("word", [*KEYS, *OUTCOMES])
def test_every_key_and_outcome_is_explained(word: str):
    assert re.search(rf"`[^`\n]*\b{word}\b[^`\n]*`", DOCS)


def test_the_smallest_flow_is_whole():
    examples = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    whole = [example for example in examples if "steps:" in example]
    assert len(whole) == 1
    flow, problems = compile_flow("docs/flows.md", whole[0])
    assert flow is not None, problems


def test_its_links_lead_somewhere():
    for link in re.findall(r"\]\(([^)#]+)\)", DOCS):
        assert (ROOT / "docs" / link).exists(), link
