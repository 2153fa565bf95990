"""A streaming pair of real PostgreSQL servers of which the primary is killed -9 under load, and its standby takes over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.bench_failover import fail_over
from benchmarks.postgresql_pair import INSTALL, is_installed, reachable_folder

pytestmark = pytest.mark.skipif(not is_installed(), reason=f"no PostgreSQL of our own to kill: {INSTALL}")


@pytest.fixture
def folder() -> Iterator[Path]:
    with reachable_folder() as made:
        yield made


def test_with_commits_that_wait_for_the_standby_no_charge_is_lost_doubled_or_untold(folder: Path):
    told = fail_over(folder, synchronous=True, charges=40)
    assert told.begun >= 80
    assert (told.lost, told.unbooked, told.uncharged, told.doubled) == ([], [], [], [])


@pytest.mark.long
def test_without_them_charges_are_lost_which_is_why_they_are_asked_for(folder: Path):
    assert fail_over(folder, synchronous=False, charges=200).lost
