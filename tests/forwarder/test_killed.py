"""The forwarder is killed, with SIGKILL, at every statement, every commit and every step of the bank: the books agree."""

from pathlib import Path

import pytest

from ivr.store import Store, open_store
from tests.forwarder.doomed import Countdown, run_until
from tests.forwarder.paper_bank import Fate
from tests.forwarder.tills import LEASE_S, Till, bank_in

MOST_POINTS = 80


def die_everywhere(till: Till, url: str, fate: Fate, folder: Path, step: int) -> list[str]:
    """A new charge for each point; the names of the points at which a forwarder died."""
    died_at: list[str] = []
    for number in range(1, MOST_POINTS, step):
        till.charge(f"CA{fate}{number}-1")
        diary = folder / f"diary-{number}"
        was_killed = run_until(url, till.bank.file, fate, till.clock(), Countdown(number, diary))
        if not was_killed:
            till.agrees()
            return died_at
        died_at.append(diary.read_text().splitlines()[-1].partition(" ")[2])
        till.agrees_so_far()
        till.clock.advance(LEASE_S + 1)
        till.agrees()
    raise AssertionError("the forwarder finds no end")


def test_wherever_it_dies_nothing_is_charged_twice_and_nothing_is_lost(store: Store, url: str, tmp_path: Path):
    assert len(die_everywhere(Till(store, bank_in(tmp_path)), url, "approve", tmp_path, step=3)) > 4


@pytest.mark.parametrize("fate", ["silent", "lost"])
def test_wherever_it_dies_resolving_a_silence_likewise(sqlite_url: str, tmp_path: Path, fate: Fate):
    store = open_store(sqlite_url)
    assert len(die_everywhere(Till(store, bank_in(tmp_path)), sqlite_url, fate, tmp_path, step=4)) > 4
    store.close()


@pytest.mark.long
@pytest.mark.parametrize("fate", ["approve", "decline", "silent", "lost", "late", "not_sent"])
def test_wherever_it_dies_every_point(store: Store, url: str, tmp_path: Path, fate: Fate):
    died_at = die_everywhere(Till(store, bank_in(tmp_path)), url, fate, tmp_path, step=1)
    assert set(died_at) >= {"before it leaves", "before the commit"}


@pytest.mark.parametrize("point", ["before it leaves", "in the books", "before the commit"])
def test_killed_around_the_request_it_is_resolved_by_inquiry_and_never_sent_again(
    store: Store, url: str, tmp_path: Path, point: str
):
    """Before it was sent, after it was charged, and with the answer in hand before the final commit."""
    till = Till(store, bank_in(tmp_path))
    rehearsal = tmp_path / "rehearsal"
    till.charge("CA0-1")
    assert not run_until(url, till.bank.file, "approve", till.clock(), Countdown(0, rehearsal))
    points = [line.partition(" ")[2] for line in rehearsal.read_text().splitlines()]
    after = points.index("DELETE FROM sealed_field") if point == "before the commit" else 0
    number = points.index(point, after) + 1
    till.charge()
    assert run_until(url, till.bank.file, "approve", till.clock(), Countdown(number, tmp_path / "diary"))
    assert till.status() == "sent"
    till.clock.advance(LEASE_S + 1)
    till.settle()
    assert till.status() == ("reversed" if point == "before it leaves" else "approved")
    till.agrees()
