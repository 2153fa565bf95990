"""JSON of others is read to a depth that is known, not to the end of the interpreter's stack."""

import gc
import json

import pytest

from ivr.core.json_text import DEEPEST, parse_json


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize("written", [nested(DEEPEST + 1), "[" * 50_000, '{"a":' * 50_000, '["' * 50_000, '[{"a":' * 40])
def test_what_is_nested_too_deeply_is_no_json_and_never_reaches_the_end_of_the_stack(written: str):
    for text in (written, written.encode()):
        with pytest.raises(ValueError):
            parse_json(text)


def test_as_deep_as_can_be_is_read():
    assert parse_json(nested(DEEPEST)) == json.loads(nested(DEEPEST))


def test_many_brackets_side_by_side_or_inside_of_strings_are_not_depth():
    written = json.dumps({"bills": [{"n": [1]}] * 500, "note": '[{"' * 500 + "\\"})
    assert parse_json(written) == parse_json(written.encode()) == json.loads(written)


def test_nothing_that_is_collected_while_json_is_read_fails_in_its_clean_up(recwarn: pytest.WarningsRecorder):
    """A clean-up at the end of the stack is an error that nobody can catch: pytest reports it as one of this test."""

    class Cleaned:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            json.dumps({"some": ["work"]})

    for _ in range(3000):
        Cleaned()
    with pytest.raises(ValueError):
        parse_json(b"[" * 50_000)
    gc.collect()
    assert not recwarn.list
