"""Processes killed with SIGKILL in the middle of a paid call: nothing is charged twice or lost, and every caller is told.

Each cell goes through the points of a process; what sets right is killed too. `make bench-kill` does all of it.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.bank_process import BankKeys, bank_keys
from tests.kill.banks import KINDS
from tests.kill.cells import (
    FORWARDER,
    LINE,
    OURS,
    SWEEPER,
    WEB,
    Cell,
    Tally,
    long_cells,
    planted_cells,
    run_cell,
    workers,
)

__all__ = ["bank_keys"]
FOUND_AS = {
    "sends again instead of inquiring": "double",
    "takes silence for a refusal": "lost",
    "calls undone what is not": "lost",
}
OTHERS = [kind for kind in KINDS if kind != OURS]


@pytest.fixture
def pool() -> Iterator[ProcessPoolExecutor]:
    """A clean process: it forks, and nothing of the tests' threads may be in it."""
    with ProcessPoolExecutor(1, mp_context=workers) as one:
        yield one


def killed(pool: ProcessPoolExecutor, cell: Cell, keys: BankKeys) -> Tally:
    return pool.submit(run_cell, cell, keys.var).result()


@pytest.mark.parametrize(
    ("process", "stride"),
    [
        *((WEB, 127), (LINE, 83), (FORWARDER, 47), (SWEEPER, 83)),
        *(
            pytest.param(*one, marks=pytest.mark.long)
            for one in ((WEB, 61), (LINE, 41), (FORWARDER, 23), (SWEEPER, 41))
        ),
    ],
)
def test_wherever_a_process_dies_the_books_agree_and_the_caller_knows(
    process: str, stride: int, pool: ProcessPoolExecutor, bank_keys: BankKeys
):
    tally = killed(pool, Cell("sqlite", *OURS, process, stride=stride, first=stride // 2, again=2), bank_keys)
    assert tally.is_clean, tally.examples
    assert tally.kills > tally.trials > 0
    assert tally.charged > 0


# One that keeps keys and inquires, one that does neither; the others are among the long ones.
@pytest.mark.parametrize(
    ("protocol", "kind"),
    [
        pytest.param(
            *one, marks=() if one in (("adyen", "honours keys"), ("iso8583", "no keys, forgets")) else pytest.mark.long
        )
        for one in OTHERS
        if one[0] != "stripe"
    ],
)
def test_whatever_the_bank_promises_a_dead_forwarder_costs_nobody_anything(
    protocol: str, kind: str, pool: ProcessPoolExecutor, bank_keys: BankKeys
):
    cell = Cell("sqlite", protocol, kind, FORWARDER, "approved", ("hangs up",), 29, first=14, again=3)
    tally = killed(pool, cell, bank_keys)
    assert tally.is_clean, tally.examples
    assert tally.charged > 0


@pytest.mark.parametrize("cell", planted_cells(), ids=lambda cell: cell.planted)
def test_with_inquiry_switched_off_it_finds_what_was_charged_twice_or_lost(
    cell: Cell, pool: ProcessPoolExecutor, bank_keys: BankKeys
):
    tally = killed(pool, cell, bank_keys)
    assert tally.wrong[FOUND_AS[cell.planted]], tally


@pytest.mark.long
@pytest.mark.parametrize(
    "cell",
    long_cells(stride=3),
    ids=lambda cell: f"{cell.store}-{cell.protocol}-{cell.kind}-{cell.process}-{cell.fate}",
)
def test_on_both_databases_at_every_bank(cell: Cell, pool: ProcessPoolExecutor, bank_keys: BankKeys):
    tally = killed(pool, cell, bank_keys)
    assert tally.is_clean, tally.examples
