"""What `settle` writes of any days of random lives agrees with the ledger, and with a row less it does not."""

import csv
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random

import pytest

from ivr.books import (
    DAY_COLUMNS,
    DayTotals,
    Difference,
    Reconciliation,
    day_rows,
    form_called,
    read_bank_file,
    reconcile,
)
from ivr.store import Store
from tests.store.lives import Lives

STEPS = 90
# A file's charge that was voided on a later day: whether the bank has let go of it is in a later file.
VOIDED_LATER = "charged_although_voided"


class LivesOfDays(Lives):
    def step(self) -> None:
        super().step()
        self.now += timedelta(hours=self.random.choice([0, 0, 1, 5, 9]))


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def written(store: Store, file: Path, first: date, last: date) -> list[str]:
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(DAY_COLUMNS)
        moved = store.movements(midnight(first), midnight(last + timedelta(days=1)))
        writer.writerows(day_rows(moved, DayTotals()))
    return file.read_text().splitlines(keepends=True)


def compared(store: Store, file: Path, first: date, last: date) -> tuple[Reconciliation, list[Difference]]:
    rows = read_bank_file(file, form_called("tonetill"))
    with reconcile(rows, store, file.parent, since=first, until=last) as made:
        return made, list(made.differences)


@pytest.mark.parametrize("seed", [3, 8])
def test_what_settle_writes_of_any_days_agrees_with_the_ledger(seed: int, store: Store, tmp_path: Path):
    lives, random, file = LivesOfDays(store, Random(seed)), Random(seed), tmp_path / "days.csv"
    for _ in range(STEPS):
        lives.step()
    days = sorted({one.at.date() for one in store.movements()})
    for first, last in [(days[0], days[-1]), *(sorted(random.choices(days, k=2)) for _ in range(5))]:
        written(store, file, first, last)
        made, differences = compared(store, file, first, last)
        assert [one for one in differences if one.kind != VOIDED_LATER] == []
        if not differences:
            assert {**made.here} == {**made.there}


@pytest.mark.parametrize("seed", [14])
def test_a_charge_that_is_left_out_is_told(seed: int, store: Store, tmp_path: Path):
    lives, file = LivesOfDays(store, Random(seed)), tmp_path / "days.csv"
    for _ in range(STEPS):
        lives.step()
    days = sorted({one.at.date() for one in store.movements()})
    lines = written(store, file, days[0], days[-1])
    voided = {one.reference for one in store.movements() if one.kind == "void"}
    charges = [line for line in lines if ",charge," in line and line.split(",")[2] not in voided]
    for left_out in charges:
        file.write_text("".join(line for line in lines if line != left_out))
        _, differences = compared(store, file, days[0], days[-1])
        assert {one.reference for one in differences} == {left_out.split(",")[2]}
