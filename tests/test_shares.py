"""Tests that wait come first, in half of the processes; each is run once, and its file's tests stay together."""

from itertools import groupby
from pathlib import Path

import pytest

from tests.shares import TESTS, WAITING, in_shares, waits

QUICK = [(TESTS / "core" / f"test_{letter}.py", number) for letter in "abcdef" for number in range(20)]
SLOW = [(TESTS / "web" / f"test_{letter}.py", number) for letter in "gh" for number in range(6)]
ALL = [*QUICK, *SLOW]


def file_of(item: tuple[Path, int]) -> Path:
    return item[0]


@pytest.mark.parametrize("processes", [1, 2, 3, 4, 8])
def test_every_test_is_run_once_and_files_that_wait_stay_together(processes: int):
    ordered = in_shares(ALL, file_of, processes)
    assert sorted(ordered) == sorted(ALL)
    slow = [file for file, _ in groupby(filter(lambda one: one in SLOW, ordered), file_of)]
    assert len(slow) == 2


def test_half_of_four_processes_begin_with_those_that_wait():
    ordered = in_shares(ALL, file_of, 4)
    share = len(ALL) // 4
    assert [ordered[number * share] in SLOW for number in range(4)] == [True, False, True, False]


def test_alone_they_are_in_the_order_of_their_names():
    assert in_shares(ALL, file_of, 1) == ALL


@pytest.mark.parametrize("name", WAITING)
def test_what_waits_is_there(name: str):
    assert (TESTS / name).exists()
    assert waits(TESTS / name / "test_x.py")
