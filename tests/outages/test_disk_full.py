"""The disk that the database is on fills up, at every moment of a call: nothing is lost, and what is said is true.

A real file system without a byte left, SQLite on it, the bank behind TLS on another.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.calls import session as session_module
from ivr.store import migrate
from tests.bank_process import BankKeys, bank_keys
from tests.outages.disk import PAGE, Disk, small_disk
from tests.outages.sites import OURS, Site, site
from tests.outages.trouble import is_paid, new_case, nothing, ring, sweep

__all__ = ["bank_keys"]
FULL_TURNS = 6


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk") as made:
        yield made


@pytest.fixture
def ours(disk: Disk, bank_keys: BankKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(session_module, "PAUSES_S", (0, 0))
    url = f"sqlite:///{disk.folder}/store.db"
    migrate(url)
    with site(url, *OURS, bank_keys, tmp_path) as made:
        yield made


def test_full_when_the_bank_has_answered_the_answer_is_asked_for_again_and_recorded(
    ours: Site, disk: Disk, capfd: pytest.CaptureFixture[str]
):
    """The charge is marked as sent, then there is no room: what the bank answers cannot be written down."""
    authorize = ours.world.place.client.authorize

    def answered(request):
        answer = authorize(request)
        disk.fill()
        return answer

    for number, manner in enumerate(("waits", "hangs up")):
        case = new_case(number, manner)
        ours.world.place.client.authorize = answered  # type: ignore[method-assign]

        def freed(turn: int) -> None:
            if turn in (0, FULL_TURNS):
                ours.world.place.client.authorize = authorize  # type: ignore[method-assign]
                disk.clear()

        assert (verdict := ring(ours.world, case, freed)).is_clean, verdict
        assert ours.world.store.entries(f"{case.call}-1") == ["requested", "unknown", "approved"]
        assert len(ours.bank.books.entries()) == number + 1
    assert "SQLITE_FULL" in capfd.readouterr().err


@pytest.mark.parametrize(
    "spare", [0, pytest.param(3 * PAGE, marks=pytest.mark.long)], ids=["nothing left", "three pages left"]
)
@pytest.mark.parametrize(
    "lasts", [pytest.param(1, marks=pytest.mark.long), 3, pytest.param(100, marks=pytest.mark.long)]
)
def test_full_from_any_webhook_on_no_charge_is_lost_or_doubled_and_the_caller_is_told_the_truth(
    ours: Site, disk: Disk, spare: int, lasts: int, capfd: pytest.CaptureFixture[str]
):
    calls, charged = sweep(ours.world, lasts, lambda: disk.fill(spare), disk.clear)
    assert calls > 9
    assert charged
    assert capfd.readouterr().err.count("SQLITE_FULL") > 9


def test_with_no_room_at_all_it_says_so_by_name_and_serves_again_when_there_is(
    ours: Site, disk: Disk, capfd: pytest.CaptureFixture[str]
):
    refused, paid = new_case(1), new_case(2)
    verdict = ring(ours.world, refused, nothing, lambda number: disk.clear() if number == 0 else disk.fill())
    assert verdict.is_clean, verdict
    assert "SQLITE_FULL" in capfd.readouterr().err
    assert ours.bank.books.entries() == []
    assert ring(ours.world, paid, nothing).is_clean
    assert is_paid(ours.world, paid)
