"""Callers who wait, hang up or ring again, at an ISO 8583 host whose answers break in every way, judged by its books.

With blocking promised wrongly the same walk fails.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text

from ivr.bank.iso8583.messages import read_trace
from ivr.bank.simulator import read_books
from ivr.channels.simulator import Clock
from ivr.store import Payment
from ivr.testing.quiet import quiet
from tests.bank.iso8583.faulty_host import TURNED, UNDER_WAY, FaultyHost, running_faulty
from tests.bank.iso8583.running import RunningHost
from tests.bank.walk_table import BOOKED_LATE, CALLERS, PATIENT, cells, time_limit
from tests.bank.walks import (
    OTHER_ACCOUNT,
    SECOND,
    Walked,
    build,
    end,
    judge,
    key_in,
    owe,
    ring,
    since,
    wait_it_out,
    walk,
)
from tests.bank_process import BankKeys
from tests.patience import PATIENCE_S

_thousands = count(900)


@dataclass(frozen=True)
class Place:
    """One host for all walks."""

    faulty: FaultyHost
    host: RunningHost

    @contextmanager
    def walked(self, read_timeout: str = PATIENT, **settings: object) -> Iterator[Walked]:
        clock, before = Clock(datetime.now(UTC)), booked_in(self.host.folder)
        with quiet(), self.host.client(now=clock, read_timeout=read_timeout, **settings) as bank:
            bench = build(bank, self.host.keys.keys / "forwarder-sealing.crt", "forwarder", clock)
            with bench.store._database.money() as connection:  # one host must not see one number of two stores
                first = {"bank": bench.flow.bank, "first": next(_thousands) * 1000}
                connection.execute(text("INSERT INTO bank_number (bank, number) VALUES (:bank, :first)"), first)
            taken = lambda: since(before, booked_in(self.host.folder))  # noqa: E731
            yield Walked(bench, taken, name=retrieval_of, arrive=self.faulty.arrive)


def booked_in(folder: Path) -> dict[str, list[int]]:
    approved = [one for one in read_books(folder) if one.outcome == "approved" and one.amount is not None]
    return {one.reference: [one.amount.minor] for one in approved if one.amount is not None}


def retrieval_of(payment: Payment) -> str:
    return read_trace(payment.bank_trace).retrieval


@pytest.fixture(scope="module")
def place(bank_keys: BankKeys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with (
        pytest.MonkeyPatch.context() as patched,
        running_faulty(bank_keys, tmp_path_factory.mktemp("walks")) as (faulty, host),
    ):
        patched.setattr("ivr.bank.iso8583.link.FIRST_PAUSE_S", 0.02)  # after each connection that breaks
        yield Place(faulty, host)


@pytest.mark.parametrize(("fault", "amount"), [cell for cell in cells("iso8583") if cell[1] != TURNED])
def test_whatever_the_host_and_the_caller_do_nothing_is_charged_twice_or_lost(fault: str, amount: int, place: Place):
    with place.walked(time_limit(fault)) as walked:
        arrived = walk(walked, amount)
        ended = judge(walked)
    assert sum(ended.values()) >= len(CALLERS)
    assert (arrived >= len(CALLERS)) == (fault == BOOKED_LATE)


@pytest.mark.parametrize("caller", CALLERS)
def test_of_two_at_once_each_gets_the_answer_of_its_own_trace_number_whichever_comes_first(caller: str, place: Place):
    """One is approved and one refused; both are on the way before either is answered."""
    with place.walked() as walked:
        bench = walked.bench
        owe(bench)
        first, second = key_in(bench, TURNED), key_in(bench, TURNED, account=OTHER_ACCOUNT)
        if caller != "waits":
            first.hang_up()
        forwarders = [threading.Thread(target=bench.forwarder.run_once, daemon=True) for _ in range(2)]
        for thread in forwarders:
            thread.start()
        if caller == "rings again":
            ring(bench, SECOND)
        for thread in forwarders:
            thread.join(PATIENCE_S)
        for line in (first, second):
            wait_it_out(line)
        end(walked)
        ended = judge(walked)
    assert ended["declined"] == 1
    assert ended["approved"] in (1, 2)  # the second call's, if the first charge had ended by then


def test_with_blocking_promised_wrongly_the_same_walk_finds_money_that_nobody_was_told_of(place: Place):
    place.faulty.forgets(True)
    try:
        with place.walked(time_limit(BOOKED_LATE), arrives_within="60s") as walked:
            walk(walked, UNDER_WAY)
            with pytest.raises(AssertionError):
                judge(walked)
    finally:
        place.faulty.forgets(False)
