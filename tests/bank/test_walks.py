"""Callers who wait, hang up or ring again, at banks whose answers break in every way: nothing is charged twice, and nothing is lost.

Here the protocols over HTTPS whose simulator breaks the line itself; beside it `iso8583/test_walks.py` and `stripe/test_walks.py`.
All are judged by the bank's books. With a promise that the bank does not keep, the same walk fails.
"""

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest

from ivr.bank import Bank, BankAnswer, all_promises
from ivr.bank.simulator import BankSimulator, read_books
from ivr.bank.simulator.scenarios import SimulatorWays
from ivr.bank.tonetill import PROMISES, TonetillBank, client
from ivr.places import SHIPPED as ROOT
from ivr.testing.quiet import quiet
from tests.bank.adyen.test_simulator import running as running_adyen
from tests.bank.walk_table import BOOKED_LATE, CALLERS, PATIENT, PROTOCOLS, cells, time_limit, walks_table
from tests.bank.walks import Walked, build, judge, since, walk
from tests.bank_process import BankKeys, bank_keys
from tests.patience import PATIENCE_S

__all__ = ["bank_keys"]
CLOSED_AFTER = 1367


class Gate(threading.Event):
    """In place of the simulator's own: who waits to be late waits for `open`, which returns when they have been booked."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[threading.Thread] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.held.append(threading.current_thread())
        return super().wait(PATIENCE_S)

    def open(self) -> int:
        held, self.held = self.held, []
        self.set()
        for thread in held:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
        self.clear()
        return len(held)


@dataclass(frozen=True)
class Place:
    """One simulator for all walks. `bank`: a client of it, by how long that waits for an answer."""

    folder: Path
    bank: Callable[[str], Bank]
    key: Path
    form: str
    gate: Gate

    @contextmanager
    def walked(self, read_timeout: str = PATIENT) -> Iterator[Walked]:
        before = booked_in(self.folder)
        with quiet(), self.bank(read_timeout) as bank:
            yield Walked(
                build(bank, self.key, self.form), lambda: since(before, booked_in(self.folder)), arrive=self.gate.open
            )


def booked_in(folder: Path) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = {}
    for one in read_books(folder):
        if one.outcome == "approved" and one.amount is not None:
            found.setdefault(one.reference.partition("#")[0].replace(".", "-"), []).append(one.amount.minor)
    return found


@pytest.fixture(scope="module")
def tonetill(bank_keys: BankKeys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder, gate = tmp_path_factory.mktemp("walks"), Gate()
    shutil.copytree(bank_keys.bank, folder, dirs_exist_ok=True)
    with BankSimulator(folder) as simulator:
        simulator._server.stopping = gate
        yield Place(
            folder,
            lambda read_timeout: TonetillBank(bank_keys.settings(simulator.url, read_timeout=read_timeout)),
            bank_keys.keys / "bank-sealing.crt",
            "tonetill",
            gate,
        )


@pytest.fixture(scope="module")
def adyen(bank_keys: BankKeys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder, gate = tmp_path_factory.mktemp("adyen-walks"), Gate()
    with running_adyen(bank_keys, folder, SimulatorWays()) as one:
        one.host._server.stopping = gate
        yield Place(folder, one.bank, one.host.account.public_key, "adyen", gate)


@pytest.mark.parametrize(
    ("protocol", "fault", "amount"), [(one, *cell) for one in ("tonetill", "adyen") for cell in cells(one)]
)
def test_whatever_the_bank_and_the_caller_do_nothing_is_charged_twice_or_lost(
    protocol: str, fault: str, amount: int, request: pytest.FixtureRequest
):
    place: Place = request.getfixturevalue(protocol)
    with place.walked(time_limit(fault)) as walked:
        arrived = walk(walked, amount)
        ended = judge(walked)
    assert sum(ended.values()) >= len(CALLERS)
    assert (arrived >= len(CALLERS)) == (fault == BOOKED_LATE)


def test_with_keys_that_are_not_kept_the_same_walk_finds_what_was_charged_twice(
    adyen: Place, monkeypatch: pytest.MonkeyPatch
):
    keys = count(1)
    monkeypatch.setattr("ivr.bank.adyen.client.key_of", lambda key: f"{key[:40]}-{next(keys)}")
    with adyen.walked() as walked:
        walk(walked, CLOSED_AFTER)
        with pytest.raises(AssertionError):
            judge(walked)


class LyingBank(TonetillBank):
    """Promises that it takes anything back, says that it has, and has not."""

    promises = replace(PROMISES, inquires=False, repeats_s=0.0, undo="also before arrival")

    def reverse(self, reference: str) -> BankAnswer:
        return BankAnswer("reversed", reference, "00")


def test_with_a_reversal_that_is_said_and_not_done_the_same_walk_finds_what_nobody_was_told_of(
    tonetill: Place, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(client, "PROMISES", LyingBank.promises)
    monkeypatch.setattr(TonetillBank, "reverse", LyingBank.reverse)
    with tonetill.walked() as walked:
        walk(walked, CLOSED_AFTER)
        with pytest.raises(AssertionError):
            judge(walked)


def test_the_page_says_which_cells_are_walked_and_why_others_are_not():
    assert walks_table() in (ROOT / "docs" / "money.md").read_text(encoding="utf-8")


def test_every_protocol_has_its_cells():
    assert set(PROTOCOLS) == {name for name, _ in all_promises()}
