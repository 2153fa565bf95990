"""libyaml reads only what PyYAML's own parser reads the same: every string, every place, every problem."""

from dataclasses import astuple

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ivr.reading import yaml_quickly
from ivr.reading.yaml_source import MAX_DEPTH, read_yaml
from tests.benches import ROOT

WITHOUT_LIBYAML = "PyYAML is built without libyaml here: nothing is read quickly"
pytestmark = pytest.mark.skipif(not yaml.__with_libyaml__, reason=WITHOUT_LIBYAML)
SHIPPED = [*(ROOT / "flows").rglob("*.yaml"), *(ROOT / "config").rglob("*.yaml")]
PIECES = [
    "a",
    "b: ",
    "c: d\n",
    "\n",
    "\n  ",
    "\n- ",
    "- ",
    "? ",
    "?",
    ":",
    ": ",
    ",",
    ", ",
    "[",
    "]",
    "{",
    "}",
    "1,000.00 USD",
]
PIECES += [
    " # e\n",
    "#",
    '"',
    '"f: g"',
    "'h'",
    "|\n  i\n",
    ">-\n  j\n",
    "\\x41",
    "\u00e9",
    "\U0001f600",
    "\r\n",
    "\t",
    "\ufeff",
]
PIECES += [
    "*k",
    "&l ",
    "!!m ",
    "%",
    "---\n",
    "...\n",
    "\x85",
    "\u2028",
    "\x00",
    "\ud800",
    "~",
    "<<: ",
    "{n: }",
    "[o, ]",
    "p? q",
]


@pytest.fixture(scope="module")
def unhurried() -> pytest.MonkeyPatch:
    return pytest.MonkeyPatch()


def read_both_ways(text: str, patch: pytest.MonkeyPatch) -> tuple[object, object]:
    quickly = read_yaml("f", text)
    with patch.context() as without:
        without.setattr(yaml_quickly, "_Loader", None)
        return astuple(quickly), astuple(read_yaml("f", text))


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_whatever_the_text_it_is_read_as_without_libyaml(unhurried: pytest.MonkeyPatch, text: str):
    quickly, plainly = read_both_ways(text, unhurried)
    assert quickly == plainly


@given(st.sampled_from(SHIPPED), st.randoms(use_true_random=False), st.sampled_from(PIECES))
def test_a_shipped_file_with_something_put_in_is_read_as_without_libyaml(
    unhurried: pytest.MonkeyPatch, file, random, piece: str
):
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    first = random.randrange(len(lines))
    text = "".join(lines[first : first + 12])
    at = random.randrange(len(text) + 1)
    quickly, plainly = read_both_ways(text[:at] + piece + text[at:], unhurried)
    assert quickly == plainly


@pytest.mark.parametrize(
    "text",
    [
        "a:\tb",
        "\ufeffa: b",
        "a: b\x85c: d",
        "a: !!str b",
        "a: &b c",
        "%YAML 1.1\n---\na: b",
        "? a\n",
        "{a: }",
        "[b?c]",
        "a: \ud800",
    ],
)
def test_where_the_two_may_disagree_libyaml_says_nothing(text: str):
    with pytest.raises(yaml_quickly.Unsure):
        yaml_quickly.compose(text, MAX_DEPTH)


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 40_000, "{a: " * 25_000, "a: [b", "*a"])
def test_nothing_is_composed_that_is_too_deep_or_wrong(text: str):
    with pytest.raises(yaml_quickly.Unsure):
        yaml_quickly.compose(text, MAX_DEPTH)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_shipped_file_is_read_quickly(file):
    yaml_quickly.compose(file.read_text(encoding="utf-8"), MAX_DEPTH)  # Unsure where it is not
