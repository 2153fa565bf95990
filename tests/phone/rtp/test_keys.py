"""Table: what several methods report of the same presses, and the digits that must come of it."""

import pytest

from ivr.phone.rtp import KeyMerger

E, T, S = "telephone_event", "inband", "info"

CASES = {
    "one method alone": ([("1", E, 0.0), ("1", E, 0.2), ("2", E, 0.4)], "112"),
    "event then tone of one press": ([("5", E, 0.00), ("5", T, 0.03)], "5"),
    "tone then event of one press": ([("5", T, 0.00), ("5", E, 0.05)], "5"),
    "an event whose first packets were lost is dated later": ([("5", T, 0.00), ("5", E, 0.30)], "5"),
    "info comes after the key is up": ([("5", E, 0.0), ("5", S, 0.9)], "5"),
    "info first": ([("5", S, 0.0), ("5", E, 0.1)], "5"),
    "info sent again after half a second": ([("5", T, 0.0), ("5", S, 1.4)], "5"),
    "all three": ([("7", E, 0.0), ("7", T, 0.02), ("7", S, 0.2)], "7"),
    "a doubled digit stays two by two methods": (
        [("1", E, 0.0), ("1", S, 0.15), ("1", E, 0.25), ("1", S, 0.4)],
        "11",
    ),
    "a doubled digit whose infos both come late": (
        [("1", E, 0.0), ("1", E, 0.25), ("1", S, 0.5), ("1", S, 0.7)],
        "11",
    ),
    "three of a kind, events and tones in turns": (
        [("9", E, 0.0), ("9", T, 0.04), ("9", E, 0.2), ("9", T, 0.24), ("9", T, 0.44), ("9", E, 0.42)],
        "999",
    ),
    "different keys at one time are two": ([("1", E, 0.0), ("2", T, 0.0)], "12"),
    "the same key long after is another press": ([("1", T, 0.0), ("1", E, 0.6)], "11"),
    "the same key by info long after is another press": ([("1", E, 0.0), ("1", S, 2.5)], "11"),
    "a method that changes over": ([("1", T, 0.0), ("2", E, 0.5), ("2", T, 0.52), ("3", E, 1.0)], "123"),
    "letters too": ([("A", E, 0.0), ("A", S, 0.1), ("#", E, 0.3), ("#", S, 0.4)], "A#"),
}


@pytest.mark.parametrize(("reports", "digits"), CASES.values(), ids=CASES)
def test_one_press_is_one_digit(reports: list[tuple[str, str, float]], digits: str) -> None:
    merger = KeyMerger()
    assert "".join(key for key, method, at_s in reports if merger.is_new(key, method, at_s)) == digits


def test_an_echo_that_comes_after_the_keys_were_forgotten_is_still_swallowed() -> None:
    merger = KeyMerger()
    assert merger.is_new("4", "telephone_event", 0.0)
    merger.forget()
    assert not merger.is_new("4", "info", 0.3)
    assert merger.is_new("4", "info", 0.6)


def test_forgotten_keys_are_nowhere_in_the_merger() -> None:
    merger = KeyMerger()
    for number, key in enumerate("4929"):
        merger.is_new(key, "telephone_event", number / 5)
    assert not any(key in repr(merger._presses) for key in ("'4'", "'9'"))
    merger.forget()
    assert {press.key for press in merger._presses} == {""}


def test_a_long_call_is_not_remembered_whole() -> None:
    merger = KeyMerger()
    for number in range(500):
        merger.is_new("1", "telephone_event", number / 5)
    assert len(merger._presses) == 32
