"""Letters on a keypad: what is keyed in is what is read, and what fits no pattern is no answer."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ivr.core.two_key import KEYS_OF_LETTER, alike, answer_of, key_count, keys_of, some_answer

PATTERNS = st.text("LDX", min_size=1, max_size=8)
ANSWERS = {"L": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "D": "0123456789", "X": "ABCXYZ0159"}


def answers(pattern: str) -> st.SearchStrategy[str]:
    return st.tuples(*(st.sampled_from(ANSWERS[kind]) for kind in pattern)).map("".join)


def test_every_letter_has_keys_of_its_own():
    assert "".join(sorted(KEYS_OF_LETTER)) == ANSWERS["L"]
    assert len(set(KEYS_OF_LETTER.values())) == 26
    assert [KEYS_OF_LETTER[letter] for letter in "ACSZ"] == ["21", "23", "74", "94"]


@given(PATTERNS.flatmap(lambda pattern: st.tuples(st.just(pattern), answers(pattern))))
def test_an_answer_is_read_from_the_keys_that_say_it(case: tuple[str, str]):
    pattern, answer = case
    keys = keys_of(answer, [pattern])
    assert len(keys) == key_count(pattern)
    assert answer_of(keys, [pattern]) == answer


@given(PATTERNS, PATTERNS, st.data())
def test_keys_of_patterns_that_are_not_alike_fit_one_alone(one: str, other: str, data: st.DataObject):
    assume(not alike(one, other))
    assert answer_of(keys_of(data.draw(answers(one)), [one]), [other]) is None


@pytest.mark.parametrize("keys", ["", "2", "24", "11", "10", "2a", "*1"])
def test_what_is_no_letter_is_no_answer(keys: str):
    assert answer_of(keys, ["L"]) is None


@pytest.mark.parametrize("pattern", ["LL", "LLDDD", "X"])
def test_an_answer_of_nobodys_can_be_keyed_in(pattern: str):
    made = some_answer(key_count(pattern), [pattern])
    assert answer_of(keys_of(made, [pattern]), [pattern]) == made
