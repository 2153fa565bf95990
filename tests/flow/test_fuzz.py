"""The flow's text, mutated any way: problems or a flow, never an exception, and every problem has a place in the text."""

from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from ivr.flow.compiler import compile_flow
from ivr.flow.drawing.diagram import mermaid, svg
from ivr.flow.files import read_flows
from ivr.reading.yaml_source import read_yaml
from tests.flow.prompt_texts import around

TEXT = (Path(__file__).parent / "flows" / "checked.yaml").read_text(encoding="utf-8")
WORDS = sorted({word.strip("{}[],:") for word in TEXT.split()} - {""})
SNIPPETS = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(
        ["{", "}", "[", "]", ":", ",", "#", "'", '"', "\t", "\n", "  ", "- ", "? ", "*a", "&a ", "---\n", "|", ">"]
    ),
    st.sampled_from(
        ["\x00", "\ud800", "\u202e", "\ufeff", "é", '"\\ud800"', '"\\x1b"', "!!binary x", "!x ", "<<: *x", "null", "~"]
    ),
    st.sampled_from(
        ["0", "-1", "1e9", "0x10", "0123", "1" * 400, "9" * 5000, "٣", "no", "12:30", "1..", "..1", "1/1", "/", "USD"]
    ),
    st.text(max_size=8),
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = TEXT
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        length = draw(st.sampled_from([0, 0, 1, 1, 3, 10, 40, 400]))
        text = text[:start] + draw(SNIPPETS) + text[start + length :]
    return text


@st.composite
def swapped_words(draw: st.DrawFn) -> str:
    """Still YAML, mostly: one word of the flow in place of another."""
    text = TEXT
    for _ in range(draw(st.integers(1, 5))):
        text = text.replace(
            draw(st.sampled_from(WORDS)), draw(st.sampled_from([*WORDS, "", "[]", "{}", "[a]", "{a: b}"])), 1
        )
    return text


def look(text: str | bytes) -> None:
    flow, problems = compile_flow("f.yaml", text, around({"en-US": {"welcome"}, "es-MX": {"other"}}))
    assert problems
    lines = (text if isinstance(text, str) else text.decode("utf-8", "replace")).split("\n")
    for problem in problems:
        assert str(problem).isprintable()
        assert str(problem).startswith(f"f.yaml:{problem.line}:{problem.column}: ")
        assert 1 <= problem.line <= len(lines) + 1
        assert problem.column >= 1
    str(problems).encode("utf-8")
    flow, problems = compile_flow("f.yaml", text)
    assert (flow is None) == bool(problems)
    if flow is not None:
        assert svg(flow).endswith("</svg>\n")
        assert mermaid(flow).startswith("flowchart TD\n")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_no_mutation_of_the_text_raises(text: str):
    look(text)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(swapped_words())
def test_no_exchange_of_words_raises(text: str):
    look(text)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise(raw: bytes):
    look(raw)


LEAVES = st.one_of(st.sampled_from(WORDS), st.text(max_size=6), st.integers(-5, 500).map(str))
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LEAVES, inner, max_size=4), max_leaves=12
)
KINDS = [
    "ask",
    "menu",
    "collect",
    "pay",
    "inquire_then_reverse",
    "say",
    "sms",
    "end",
    "then",
    "length",
    "confirm",
    "set",
    "lookup",
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(["flow", "schema", "languages", "keys", "patience", "limits", "start", "voice"]), TREES
    ),
    st.dictionaries(
        st.sampled_from(["account", "card", "charge", "x"]), st.dictionaries(st.sampled_from(KINDS), TREES) | TREES
    ),
)
def test_no_tree_of_any_shape_raises(head: dict, steps: dict):
    import json

    # JSON is YAML, but for lone surrogates and a few spaces that only one of them has.
    look(json.dumps({**head, "steps": steps}))


@settings(max_examples=25, deadline=None)
@given(mutated(), st.text(max_size=30))
def test_flows_and_prompts_together_never_raise(text: str, prompts: str):
    found = read_flows(
        [("a.yaml", text), ("b.yaml", TEXT)], [("prompts/en-US.yaml", prompts), ("prompts/es-MX.yaml", b"\xff")]
    )
    assert found.problems


@pytest.mark.parametrize(
    "text",
    [
        "[" * 99_000,
        "{a: " * 24_000,
        "- " * 49_000,
        "? " * 49_000,
        "a:\n" + " " * 99_000 + "b",
        '"' + "\\x41" * 24_000 + '"',
        "a: b\n" * 4_000,
        "\n".join(f"k{n}: v" for n in range(3_000)),
        "#" * 99_000,
        "\n" * 99_000,
    ],
    ids=["lists", "mappings", "items", "keys", "indent", "escapes", "twice", "unknown", "comment", "lines"],
)
def test_large_and_deep_files_are_told_in_reasonable_time(text: str):
    assert compile_flow("f", text)[1]


def test_the_reader_keeps_what_it_can():
    source = read_yaml("f", "a: 1\nb: {c: [x, y]}\na: 2\n")
    assert source.tree == {"a": "1", "b": {"c": ["x", "y"]}}
    assert source.places[("b", "c", 1)] == (2, 12)
    assert [str(problem) for problem in source.problems] == ["f:3:1: 'a' is there twice (it is first on line 1)"]
