"""Every rule of `check` teaches by examples that are true: the wrong one has the problem, the right one has none."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from ivr.flow.compiler import Around
from ivr.flow.files import read_flows
from ivr.flow.steps import words
from ivr.reading.problems import Problem, without_card_numbers
from ivr.reading.rules import RULES, Rule
from ivr.reading.rules.rule import rule
from tests.flows.cases import around, names_in, without

ROOT = Path(__file__).parents[2]
AROUND = Around(
    banks={"acme_bank": ["USD"], "euro_bank": ["USD"]},
    operations={
        "acme_bank": ["authorize", "capture", "void", "create token", "charge token"],
        "euro_bank": ["sale", "void"],
    },
    bills={"USD"},
    switched_on=(),
    partly_approving={"euro_bank"},
)
# What a part put into one flow in en-US cannot show: more languages, two hundred steps, a step that is taken away.
SHOWN_ELSEWHERE = {
    "lost-in-translation",
    "language-not-spoken",
    "too-many-steps",
    "yes-not-found",
    "consent-not-read",
    "outcomes-not-read",
    "card-for-nothing",
    "split-without-bill",
    "remembered-language-not-said",
}
SHOWN = [one for one in RULES.values() if one.name not in SHOWN_ELSEWHERE]
IDS = [one.name for one in SHOWN]


@pytest.mark.parametrize("one", SHOWN, ids=IDS)
def test_the_wrong_example_has_the_problem(one: Rule):
    assert one in {problem.rule for problem in found(one, one.bad)}


@pytest.mark.parametrize("one", SHOWN, ids=IDS)
def test_the_right_example_has_no_problem_at_all(one: Rule):
    # A part of a flow may leave other steps without a way to them.
    assert [str(problem) for problem in found(one, one.good) if problem.rule.name != "not-reached"] == []


@pytest.mark.parametrize("one", RULES.values(), ids=lambda one: one.name)
def test_a_rule_says_what_and_why_in_whole_sentences(one: Rule):
    assert re.fullmatch(r"T[1-6]\d\d", one.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", one.name)
    for text in (one.what, one.why):
        assert text[0].isupper() or text[0] in "`1"
        assert text.strip().endswith((".", "`."))
    assert "\n" not in one.what
    assert one.bad != one.good


def test_a_step_without_a_kind_is_told_every_kind_that_there_is():
    assert set(re.findall(r"[a-z_]+", RULES["T311"].why.partition(":")[2])) - {"or"} == set(words())


def test_advice_has_codes_of_its_own():
    assert all(one.is_advice == one.code.startswith("T6") for one in RULES.values())


def test_no_two_rules_have_one_code():
    with pytest.raises(ValueError, match="two rules are called T301"):
        rule("T301", "another", what="A.", why="B.", bad="a", good="b")
    with pytest.raises(ValueError, match="no-such-step"):
        rule("T999", "no-such-step", what="A.", why="B.", bad="a", good="b")
    assert "T999" not in RULES


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("key '4111111111111111'", "key '••••••••••••••••'"),
        ("4111 1111-1111.1111 and 12345678", "•••• ••••-••••.•••• and 12345678"),
        ("'1200.00 USD', 8..10, 2026-03-31", "'1200.00 USD', 8..10, 2026-03-31"),
    ],
)
def test_a_card_number_in_a_flow_is_not_repeated(written: str, shown: str):
    assert without_card_numbers(written) == shown


# ---- an example, put into the smallest flow of the documentation


def found(one: Rule, example: str) -> list[Problem]:
    flow, prompts = smallest_flow(), sample_prompts()
    if one.of == "flow":
        flow = with_part(flow, example)
    else:
        prompts = example + "\n" + without(prompts, names_in(example))
    spoken = {"es-MX"} if "es-MX" in flow else set()
    files = [("en-US.yaml", prompts), *((f"{language}.yaml", sample_prompts(language)) for language in spoken)]
    read = read_flows([("flow.yaml", flow)], files, replace(AROUND, parts=around(flow).parts))
    return [*read.problems, *read.advice]


@cache
def smallest_flow() -> str:
    docs = (ROOT / "docs" / "flows.md").read_text(encoding="utf-8")
    return next(part for part in re.findall(r"```yaml\n(.*?)```", docs, re.DOTALL) if "steps:" in part)


@cache
def sample_prompts(language: str = "en-US") -> str:
    return (ROOT / "flows" / "prompts" / f"{language}.yaml").read_text(encoding="utf-8")


def with_part(flow: str, example: str) -> str:
    """Keys at the top and steps by their names are put in place of the flow's own, or added."""
    written, own = blocks(flow, ""), blocks(example, "")
    if "steps" in own and own["steps"].startswith("steps:\n"):
        head, steps = "steps:\n", blocks(written["steps"].partition("\n")[2], "  ")
        steps |= blocks(own["steps"].partition("\n")[2], "  ")
        own["steps"] = head + "".join(steps.values())
    return "".join((written | own).values())


def blocks(text: str, indent: str) -> dict[str, str]:
    """By key: its line, and the lines below it that are indented more."""
    parts = re.split(rf"(?m)^(?={indent}\w)", text.rstrip("\n") + "\n")
    return {part.strip().partition(":")[0]: part for part in parts if part.strip()}
