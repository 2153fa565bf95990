"""Transactions that are asked for at once share a commit: nobody is told before it, and a fault is that of its own caller."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from ivr.store import Store
from ivr.store.database import Database
from ivr.store.group_commit import GroupCommit, GroupPart
from ivr.store.intents import next_number
from tests.patience import PATIENCE_S

MANY = 100


class Gate:
    """Transactions of money whose commits wait until they are let through."""

    def __init__(self, store: Store) -> None:
        self.database: Database = store._database
        self.at_the_commit, self.let_through = threading.Semaphore(0), threading.Semaphore(0)
        self.begun = 0

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        self.begun += 1
        with self.database.money() as connection:
            yield connection
            self.at_the_commit.release()
            assert self.let_through.acquire(timeout=PATIENCE_S)


@pytest.fixture
def gate(store: Store) -> Gate:
    return Gate(store)


def number(connection: Connection) -> int:
    return next_number(connection, "a bank")


class Arrivals(list[GroupPart[int]]):
    """Who waits for the next group; `came` counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.came = threading.Semaphore(0)

    def append(self, part: GroupPart[int]) -> None:
        super().append(part)
        self.came.release()


def behind_a_commit(groups: GroupCommit, gate: Gate, *works: Callable[[Connection], int]) -> list[Future[int]]:
    """The first is at its commit when the others come; they wait together."""
    pool = ThreadPoolExecutor(len(works) + 1)
    asked = [pool.submit(groups.run, number)]
    assert gate.at_the_commit.acquire(timeout=PATIENCE_S)
    groups._waiting = arrivals = Arrivals()
    asked += [pool.submit(groups.run, work) for work in works]
    pool.shutdown(wait=False)
    assert all(arrivals.came.acquire(timeout=PATIENCE_S) for _ in works)
    return asked


def test_what_comes_while_a_group_is_written_shares_the_next_commit(gate: Gate):
    asked = behind_a_commit(GroupCommit(gate.transaction), gate, *[number] * 5)
    gate.let_through.release(MANY)
    assert sorted(one.result(PATIENCE_S) for one in asked) == [1, 2, 3, 4, 5, 6]
    assert gate.begun == 2


def test_nobody_is_told_before_the_commit(store: Store):
    leads, waits = GroupPart(number, leads=True), GroupPart(number)
    waited_at_the_commit = []

    @contextmanager
    def transaction() -> Iterator[Connection]:
        with store._database.money() as connection:
            yield connection
            waited_at_the_commit.append(waits.turn.locked())

    groups = GroupCommit(transaction)
    groups._waiting.append(waits)
    groups._lead(leads)
    assert waited_at_the_commit == [True]
    assert not waits.turn.locked()
    assert (leads.outcome(), waits.outcome()) == (1, 2)


def test_a_fault_is_its_callers_alone_and_leaves_nothing_behind(gate: Gate):
    def fails(connection: Connection) -> int:
        next_number(connection, "of a fault")
        raise LookupError("a fault of ours")

    asked = behind_a_commit(GroupCommit(gate.transaction), gate, number, fails, number)
    gate.let_through.release(MANY)
    with pytest.raises(LookupError):
        asked[2].result(PATIENCE_S)
    assert sorted(asked[place].result(PATIENCE_S) for place in (0, 1, 3)) == [1, 2, 3]
    with gate.database.money() as connection:
        assert next_number(connection, "of a fault") == 1


def test_a_commit_that_fails_is_a_fault_of_all_who_cannot_be_written_alone(store: Store):
    @contextmanager
    def away() -> Iterator[Connection]:
        with store._database.money() as connection:
            yield connection
            raise ConnectionError("the server has gone")

    groups = GroupCommit(away)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(groups.run, number) for _ in range(4)]
    assert all(isinstance(one.exception(), ConnectionError) for one in asked)
    with store._database.money() as connection:
        assert number(connection) == 1


def test_each_is_done_once_whoever_leads(store: Store):
    groups = GroupCommit(store._database.money)
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: groups.run(number), range(200)))
    assert sorted(numbers) == list(range(1, 201))
    assert groups._waiting == []
    assert not groups._is_led
