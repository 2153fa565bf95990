"""YAML read as text with places; what cannot be read is told with a cure."""

import pytest

from ivr.reading.rules.values import UNKNOWN_KEY
from ivr.reading.yaml_source import read_yaml


@pytest.mark.parametrize(
    "word", ["0123", "no", "12:30", "1e3", "0x1F", "~", "null", "true", "2026-01-01", "1_000", ".5"]
)
def test_every_scalar_stays_as_it_is_written(word: str):
    assert read_yaml("f", f"a: {word}").tree == {"a": word}


@pytest.mark.parametrize("key", ["1", "no", "0123", "null"])
def test_every_key_stays_as_it_is_written(key: str):
    assert read_yaml("f", f"{key}: x").tree == {key: "x"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "a: b\n\tc: d",
            "f:2:1: not YAML: found character '\\t' that cannot start any token (indent with spaces, not tabs)",
        ),
        (
            "k: {clear: *, x: y}",
            "f:1:13: not YAML: expected alphabetic or numeric character, but found ',' (write the key as a word: star)",
        ),
        ("a: @x", "f:1:4: not YAML: found character '@' that cannot start any token (put the text in quotes)"),
        ("a: b: c", "f:1:5: not YAML: mapping values are not allowed here (a text with a colon needs quotes"),
        ('a: "x', "f:1:6: not YAML: found unexpected end of stream (a quote is not closed)"),
        ("a: [1, 2\nb: 3", "f:1:4: not YAML: expected ',' or ']', but got ':' (a bracket or brace is not closed"),
        (
            "a: {if: weekday in [monday, friday], then: open}",
            "f:1:20: not YAML: expected ',' or '}', but got '[' (in brackets and braces, put quotes round an expression",
        ),
        (
            "k: {done: #}",
            "f:1:13: not YAML: expected the node content, but found '<stream end>' (something is not finished; # begins a comment",
        ),
        (
            "steps:\n  a: {x: y}\n b: {x: y}",
            "f:3:2: not YAML: expected <block end>, but found '<block mapping start>' (lines that belong",
        ),
        ("a b\nc: d", "f:1:1: not YAML: no colon after 'a' (a colon and a space follow each key: 'a: ...')"),
        ('# words\n\na "b"\n# more\n\nc: d', "f:3:1: not YAML: no colon after 'a' (a colon"),
        ("a: b\nc d\n  e f\ng: h", "f:2:1: not YAML: no colon after 'c' (a colon"),
        ("a:\n  b c\n  d: e", "f:2:3: not YAML: no colon after 'b' (a colon"),
        ("a: b\n  c d\n  e: f", "f:3:4: not YAML: mapping values are not allowed here (a text with a colon needs"),
        ("a: {b:c} d", "f:1:4: not YAML: '{b:c}' is read as keys, and words follow it (put quotes round it: a text"),
        ("a: {b: c} d", "f:1:11: not YAML: expected <block end>, but found '<scalar>' (lines that belong"),
        ("a: 1\n---\nb: 2", "f:2:1: not YAML: found another document (one file is one flow: remove the line ---)"),
        ("a: &x 1\nb: *x", "f:2:4: anchors and aliases are not used here (write it out)"),
        ("a: 1\na: 2", "f:2:1: 'a' is there twice (it is first on line 1)"),
        ("? [a]\n: b", "f:1:3: a key must be a word"),
        ("a: \x00", "f:1:4: not YAML: a character that must not be in a text file (remove it)"),
        ('a: "\\e[31m"', "f:1:4: a character that cannot be printed (remove it)"),
        ('a: "\\ud800"', "f:1:4: a character that cannot be printed (remove it)"),
        (b"ok: yes\nname: caf\xe9\n", "f:2:10: not a text in UTF-8 (save it as UTF-8 text)"),
    ],
)
def test_what_cannot_be_read_is_told_with_a_cure(text: str | bytes, told: str):
    assert str(read_yaml("f", text).problems[0]).startswith(told)


def test_a_byte_order_mark_is_no_harm():
    assert read_yaml("f", "\ufeffa: 1".encode()).tree == {"a": "1"}


def test_windows_line_ends_are_no_harm():
    source = read_yaml("f", b"a: 1\r\nb:\r\n  c: 2\r\n")
    assert source.tree == {"a": "1", "b": {"c": "2"}}
    assert source.places[("b", "c")] == (3, 3)


def test_tags_make_no_objects():
    assert read_yaml("f", "a: !!python/object/apply:os.system ['true']").tree == {"a": ["true"]}


def test_a_no_break_space_is_a_character_like_others():
    assert read_yaml("f", "a: 10\u00a0000").problems == []


def test_a_problem_below_what_is_known_is_told_at_the_nearest_place():
    source = read_yaml("f", "a:\n  b: 1\n")
    assert source.line(("a", "b", "c"), "wrong") == "f:2:3: wrong"
    assert str(source.problem(UNKNOWN_KEY, (), "wrong", "cure")) == "f:1:1: wrong (cure)"


CUT = {
    "[1,000.00 USD, bill.due]": ["1,000.00 USD", "bill.due"],
    "[bill.min, bill.due - 1.000,00 USD]": ["bill.min", "bill.due - 1.000,00 USD"],
    "[1, 000.00 USD]": ["1", "000.00 USD"],
    "[1,200,300]": ["1", "200", "300"],
    "{set: bill.due - 1,000.00 USD, then: card}": {"set": "bill.due - 1,000.00 USD", "then": "card"},
    "{if: bill.due > 1,000 USD and open, then: card}": {"if": "bill.due > 1,000 USD and open", "then": "card"},
    "{set: a1,000: card}": {"set": "a1", "000": "card"},
}


@pytest.mark.parametrize("text", CUT)
def test_an_amount_that_yaml_cuts_at_its_comma_is_read_as_it_was_meant(text: str):
    assert read_yaml("f", text).tree == CUT[text]
